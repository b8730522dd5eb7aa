import { beforeEach, describe, expect, test } from "vitest";
import { admitCreate } from "../../../libs/admission/admit.ts";
import { settingsFromEnvironment } from "../../../libs/cluster/settings.ts";
import { writableView } from "../../../libs/cluster/view-of.ts";
import { type Grant, grantToken } from "../../../libs/identity/grant.ts";
import { openSigningKeys, type SigningKeys } from "../../../libs/identity/signing-keys.ts";
import { signToken } from "../../../libs/identity/token.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { serviceAccount } from "../../../libs/model/kinds/serviceaccount.ts";
import { memoryStore } from "../../../libs/store/memory.ts";
import { seededRandom } from "../../../libs/telemetry/seeded-random.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { accountTokens } from "./account-token.ts";

const issuer = "https://issuer";
const robot: Grant = {
  namespace: "shop",
  account: "robot",
  audiences: [issuer],
  expirationSeconds: 600,
};

/** A gateway whose replica shows the account only when it has caught up. */
async function stage(keys: SigningKeys) {
  const [behind, caughtUp] = [writableView(), writableView()];
  const clock = virtualClock();
  const random = seededRandom(1);
  const settings = settingsFromEnvironment.parse({});
  const context = { view: caughtUp.view, settings, now: clock.now(), random };
  const home = admitCreate(namespace, { metadata: { name: "shop" } }, context);
  caughtUp.commit(home.ops);
  const metadata = { name: "robot", namespace: "shop" };
  caughtUp.commit(admitCreate(serviceAccount, { metadata }, context).ops);
  let cut = behind.view;
  let reads = 0;
  const backend = {
    get view() {
      return cut;
    },
    consistent: async () => {
      reads += 1;
      cut = caughtUp.view;
    },
  };
  const claims = grantToken(robot, { view: caughtUp.view, issuer, now: clock.now(), random });
  const read = accountTokens({ keys, issuer, own: [issuer], backend, clock });
  return {
    clock,
    claims,
    reads: () => reads,
    whose: async (token: string) => (await read(token, [issuer]))?.user.username,
  };
}

describe("a ServiceAccount's token", () => {
  let keys: SigningKeys;
  beforeEach(async () => {
    keys = await openSigningKeys(memoryStore());
  });

  test("is valid where its account has not been heard of yet, until its time is over", async () => {
    const { clock, claims, reads, whose } = await stage(keys);
    const token = signToken(keys, claims);
    expect(await whose(token)).toBe("system:serviceaccount:shop:robot");
    expect(await whose(token)).toBe("system:serviceaccount:shop:robot");
    expect(reads()).toBe(1);
    await clock.advance(599_000);
    expect(await whose(token)).toBe("system:serviceaccount:shop:robot");
    await clock.advance(1_000);
    expect(await whose(token)).toBeUndefined();
    expect(reads()).toBe(1); // That its time is over needs no state.
  });

  test("is nobody's when another key has signed it, or when it was changed", async () => {
    const { claims, whose } = await stage(keys);
    const token = signToken(keys, claims);
    expect(await whose(signToken(await openSigningKeys(memoryStore()), claims))).toBeUndefined();
    const [head = "", , signature = ""] = token.split(".");
    const forged = { ...claims, sub: "system:serviceaccount:kube-system:admin" };
    const body = Buffer.from(JSON.stringify(forged)).toString("base64url");
    expect(await whose(`${head}.${body}.${signature}`)).toBeUndefined();
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    expect(await whose(`${none}.${body}.`)).toBeUndefined();
  });

  test.each([
    ["of another issuer", { iss: "https://other" }],
    ["of a time to come", { nbf: 4e9, iat: 4e9, exp: 4e9 + 600 }],
    ["whose subject is another", { sub: "system:serviceaccount:shop:other" }],
    ["for another audience", { aud: ["vault"] }],
  ])("%s is nobody's", async (_name, change) => {
    const { claims, whose } = await stage(keys);
    expect(await whose(signToken(keys, { ...claims, ...change }))).toBeUndefined();
  });
});
