import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { settingsFromEnvironment } from "../../cluster/settings.ts";
import { writableView } from "../../cluster/view-of.ts";
import { limitRange } from "../../model/kinds/limitrange.ts";
import { namespace } from "../../model/kinds/namespace.ts";
import { persistentVolumeClaim } from "../../model/kinds/persistentvolumeclaim.ts";
import { pod, type Pod } from "../../model/kinds/pod.ts";
import { resourceQuota } from "../../model/kinds/resourcequota.ts";
import { canonicalQuantity, compareQuantities } from "../../model/quantity.ts";
import type { Op } from "../../store/store.ts";
import { seededRandom } from "../../telemetry/seeded-random.ts";
import { admitCreate, admitStatus, admitUpdate } from "../admit.ts";
import { chargedOps } from "../quota/ledger.ts";
import { refusalOf } from "../refusal-fixture.ts";
import { limitRangerAnnotation } from "./defaults.ts";

/** A namespace with LimitRanges, each of some items, named in their order. */
function limited(...ranges: readonly (readonly object[])[]) {
  const store = writableView();
  const { view } = store;
  const commit = (ops: readonly Op[]) => store.commit(ops);
  const settings = settingsFromEnvironment.parse({});
  const context = { view, now: Date.UTC(2026, 0, 1), random: seededRandom(1), settings };
  for (const name of ["team", "free"]) {
    commit(admitCreate(namespace, { metadata: { name } }, context).ops);
  }
  for (const [nth, limits] of ranges.entries()) {
    const metadata = { name: `limits-${nth}`, namespace: "team" };
    commit(admitCreate(limitRange, { metadata, spec: { limits } }, context).ops);
  }
  const createPod = (spec: object, home = "team") =>
    admitCreate(pod, { metadata: { name: "web", namespace: home }, spec }, context);
  return { view, context, commit, createPod };
}

type Resources = {
  readonly requests?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
};
const aContainer = (resources: Resources = {}, name = "app", rest: object = {}) => ({
  name,
  image: "app:1",
  resources,
  ...rest,
});
const of = (...containers: readonly object[]) => ({ containers });
const ofContainers = (rest: object) => [{ type: "Container", ...rest }];
const ofPods = (rest: object) => [{ type: "Pod", ...rest }];

const resourcesIn = ({ spec }: Pod) =>
  Object.fromEntries(
    [...spec.containers, ...(spec.initContainers ?? [])].map(({ name, resources }) => [
      name,
      resources,
    ]),
  );
const noteOn = ({ metadata }: Pod) => metadata.annotations?.[limitRangerAnnotation];

type Given = {
  readonly name: string;
  readonly ranges: readonly (readonly object[])[];
  readonly spec: object;
};

describe("a LimitRange fills in", () => {
  test.each<Given & { readonly gets: object; readonly note?: string }>([
    {
      name: "what a container does not say",
      ranges: [ofContainers({ default: { cpu: "1" }, defaultRequest: { cpu: "500m" } })],
      spec: of(aContainer()),
      gets: { app: { requests: { cpu: "500m" }, limits: { cpu: "1" } } },
      note: "LimitRanger plugin set: cpu request for container app; cpu limit for container app",
    },
    {
      name: "resources in the order of their names",
      ranges: [ofContainers({ default: { memory: "1Gi", cpu: "1" } })],
      spec: of(aContainer()),
      gets: { app: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } } },
      note: "LimitRanger plugin set: cpu, memory request for container app; cpu, memory limit for container app",
    },
    {
      name: "a request alone, from the least",
      ranges: [ofContainers({ min: { memory: "64Mi" } })],
      spec: of(aContainer()),
      gets: { app: { requests: { memory: "64Mi" } } },
      note: "LimitRanger plugin set: memory request for container app",
    },
    {
      name: "no request where the container says its limit: it requests that",
      ranges: [ofContainers({ default: { cpu: "1" }, defaultRequest: { cpu: "100m" } })],
      spec: of(aContainer({ limits: { cpu: "2" } })),
      gets: { app: { requests: { cpu: "2" }, limits: { cpu: "2" } } },
    },
    {
      name: "a limit beside the container's own request",
      ranges: [ofContainers({ default: { cpu: "1" } })],
      spec: of(aContainer({ requests: { cpu: "200m" } })),
      gets: { app: { requests: { cpu: "200m" }, limits: { cpu: "1" } } },
      note: "LimitRanger plugin set: cpu limit for container app",
    },
    {
      name: "nothing where everything is said",
      ranges: [ofContainers({ default: { cpu: "1" } })],
      spec: of(aContainer({ requests: { cpu: "1" }, limits: { cpu: "1" } })),
      gets: { app: { requests: { cpu: "1" }, limits: { cpu: "1" } } },
    },
    {
      name: "each container, init containers last",
      ranges: [ofContainers({ defaultRequest: { cpu: "1" } })],
      spec: {
        ...of(aContainer({}, "a"), aContainer({}, "b")),
        initContainers: [aContainer({}, "c")],
      },
      gets: {
        a: { requests: { cpu: "1" } },
        b: { requests: { cpu: "1" } },
        c: { requests: { cpu: "1" } },
      },
      note: "LimitRanger plugin set: cpu request for container a; cpu request for container b; cpu request for init container c",
    },
    {
      name: "what another LimitRange leaves open; the note is the last one's",
      ranges: [
        ofContainers({ default: { cpu: "1" } }),
        ofContainers({ default: { cpu: "2", memory: "1Gi" } }),
      ],
      spec: of(aContainer()),
      gets: { app: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } } },
      note: "LimitRanger plugin set: memory request for container app; memory limit for container app",
    },
    {
      name: "nothing for limits of pods",
      ranges: [ofPods({ max: { memory: "1Gi" } })],
      spec: of(aContainer({ limits: { memory: "1Gi" } })),
      gets: { app: { requests: { memory: "1Gi" }, limits: { memory: "1Gi" } } },
    },
  ])("$name", ({ ranges, spec, gets, note }) => {
    const { object } = limited(...ranges).createPod(spec);
    expect(resourcesIn(object)).toEqual(gets);
    expect(noteOn(object)).toBe(note);
  });

  test("nothing in another namespace", () => {
    const { createPod } = limited(ofContainers({ default: { cpu: "1" } }));
    expect(resourcesIn(createPod(of(aContainer()), "free").object)).toEqual({ app: {} });
  });

  test("no limit that is less than what is requested: the pod is invalid", () => {
    const { createPod } = limited(ofContainers({ default: { cpu: "1" } }));
    const refusal = refusalOf(() => createPod(of(aContainer({ requests: { cpu: "2" } }))));
    expect(refusal.reason).toBe("Invalid");
    expect(refusal.message).toContain(
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    );
  });
});

describe("a LimitRange refuses", () => {
  const ratio = { maxLimitRequestRatio: { cpu: "2" } };
  const most = (cpu: string) => ofContainers({ max: { cpu } });
  const requests = (cpu: string) => ({ requests: { cpu } });
  test.each<Given & { readonly why: string }>([
    {
      name: "a limit above the most",
      ranges: [most("1")],
      spec: of(aContainer({ limits: { cpu: "2" } })),
      why: "maximum cpu usage per Container is 1, but limit is 2",
    },
    {
      name: "a request below the least",
      ranges: [ofContainers({ min: { memory: "128Mi" } })],
      spec: of(aContainer({ requests: { memory: "64Mi" } })),
      why: "minimum memory usage per Container is 128Mi, but request is 64Mi",
    },
    {
      name: "a limit that is too many times the request",
      ranges: [ofContainers(ratio)],
      spec: of(aContainer({ ...requests("250m"), limits: { cpu: "1" } })),
      why: "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
    },
    {
      name: "a ratio without a request",
      ranges: [ofContainers(ratio)],
      spec: of(aContainer()),
      why: "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
    },
    {
      name: "a ratio without a limit",
      ranges: [ofContainers(ratio)],
      spec: of(aContainer(requests("1"))),
      why: "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0",
    },
    {
      name: "an init container as others",
      ranges: [most("1")],
      spec: { ...of(aContainer()), initContainers: [aContainer({ limits: { cpu: "3" } }, "init")] },
      why: "maximum cpu usage per Container is 1, but limit is 3",
    },
    {
      name: "for every reason, each once",
      ranges: [ofContainers({ max: { cpu: "1", memory: "1Gi" } })],
      spec: of(
        aContainer({ limits: { cpu: "2", memory: "2Gi" } }, "a"),
        aContainer({ limits: { cpu: "2" } }, "b"),
      ),
      why: "[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]",
    },
    {
      name: "in the words of the first that does",
      ranges: [most("3"), most("2"), most("1")],
      spec: of(aContainer({ limits: { cpu: "4" } })),
      why: "maximum cpu usage per Container is 3, but limit is 4",
    },
    {
      name: "a pod whose containers are limited to too much together",
      ranges: [ofPods({ max: { cpu: "1" } })],
      spec: of(
        aContainer({ limits: { cpu: "600m" } }, "a"),
        aContainer({ limits: { cpu: "600m" } }, "b"),
      ),
      why: "maximum cpu usage per Pod is 1, but limit is 1200m",
    },
    {
      name: "a pod that is limited to nothing",
      ranges: [ofPods({ max: { cpu: "1" } })],
      spec: of(aContainer(requests("1"))),
      why: "maximum cpu usage per Pod is 1.  No limit is specified",
    },
    {
      name: "a pod that requests nothing",
      ranges: [ofPods({ min: { cpu: "1" } })],
      spec: of(aContainer()),
      why: "minimum cpu usage per Pod is 1.  No request is specified",
    },
    {
      name: "a pod that requests too little",
      ranges: [ofPods({ min: { cpu: "1" } })],
      spec: of(aContainer(requests("300m"), "a"), aContainer(requests("300m"), "b")),
      why: "minimum cpu usage per Pod is 1, but request is 600m",
    },
    {
      name: "a pod whose init container needs too much",
      ranges: [ofPods({ max: { cpu: "1" } })],
      spec: {
        ...of(aContainer({ limits: { cpu: "100m" } })),
        initContainers: [aContainer({ limits: { cpu: "2" } }, "init")],
      },
      why: "maximum cpu usage per Pod is 1, but limit is 2",
    },
    {
      name: "a pod whose sidecar counts beside the rest",
      ranges: [ofPods({ max: { cpu: "1" } })],
      spec: {
        ...of(aContainer({ limits: { cpu: "800m" } })),
        initContainers: [
          aContainer({ limits: { cpu: "400m" } }, "side", { restartPolicy: "Always" }),
        ],
      },
      why: "maximum cpu usage per Pod is 1, but limit is 1200m",
    },
    {
      name: "a pod whose ratio is too large",
      ranges: [ofPods(ratio)],
      spec: of(
        aContainer({ ...requests("100m"), limits: { cpu: "1" } }, "a"),
        aContainer({ ...requests("100m"), limits: { cpu: "100m" } }, "b"),
      ),
      why: "cpu max limit to request ratio per Pod is 2, but provided ratio is 5.500000",
    },
  ])("$name", ({ ranges, spec, why }) => {
    const refusal = refusalOf(() => limited(...ranges).createPod(spec));
    expect(refusal.message).toBe(`pods "web" is forbidden: ${why}`);
    expect(refusal.toStatus()).toMatchObject({ code: 403, reason: "Forbidden" });
  });

  test.each<Given>([
    {
      name: "what is as much as it may be, written otherwise",
      ranges: [ofContainers({ min: { cpu: "1000m" }, max: { cpu: "1" } })],
      spec: of(aContainer({ requests: { cpu: "1" }, limits: { cpu: "1.0" } })),
    },
    {
      name: "a ratio that is exact, though not in floating point",
      ranges: [ofContainers({ maxLimitRequestRatio: { cpu: "11" } })],
      spec: of(aContainer({ requests: { cpu: "100m" }, limits: { cpu: "1100m" } })),
    },
    {
      name: "containers that together are within the limits of the pod",
      ranges: [ofPods({ min: { cpu: "1" }, max: { cpu: "1" } })],
      spec: of(
        aContainer({ limits: { cpu: "400m" } }, "a"),
        aContainer({ limits: { cpu: "600m" } }, "b"),
      ),
    },
    {
      name: "a pod for the limits of claims",
      ranges: [[{ type: "PersistentVolumeClaim", max: { storage: "1Gi" } }]],
      spec: of(aContainer()),
    },
  ])("not $name", ({ ranges, spec }) => {
    expect(limited(...ranges).createPod(spec).ops).not.toEqual([]);
  });

  test("no pod that is there already", () => {
    const { createPod, commit, context, view } = limited();
    commit(createPod(of(aContainer({ limits: { cpu: "2" } }))).ops);
    const metadata = { name: "late", namespace: "team" };
    commit(admitCreate(limitRange, { metadata, spec: { limits: most("1") } }, context).ops);
    const before = view.get(pod, "team", "web") ?? expect.unreachable("the pod is there");
    const labelled = { ...before, metadata: { ...before.metadata, labels: { a: "b" } } };
    expect(admitUpdate(pod, before, labelled, context)?.object.metadata.labels).toEqual({ a: "b" });
  });
});

describe("a LimitRange of claims", () => {
  const aClaim = (storage: string) => ({
    metadata: { name: "data", namespace: "team" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
  });
  const range = [
    { type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "2Gi" } },
  ];

  test.each([
    { storage: "1Gi", why: undefined },
    { storage: "2Gi", why: undefined },
    {
      storage: "512Mi",
      why: "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 512Mi",
    },
    {
      storage: "3Gi",
      why: "maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi",
    },
  ])("judges one of $storage", ({ storage, why }) => {
    const { context } = limited(range);
    const create = () => admitCreate(persistentVolumeClaim, aClaim(storage), context);
    if (why === undefined) expect(create().ops).not.toEqual([]);
    else {
      expect(refusalOf(create).message).toBe(`persistentvolumeclaims "data" is forbidden: ${why}`);
    }
  });

  test("judges another amount, and no other change", () => {
    const { context, commit, view } = limited();
    commit(admitCreate(persistentVolumeClaim, aClaim("3Gi"), context).ops);
    const metadata = { name: "late", namespace: "team" };
    commit(admitCreate(limitRange, { metadata, spec: { limits: range } }, context).ops);
    const before = view.get(persistentVolumeClaim, "team", "data") ?? expect.unreachable("there");
    const labelled = { ...before, metadata: { ...before.metadata, labels: { a: "b" } } };
    expect(admitUpdate(persistentVolumeClaim, before, labelled, context)).toBeDefined();
    const larger = { ...before, spec: aClaim("4Gi").spec };
    const grow = () => admitUpdate(persistentVolumeClaim, before, larger, context);
    expect(refusalOf(grow).message).toContain("but request is 4Gi");
  });
});

test("what is filled in is charged to the quota of the namespace", () => {
  const { context, commit, view, createPod } = limited(ofContainers({ default: { cpu: "600m" } }));
  const metadata = { name: "quota", namespace: "team" };
  const hard = { "requests.cpu": "1", "limits.cpu": "1" };
  const quota = admitCreate(resourceQuota, { metadata, spec: { hard } }, context);
  commit(quota.ops);
  const made = view.get(resourceQuota, "team", "quota") ?? expect.unreachable("the quota is there");
  const used = { "requests.cpu": "0", "limits.cpu": "0" };
  commit(admitStatus(resourceQuota, made, { hard, used }, context)?.ops ?? []);
  commit(chargedOps(createPod(of(aContainer())).ops, view));
  expect(view.get(resourceQuota, "team", "quota")?.status?.used).toEqual({
    "requests.cpu": "600m",
    "limits.cpu": "600m",
  });
  const second = { metadata: { name: "two", namespace: "team" }, spec: of(aContainer()) };
  const refusal = refusalOf(() => chargedOps(admitCreate(pod, second, context).ops, view));
  expect(refusal.message).toContain("exceeded quota: quota, requested: limits.cpu=600m");
});

describe("whatever a container says", () => {
  const amount = fc.integer({ min: 0, max: 20 }).map((tenths) => `${tenths * 100}m`);
  const [maybe, isAtMost] = [
    fc.option(amount, { nil: undefined }),
    (a: string | undefined, b: string | undefined) =>
      a === undefined || b === undefined || compareQuantities(a, b) <= 0,
  ];
  const cases = fc
    .record({ min: maybe, max: maybe, request: maybe, limit: maybe })
    .filter(({ min, max, request, limit }) => isAtMost(min, max) && isAtMost(request, limit));

  test("it is let in with that, and within the limits, or refused for good reason", () => {
    fc.assert(
      fc.property(cases, ({ min, max, request, limit }) => {
        const { createPod } = limited(
          ofContainers({ ...(min && { min: { cpu: min } }), ...(max && { max: { cpu: max } }) }),
        );
        const asked = {
          ...(request && { requests: { cpu: request } }),
          ...(limit && { limits: { cpu: limit } }),
        };
        const create = () => resourcesIn(createPod(of(aContainer(asked))).object)["app"];
        const [least, most] = [request ?? limit, limit ?? request];
        if (!isAtMost(min, least) || !isAtMost(most, max)) {
          expect(["Forbidden", "Invalid"]).toContain(refusalOf(create).reason);
          return;
        }
        const made = create();
        const [gotRequest, gotLimit] = [made?.requests?.["cpu"], made?.limits?.["cpu"]];
        expect(gotRequest).toBe(canonical(request ?? limit ?? max ?? min));
        expect(gotLimit).toBe(canonical(limit ?? max));
      }),
    );
  });
});

const canonical = (amount: string | undefined) => amount && canonicalQuantity(amount);
