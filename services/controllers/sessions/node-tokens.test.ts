import { describe, expect, test } from "vitest";
import { admitBind, admitCreate } from "../../../libs/admission/admit.ts";
import { writableView } from "../../../libs/cluster/view-of.ts";
import { openSigningKeys } from "../../../libs/identity/signing-keys.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { serviceAccount } from "../../../libs/model/kinds/serviceaccount.ts";
import type { TokenRef } from "../../../libs/protocol/node.ts";
import { memoryStore } from "../../../libs/store/memory.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { countingRandom, settings } from "../fixtures.ts";
import { tokensFor } from "./node-tokens.ts";

/** A pod on node n1, whose account is there if `account` says so. */
async function stage({ account = true } = {}) {
  const cut = writableView();
  const { view } = cut;
  const clock = virtualClock();
  const random = countingRandom();
  const context = { view, settings, now: clock.now(), random };
  cut.commit(admitCreate(namespace, { metadata: { name: "shop" } }, context).ops);
  cut.commit(admitCreate(node, { metadata: { name: "n1" } }, context).ops);
  const own = { name: "default", namespace: "shop" };
  if (account) cut.commit(admitCreate(serviceAccount, { metadata: own }, context).ops);
  const spec = { containers: [{ name: "main", image: "web:1" }] };
  const made = { metadata: { name: "web", namespace: "shop" }, spec };
  cut.commit(admitCreate(pod, made, context).ops);
  const born = view.get(pod, "shop", "web");
  if (born === undefined) throw new Error("no pod");
  cut.commit(admitBind(pod, born, "n1", context).ops);
  const signingKeys = await openSigningKeys(memoryStore());
  const log = createLog("test", "silent");
  const ports = { view, settings, signingKeys, clock, random, log };
  const { uid } = born.metadata;
  const ref = { namespace: "shop", pod: "web", uid, audience: "", expirationSeconds: 3_607 };
  return { ports, ref, uidOf: (name: string) => view.get(node, undefined, name)?.metadata.uid };
}

describe("a node", () => {
  test("gets the tokens that its pods' volumes ask for", async () => {
    const { ports, ref, uidOf } = await stage();
    const [granted] = tokensFor(ports, "n1", [ref]);
    expect(granted).toMatchObject({ ...ref, lifeSeconds: 3_607 });
    const claims: unknown = JSON.parse(
      Buffer.from(granted?.token.split(".")[1] ?? "", "base64url").toString(),
    );
    const now = Math.floor(ports.clock.now() / 1_000);
    expect(claims).toMatchObject({
      sub: "system:serviceaccount:shop:default",
      aud: ["https://kubernetes.default.svc.cluster.local"],
      exp: now + 365 * 24 * 3_600,
      "kubernetes.io": {
        namespace: "shop",
        pod: { name: "web", uid: ref.uid },
        node: { name: "n1", uid: uidOf("n1") },
        warnafter: now + 3_607,
      },
    });
  });

  test.each<[string, string, Partial<TokenRef>]>([
    ["another's pod", "n2", {}],
    ["a pod that is not there", "n1", { pod: "none" }],
    ["a former pod of the name", "n1", { uid: "other" }],
    ["an audience that no volume asks for", "n1", { audience: "vault" }],
    ["a time that no volume asks for", "n1", { expirationSeconds: 86_400 }],
  ])("gets none for %s", async (_name, asking, more) => {
    const { ports, ref } = await stage();
    expect(tokensFor(ports, asking, [{ ...ref, ...more }])).toEqual([]);
  });

  test("gets none yet for an account that is not there", async () => {
    const { ports, ref } = await stage({ account: false });
    expect(tokensFor(ports, "n1", [ref])).toEqual([]);
  });
});

test("whoever asks has the same signing key", async () => {
  const store = memoryStore();
  const all = await Promise.all([1, 2, 3].map(() => openSigningKeys(store)));
  expect(new Set(all.map(([{ id }]) => id)).size).toBe(1);
});
