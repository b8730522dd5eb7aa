import { describe, expect, test } from "vitest";
import { admitCreate, admitDelete, admitRemove } from "../admission/admit.ts";
import { settingsFromEnvironment } from "../cluster/settings.ts";
import { writableView } from "../cluster/view-of.ts";
import { namespace } from "../model/kinds/namespace.ts";
import { pod } from "../model/kinds/pod.ts";
import { serviceAccount } from "../model/kinds/serviceaccount.ts";
import { seededRandom } from "../telemetry/seeded-random.ts";
import {
  type Grant,
  grantToken,
  lapsed,
  podTokenSeconds,
  renewedAt,
  tokenSecondsMax,
} from "./grant.ts";

const settings = settingsFromEnvironment.parse({});
const random = seededRandom(1);
const now = Date.parse("2026-01-01T00:00:00Z");
const place = { namespace: "shop" };

/** A token that is bound to a pod, and the cut that it was granted at. */
function stage() {
  const cut = writableView();
  const context = { view: cut.view, settings, now, random };
  cut.commit(admitCreate(namespace, { metadata: { name: "shop" } }, context).ops);
  const account = { metadata: { ...place, name: "robot" } };
  cut.commit(admitCreate(serviceAccount, account, context).ops);
  const containers = [{ name: "main", image: "web:1" }];
  const spec = { serviceAccountName: "robot", nodeName: "n1", containers };
  const made = { metadata: { ...place, name: "web" }, spec };
  cut.commit(admitCreate(pod, made, context).ops);
  const claims = grantToken(
    {
      ...place,
      account: "robot",
      audiences: ["api"],
      expirationSeconds: 3_600,
      bound: { kind: "Pod", name: "web" },
    },
    { ...context, issuer: "us" },
  );
  const held = () => {
    const found = cut.view.get(pod, "shop", "web");
    if (found === undefined) throw new Error("no pod");
    return found;
  };
  return { cut, context, claims, held, made };
}

describe("the token that a pod is given without asking", () => {
  const bound = { kind: "Pod", name: "web" } as const;
  const usual: Grant = {
    ...place,
    account: "robot",
    audiences: ["us"],
    expirationSeconds: podTokenSeconds,
  };

  test.each<{ is: string; grant: Grant; lifeSeconds: number }>([
    { is: "good for a year", grant: { ...usual, bound }, lifeSeconds: tokenSecondsMax },
    {
      is: "not so for another time",
      grant: { ...usual, bound, expirationSeconds: 3_600 },
      lifeSeconds: 3_600,
    },
    {
      is: "not so for others than the API",
      grant: { ...usual, bound, audiences: ["vault"] },
      lifeSeconds: podTokenSeconds,
    },
    { is: "not so without a pod", grant: usual, lifeSeconds: podTokenSeconds },
  ])("is $is, and renewed when it was to end", ({ grant, lifeSeconds }) => {
    const claims = grantToken(grant, { ...stage().context, issuer: "us" });
    expect(claims.exp - claims.iat).toBe(lifeSeconds);
    expect(renewedAt(claims) - claims.iat).toBe(grant.expirationSeconds);
  });
});

describe("a token that is bound to a pod", () => {
  test("holds while the pod is there", () => {
    const { cut, claims } = stage();
    expect(lapsed(claims, cut.view, now)).toBeUndefined();
  });

  test("holds for a minute beyond the end that is set for an ending pod", () => {
    const { cut, context, claims, held } = stage();
    cut.commit(admitDelete(pod, held(), { gracePeriodSeconds: 30 }, context)?.ops ?? []);
    expect(lapsed(claims, cut.view, now + 89_000)).toBeUndefined();
    expect(lapsed(claims, cut.view, now + 90_000)).toContain("is gone");
  });

  test("is over with the pod, though another has its name", () => {
    const { cut, context, claims, held, made } = stage();
    cut.commit(admitRemove(pod, held(), context).ops);
    expect(lapsed(claims, cut.view, now)).toContain("is gone");
    cut.commit(admitCreate(pod, made, context).ops);
    expect(lapsed(claims, cut.view, now)).toContain("is gone");
  });

  test("is over with its account", () => {
    const { cut, context, claims } = stage();
    const account = cut.view.get(serviceAccount, "shop", "robot");
    if (account === undefined) throw new Error("no account");
    cut.commit(admitRemove(serviceAccount, account, context).ops);
    expect(lapsed(claims, cut.view, now)).toContain("ServiceAccount");
  });
});
