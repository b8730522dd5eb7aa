import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { settingsFromEnvironment } from "../../cluster/settings.ts";
import { writableView } from "../../cluster/view-of.ts";
import { ApiError } from "../../model/errors.ts";
import type { Kind } from "../../model/kind.ts";
import { configMap } from "../../model/kinds/configmap.ts";
import { deployment } from "../../model/kinds/deployment.ts";
import { namespace } from "../../model/kinds/namespace.ts";
import { persistentVolumeClaim } from "../../model/kinds/persistentvolumeclaim.ts";
import { pod } from "../../model/kinds/pod.ts";
import { priorityClass } from "../../model/kinds/priorityclass.ts";
import { resourceQuota } from "../../model/kinds/resourcequota.ts";
import { service } from "../../model/kinds/service.ts";
import type { Op } from "../../store/store.ts";
import { seededRandom } from "../../telemetry/seeded-random.ts";
import { admitCreate, admitStatus, admitUpdate } from "../admit.ts";
import { usedIn } from "./counted.ts";
import { chargedOps } from "./ledger.ts";
import { refusalOf } from "../refusal-fixture.ts";

const now = Date.UTC(2026, 0, 1);
const settings = settingsFromEnvironment.parse({});
const kinds: readonly Kind[] = [pod, service, configMap, persistentVolumeClaim, deployment];

type Quota = { readonly hard: Record<string, string> } & Record<string, unknown>;

/** A namespace with one quota, which has been counted. */
function cluster(spec: Quota) {
  const store = writableView();
  const { view } = store;
  const context = { view, now, random: seededRandom(1), settings };
  const commit = (ops: readonly Op[]) => store.commit(ops);
  commit(admitCreate(namespace, { metadata: { name: "team" } }, context).ops);
  commit(admitCreate(priorityClass, { metadata: { name: "high" }, value: 1_000 }, context).ops);
  const metadata = { name: "quota", namespace: "team" };
  commit(admitCreate(resourceQuota, { metadata, spec }, context).ops);
  const quota = () =>
    view.get(resourceQuota, "team", "quota") ?? expect.unreachable("the quota is not there");
  const count = () => {
    const status = { hard: spec.hard, used: usedIn(view, quota(), kinds) };
    commit(admitStatus(resourceQuota, quota(), status, context)?.ops ?? []);
  };
  count();
  const create = (kind: Kind, name: string, rest: object): readonly Op[] =>
    chargedOps(
      admitCreate(kind, { metadata: { name, namespace: "team" }, ...rest }, context).ops,
      view,
    );
  return { view, context, commit, quota, count, create };
}

const aPod = (resources: object = {}, spec: object = {}) => ({
  spec: { containers: [{ name: "app", image: "app:1", resources }], ...spec },
});
const aService = (spec: object = {}) => ({ spec: { ports: [{ port: 80 }], ...spec } });
const aClaim = (storage: string, storageClassName?: string) => ({
  spec: {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage } },
    ...(storageClassName !== undefined && { storageClassName }),
  },
});

type Case = {
  readonly name: string;
  readonly quota: Quota;
  readonly kind: Kind;
  readonly object: object;
  readonly used: Record<string, string>;
};

describe("what is used", () => {
  test.each<Case>([
    {
      name: "a pod counts, with what its containers request and what they are limited to",
      quota: { hard: { pods: "5", cpu: "2", "requests.memory": "1Gi", "limits.cpu": "4" } },
      kind: pod,
      object: aPod({
        requests: { cpu: "500m", memory: "128Mi" },
        limits: { cpu: "1", memory: "256Mi" },
      }),
      used: { pods: "1", cpu: "500m", "requests.memory": "128Mi", "limits.cpu": "1" },
    },
    {
      name: "init containers count where they need more than what runs later",
      quota: { hard: { "requests.cpu": "2" } },
      kind: pod,
      object: aPod(
        { requests: { cpu: "100m" } },
        {
          initContainers: [{ name: "init", image: "app:1", resources: { requests: { cpu: "1" } } }],
        },
      ),
      used: { "requests.cpu": "1" },
    },
    {
      name: "a Service counts, one with node ports by its ports too",
      quota: { hard: { services: "2", "services.nodeports": "3", "services.loadbalancers": "1" } },
      kind: service,
      object: aService({
        type: "NodePort",
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 81 },
        ],
      }),
      used: { services: "1", "services.nodeports": "2", "services.loadbalancers": "0" },
    },
    {
      name: "a claim counts by its class too",
      quota: {
        hard: {
          "requests.storage": "10Gi",
          "fast.storageclass.storage.k8s.io/requests.storage": "5Gi",
          "slow.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        },
      },
      kind: persistentVolumeClaim,
      object: aClaim("2Gi", "fast"),
      used: {
        "requests.storage": "2Gi",
        "fast.storageclass.storage.k8s.io/requests.storage": "2Gi",
        "slow.storageclass.storage.k8s.io/persistentvolumeclaims": "0",
      },
    },
    {
      name: "objects of any kind count by number",
      quota: { hard: { "count/deployments.apps": "1", "count/configmaps": "2", configmaps: "2" } },
      kind: configMap,
      object: { data: { a: "b" } },
      used: { "count/deployments.apps": "0", "count/configmaps": "1", configmaps: "1" },
    },
    {
      name: "pods out of a quota's scope do not count",
      quota: { hard: { pods: "1" }, scopes: ["BestEffort"] },
      kind: pod,
      object: aPod({ requests: { cpu: "1" } }),
      used: { pods: "0" },
    },
    {
      name: "pods of a priority class count where the selector names it",
      quota: {
        hard: { pods: "1" },
        scopeSelector: {
          matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["high"] }],
        },
      },
      kind: pod,
      object: aPod({}, { priorityClassName: "high" }),
      used: { pods: "1" },
    },
    {
      name: "nothing but pods counts in a scope",
      quota: { hard: { "count/configmaps": "1" }, scopes: ["NotTerminating"] },
      kind: configMap,
      object: {},
      used: { "count/configmaps": "0" },
    },
  ])("$name", ({ quota: spec, kind, object, used }) => {
    const { create, commit, quota, count } = cluster(spec);
    commit(create(kind, "one", object));
    expect(quota().status?.used).toEqual(used);
    count(); // Counted anew it is the same.
    expect(quota().status?.used).toEqual(used);
  });
});

describe("a quota refuses", () => {
  test.each<{
    name: string;
    hard: Record<string, string>;
    first?: object;
    object: object;
    said: string;
  }>([
    {
      name: "one pod too many",
      hard: { pods: "1" },
      first: aPod(),
      object: aPod(),
      said: 'pods "two" is forbidden: exceeded quota: quota, requested: pods=1, used: pods=1, limited: pods=1',
    },
    {
      name: "more than is left, and tells of what there is too little",
      hard: { pods: "9", "requests.cpu": "1", "requests.memory": "1Gi" },
      first: aPod({ requests: { cpu: "800m", memory: "100Mi" } }),
      object: aPod({ requests: { cpu: "300m", memory: "100Mi" } }),
      said: 'pods "two" is forbidden: exceeded quota: quota, requested: requests.cpu=300m, used: requests.cpu=800m, limited: requests.cpu=1',
    },
    {
      name: "a pod that does not say what it requests",
      hard: { "limits.memory": "1Gi", "requests.cpu": "1" },
      object: aPod(),
      said: 'pods "two" is forbidden: failed quota: quota: must specify limits.memory for: app; requests.cpu for: app',
    },
  ])("$name", ({ hard, first, object, said }) => {
    const { create, commit } = cluster({ hard });
    if (first !== undefined) commit(create(pod, "one", first));
    const refused = refusalOf(() => create(pod, "two", object));
    expect([refused.reason, refused.code, refused.message]).toEqual(["Forbidden", 403, said]);
  });

  test("what it has not counted yet", () => {
    const { view, context, commit, create, quota } = cluster({ hard: { pods: "3" } });
    const spec = { hard: { pods: "3", "requests.cpu": "1" } };
    commit(admitUpdate(resourceQuota, quota(), { ...quota(), spec }, context)?.ops ?? []);
    expect(view.revision).toBeGreaterThan(0);
    const refused = refusalOf(() => create(pod, "one", aPod({ requests: { cpu: "1" } })));
    expect(refused.message).toBe(
      'pods "one" is forbidden: status unknown for quota: quota, resources: requests.cpu',
    );
  });

  test("what grows beyond it, and not what becomes less", () => {
    const { view, context, commit, create } = cluster({ hard: { "services.nodeports": "1" } });
    commit(create(service, "one", aService({ type: "NodePort" })));
    const one = () => view.get(service, "team", "one") ?? expect.unreachable("it is not there");
    const changed = (spec: object) =>
      chargedOps(
        admitUpdate(service, one(), { ...one(), spec: { ...one().spec, ...spec } }, context)?.ops ??
          [],
        view,
      );
    const ports = [
      { name: "a", port: 80 },
      { name: "b", port: 81 },
    ];
    expect(refusalOf(() => changed({ ports })).message).toContain("services.nodeports=1");
    commit(changed({ type: "ClusterIP", ports, externalTrafficPolicy: undefined }));
    expect(one().spec.type).toBe("ClusterIP");
  });
});

test("several writers at lagging cuts never use more than the quota has (O3)", () => {
  const steps = fc.array(fc.constantFrom("decide", "commit", "count", "end"), { maxLength: 40 });
  fc.assert(
    fc.property(steps, fc.nat(4), (schedule, hard) => {
      const { view, context, commit, create, quota } = cluster({ hard: { pods: String(hard) } });
      const decided: (readonly Op[])[] = [];
      const attempt = (act: () => void) => {
        try {
          act();
        } catch (error) {
          // Refused by the quota, or by an expectation that holds no more.
          if (!(error instanceof ApiError) && !(error instanceof RangeError)) throw error;
        }
      };
      for (const [nth, step] of schedule.entries()) {
        attempt(() => {
          if (step === "decide") decided.push(create(pod, `pod-${nth}`, aPod()));
          else if (step === "commit") commit(decided.shift() ?? []);
          else if (step === "count") {
            const status = { hard: quota().spec.hard, used: usedIn(view, quota(), kinds) };
            decided.push(admitStatus(resourceQuota, quota(), status, context)?.ops ?? []);
          } else {
            const [running] = view
              .list(pod, { namespace: "team" })
              .filter(({ status }) => status?.phase === "Pending");
            if (running === undefined) return;
            commit(admitStatus(pod, running, { phase: "Succeeded" }, context)?.ops ?? []);
          }
        });
        const used = Number(usedIn(view, quota(), kinds)["pods"]);
        expect(used).toBeLessThanOrEqual(hard);
        expect(Number(quota().status?.used?.["pods"])).toBeGreaterThanOrEqual(used);
      }
    }),
  );
});
