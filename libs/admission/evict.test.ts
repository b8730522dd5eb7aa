import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { settingsFromEnvironment } from "../cluster/settings.ts";
import { writableView } from "../cluster/view-of.ts";
import { ApiError } from "../model/errors.ts";
import { namespace } from "../model/kinds/namespace.ts";
import { pod, type Pod } from "../model/kinds/pod.ts";
import { podDisruptionBudget } from "../model/kinds/poddisruptionbudget.ts";
import { seededRandom } from "../telemetry/seeded-random.ts";
import { admitBind, admitCreate, admitStatus } from "./admit.ts";
import { admitEvict } from "./evict.ts";
import { refusalOf } from "./refusal-fixture.ts";

const now = Date.UTC(2026, 0, 1);
const settings = settingsFromEnvironment.parse({});

type BudgetFacts = {
  readonly allowed?: number;
  readonly healthy?: number;
  readonly observed?: number;
  readonly policy?: "IfHealthyBudget" | "AlwaysAllow";
  readonly app?: string;
  readonly conditions?: readonly { readonly reason: string; readonly message: string }[];
};
type PodFacts = { readonly phase?: string; readonly ready?: boolean };

/** Running pods `web-<n>`, each bound to a node, and budgets `budget-<n>` that want two healthy. */
function cluster(pods: readonly PodFacts[], budgets: readonly BudgetFacts[]) {
  const store = writableView();
  const { view } = store;
  const context = { view, now, random: seededRandom(1), settings };
  store.commit(admitCreate(namespace, { metadata: { name: "default" } }, context).ops);
  for (const [nth, { phase = "Running", ready = true }] of pods.entries()) {
    const metadata = { name: `web-${nth}`, namespace: "default", labels: { app: "web" } };
    const spec = { containers: [{ name: "app", image: "app:1" }] };
    const made = admitCreate(pod, { metadata, spec }, context);
    store.commit(made.ops);
    store.commit(admitBind(pod, podNamed(nth), "n1", context).ops);
    const conditions = [{ type: "Ready", status: ready ? "True" : "False" }];
    store.commit(admitStatus(pod, podNamed(nth), { phase, conditions }, context)?.ops ?? []);
  }
  for (const [nth, facts] of budgets.entries()) {
    const { allowed = 1, healthy = 3, observed = 1, policy, app = "web", conditions } = facts;
    const metadata = { name: `budget-${nth}`, namespace: "default" };
    const spec = {
      minAvailable: 2,
      selector: { matchLabels: { app } },
      ...(policy !== undefined && { unhealthyPodEvictionPolicy: policy }),
    };
    const made = admitCreate(podDisruptionBudget, { metadata, spec }, context);
    store.commit(made.ops);
    const status = {
      observedGeneration: observed,
      disruptionsAllowed: allowed,
      currentHealthy: healthy,
      desiredHealthy: 2,
      expectedPods: 3,
      ...(conditions !== undefined && {
        conditions: conditions.map((one) => ({
          type: "DisruptionAllowed",
          status: "False",
          lastTransitionTime: "2026-01-01T00:00:00Z",
          ...one,
        })),
      }),
    };
    const ops = admitStatus(podDisruptionBudget, budgetNamed(nth), status, context)?.ops ?? [];
    store.commit(ops);
  }
  function podNamed(nth: number): Pod {
    const found = view.get(pod, "default", `web-${nth}`);
    return found ?? expect.unreachable("the pod is not there");
  }
  function budgetNamed(nth: number) {
    const found = view.get(podDisruptionBudget, "default", `budget-${nth}`);
    return found ?? expect.unreachable("the budget is not there");
  }
  return {
    podNamed,
    budgetNamed,
    commit: (ops: Parameters<typeof store.commit>[0]) => store.commit(ops),
    evict: (nth: number) => admitEvict(podNamed(nth), {}, context),
  };
}

describe("an eviction", () => {
  test.each<{ name: string; pod?: PodFacts; budgets: readonly BudgetFacts[]; charged: boolean }>([
    {
      name: "of a pod that no budget selects is a deletion",
      budgets: [{ app: "other" }],
      charged: false,
    },
    { name: "takes one disruption of its budget", budgets: [{}], charged: true },
    {
      name: "of a pod that does not run yet is free",
      pod: { phase: "Pending" },
      budgets: [{ allowed: 0 }],
      charged: false,
    },
    {
      name: "of a pod that has ended is free",
      pod: { phase: "Failed" },
      budgets: [{ allowed: 0 }],
      charged: false,
    },
    {
      name: "of an unready pod is free while enough others are healthy",
      pod: { ready: false },
      budgets: [{ allowed: 0, healthy: 2 }],
      charged: false,
    },
    {
      name: "of an unready pod is free where AlwaysAllow says so",
      pod: { ready: false },
      budgets: [{ allowed: 0, healthy: 0, policy: "AlwaysAllow" }],
      charged: false,
    },
    {
      name: "of an unready pod is counted while too few are healthy",
      pod: { ready: false },
      budgets: [{ allowed: 1, healthy: 1 }],
      charged: true,
    },
  ])("$name", ({ pod: facts = {}, budgets, charged }) => {
    const { evict, commit, podNamed, budgetNamed } = cluster([facts], budgets);
    const before = budgetNamed(0).status?.disruptionsAllowed ?? 0;
    commit(evict(0)?.ops ?? []);
    expect(podNamed(0).metadata.deletionTimestamp).toBeDefined();
    expect(podNamed(0).status?.conditions ?? []).toContainEqual(
      facts.phase === "Failed"
        ? expect.anything()
        : expect.objectContaining({ type: "DisruptionTarget", reason: "EvictionByEvictionAPI" }),
    );
    expect(budgetNamed(0).status?.disruptionsAllowed).toBe(before - (charged ? 1 : 0));
  });

  test.each<{ name: string; budgets: readonly BudgetFacts[]; reason: string; message: string }>([
    {
      name: "is refused when the budget allows none",
      budgets: [{ allowed: 0, healthy: 2 }],
      reason: "TooManyRequests",
      message: "The disruption budget budget-0 needs 2 healthy pods and has 2 currently",
    },
    {
      name: "is refused while the budget's newest spec is not counted",
      budgets: [{ observed: 0 }],
      reason: "TooManyRequests",
      message: "The disruption budget budget-0 is still being processed by the server.",
    },
    {
      name: "says why a budget could not be counted",
      budgets: [{ allowed: 0, conditions: [{ reason: "SyncFailed", message: "no scale" }] }],
      reason: "TooManyRequests",
      message:
        "The disruption budget budget-0 does not allow evicting pods currently because it failed sync: no scale",
    },
  ])("$name", ({ budgets, reason, message }) => {
    const refused = refusalOf(() => cluster([{}], budgets).evict(0));
    expect(refused.reason).toBe(reason);
    expect(refused.message).toBe(
      "Cannot evict pod as it would violate the pod's disruption budget.",
    );
    expect(refused.details.causes).toEqual([{ reason: "DisruptionBudget", field: "", message }]);
  });

  test("is refused where several budgets select the pod", () => {
    const refused = refusalOf(() => cluster([{}], [{}, {}]).evict(0));
    expect([refused.reason, refused.code]).toEqual(["InternalError", 500]);
  });

  test("of a pod that is going already changes nothing", () => {
    const { evict, commit } = cluster([{}], [{}]);
    commit(evict(0)?.ops ?? []);
    expect(evict(0)).toBeUndefined();
  });

  test("never takes more than the budget allows, at whatever cuts it is decided (O3)", () => {
    const schedule = fc.array(fc.tuple(fc.nat(4), fc.boolean()), { maxLength: 30 });
    fc.assert(
      fc.property(fc.nat(4), schedule, (allowed, steps) => {
        const { evict, commit, podNamed } = cluster([{}, {}, {}, {}, {}], [{ allowed }]);
        const decided: (readonly Parameters<typeof commit>[0][number][])[] = [];
        for (const [nth, isCommit] of steps) {
          try {
            if (isCommit) commit(decided.shift() ?? []);
            else decided.push(evict(nth)?.ops ?? []);
          } catch (error) {
            // Refused by the budget, or by an expectation that holds no more.
            if (!(error instanceof ApiError) && !(error instanceof RangeError)) throw error;
          }
        }
        const going = [0, 1, 2, 3, 4].filter(
          (nth) => podNamed(nth).metadata.deletionTimestamp !== undefined,
        );
        expect(going.length).toBeLessThanOrEqual(allowed);
      }),
    );
  });
});
