import { describe, expect, test } from "vitest";
import { settingsFromEnvironment } from "../cluster/settings.ts";
import { writableView } from "../cluster/view-of.ts";
import { causesOf } from "../model/causes-fixture.ts";
import { limitRange } from "../model/kinds/limitrange.ts";
import { namespace } from "../model/kinds/namespace.ts";
import { pod, type Pod } from "../model/kinds/pod.ts";
import { resourceQuota } from "../model/kinds/resourcequota.ts";
import { allocatedAnnotation, allocatedSpec } from "../model/pod/allocated.ts";
import type { Op } from "../store/store.ts";
import { seededRandom } from "../telemetry/seeded-random.ts";
import { admitBind, admitCreate, admitStatus, admitUpdate } from "./admit.ts";
import { admitGrowth } from "./admit-growth.ts";
import { admitPodPart } from "./admit-part.ts";
import { chargedOps } from "./quota/ledger.ts";
import { refusalOf } from "./refusal-fixture.ts";

/** A namespace, and a pod in it that is on node n1. */
function cluster(spec: object = {}, annotations: Record<string, string> = {}) {
  const store = writableView();
  const { view } = store;
  const settings = settingsFromEnvironment.parse({});
  const context = { view, now: Date.UTC(2026, 0, 1), random: seededRandom(1), settings };
  const commit = (ops: readonly Op[]) => store.commit(ops);
  commit(admitCreate(namespace, { metadata: { name: "default" } }, context).ops);
  const metadata = { name: "web", namespace: "default", annotations };
  const input = { metadata, spec: { containers: [app], ...spec } };
  commit(admitCreate(pod, input, context).ops);
  const web = (): Pod => view.get(pod, "default", "web") ?? expect.unreachable();
  commit(admitBind(pod, web(), "n1", context).ops);
  const change = (part: "ephemeralcontainers" | "resize", of: object) => {
    const before = web();
    return admitPodPart(part, before, { ...before, spec: { ...before.spec, ...of } }, context);
  };
  return { view, context, commit, web, change };
}

const app = { name: "app", image: "app:1" };
const debug = { name: "debug", image: "box:1" };
const keys = (ops: readonly Op[] = []) => ops.map(({ op, key }) => `${op} ${key}`);

describe("ephemeral containers", () => {
  test("are added, and told to the node of the pod", () => {
    const { change } = cluster();
    const added = change("ephemeralcontainers", {
      ephemeralContainers: [{ ...debug, stdin: true, tty: true, targetContainerName: "app" }],
    });
    expect(added?.object.spec.ephemeralContainers).toEqual([
      expect.objectContaining({
        name: "debug",
        imagePullPolicy: "IfNotPresent",
        terminationMessagePath: "/dev/termination-log",
      }),
    ]);
    expect(added?.object.metadata.generation).toBe(2);
    expect(keys(added?.ops)).toEqual(["put pods.default.web", "put assign.n1.default.web"]);
  });

  test("are all that such a write changes", () => {
    const { change, web, context } = cluster();
    expect(change("ephemeralcontainers", { containers: [], priority: 7 })).toBeUndefined();
    const input = { metadata: { labels: { a: "b" } }, status: { phase: "Failed" } };
    expect(admitPodPart("ephemeralcontainers", web(), input, context)).toBeUndefined();
  });

  const refusals: readonly [string, object, string][] = [
    ["ports", { ports: [{ containerPort: 80 }] }, "ports: Forbidden"],
    ["a probe", { livenessProbe: { exec: { command: ["a"] } } }, "livenessProbe: Forbidden"],
    ["another", { readinessProbe: { exec: { command: ["a"] } } }, "readinessProbe: Forbidden"],
    ["a third", { startupProbe: { exec: { command: ["a"] } } }, "startupProbe: Forbidden"],
    ["hooks", { lifecycle: { preStop: { exec: { command: ["a"] } } } }, "lifecycle: Forbidden"],
    ["requests", { resources: { requests: { cpu: "1" } } }, "resources: Forbidden"],
    ["limits", { resources: { limits: { cpu: "1" } } }, "resources: Forbidden"],
    ["a restart policy", { restartPolicy: "Always" }, "restartPolicy: Forbidden"],
    [
      "a resize policy",
      { resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }] },
      "resizePolicy: Forbidden",
    ],
    [
      "a part of a volume",
      { volumeMounts: [{ name: "v", mountPath: "/v", subPath: "a" }] },
      "volumeMounts[0].subPath: Forbidden",
    ],
  ];
  test.each(refusals)("are refused %s", (_name, more, cause) => {
    const { change } = cluster({ volumes: [{ name: "v", emptyDir: {} }] });
    const ephemeralContainers = [{ ...debug, ...more }];
    expect(causesOf(() => change("ephemeralcontainers", { ephemeralContainers }))).toEqual([
      `spec.ephemeralContainers[0].${cause}: cannot be set for an Ephemeral Container`,
    ]);
  });

  test.each([
    [
      "a name that a container has",
      [{ ...debug, name: "app" }],
      'spec.ephemeralContainers[0].name: Duplicate value: "app"',
    ],
    [
      "a name twice",
      [debug, { ...debug, image: "box:2" }],
      'spec.ephemeralContainers[1].name: Duplicate value: "debug"',
    ],
    [
      "a target that is not there",
      [{ ...debug, targetContainerName: "other" }],
      'spec.ephemeralContainers[0].targetContainerName: Not found: "other"',
    ],
    [
      "a target that is ephemeral itself",
      [debug, { ...debug, name: "more", targetContainerName: "debug" }],
      'spec.ephemeralContainers[1].targetContainerName: Not found: "debug"',
    ],
    [
      "a volume that is not there",
      [{ ...debug, volumeMounts: [{ name: "v", mountPath: "/v" }] }],
      'spec.ephemeralContainers[0].volumeMounts[0].name: Not found: "v"',
    ],
  ])("are refused %s", (_name, ephemeralContainers, cause) => {
    const { change } = cluster();
    expect(causesOf(() => change("ephemeralcontainers", { ephemeralContainers }))).toEqual([cause]);
  });

  test.each([
    ["removed", []],
    ["changed", [{ ...debug, image: "box:2" }]],
  ])("are not %s again", (what, ephemeralContainers) => {
    const { change, commit } = cluster();
    commit(change("ephemeralcontainers", { ephemeralContainers: [debug] })?.ops ?? []);
    expect(causesOf(() => change("ephemeralcontainers", { ephemeralContainers }))).toEqual([
      `spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be ${what}\n`,
    ]);
  });

  test("come in any order", () => {
    const { change, commit } = cluster();
    commit(change("ephemeralcontainers", { ephemeralContainers: [debug] })?.ops ?? []);
    const ephemeralContainers = [{ ...debug, name: "more" }, debug];
    const added = change("ephemeralcontainers", { ephemeralContainers });
    expect(added?.object.spec.ephemeralContainers).toHaveLength(2);
  });

  test("are none of a new pod's, nor of a static one's", () => {
    expect(causesOf(() => cluster({ ephemeralContainers: [debug] }))).toEqual([
      "spec.ephemeralContainers: Forbidden: cannot be set on create",
    ]);
    const { change } = cluster({}, { "kubernetes.io/config.mirror": "x" });
    expect(causesOf(() => change("ephemeralcontainers", { ephemeralContainers: [debug] }))).toEqual(
      [": Forbidden: static pods do not support ephemeral containers"],
    );
  });
});

describe("a resize", () => {
  const size = (cpu: string, memory = "64Mi", limits?: object) => ({
    requests: { cpu, memory },
    ...(limits !== undefined && { limits }),
  });
  const sized = (resources: object, more: object = {}) => ({ ...app, resources, ...more });
  const small = { containers: [sized(size("1"))] };
  const grown = { containers: [sized(size("2"))] };

  test("that is smaller counts at once, and is told to the node", () => {
    const { change } = cluster(grown);
    const made = change("resize", small);
    expect(keys(made?.ops)).toEqual(["put pods.default.web", "put assign.n1.default.web"]);
    expect(assignedIn(made?.ops)).toMatchObject({ spec: small, generation: 2 });
    expect(made?.object.metadata).toMatchObject({ generation: 2 });
    expect(made?.object.metadata.annotations).not.toHaveProperty(allocatedAnnotation);
  });

  test("that only raises limits counts at once", () => {
    const { change } = cluster({ containers: [sized(size("1", "64Mi", { cpu: "2" }))] });
    const made = change("resize", { containers: [sized(size("1", "64Mi", { cpu: "3" }))] });
    expect(assignedIn(made?.ops)).toMatchObject({
      spec: { containers: [{ resources: { limits: { cpu: "3" } } }] },
    });
  });

  test("that is larger waits, and counts once it is granted, with the load of its node (B1)", () => {
    const { change, web, commit, context } = cluster(small);
    const made = change("resize", grown);
    expect(made?.object).toMatchObject({ spec: grown, metadata: { generation: 2 } });
    expect(keys(made?.ops)).toEqual(["put pods.default.web", "put assign.n1.default.web"]);
    expect(assignedIn(made?.ops)).toMatchObject({ spec: small, generation: 2, annotations: {} });
    commit(made?.ops ?? []);
    const granted = admitGrowth(web(), context);
    expect(keys(granted.ops)).toEqual([
      "put pods.default.web",
      "put assign.n1.default.web",
      "put load.n1",
    ]);
    expect(assignedIn(granted.ops)).toMatchObject({ spec: grown });
    expect(granted.object.metadata.annotations).not.toHaveProperty(allocatedAnnotation);
  });

  test("that waits is not lost in other writes, and nobody else says what the pod has", () => {
    const { change, web, commit, context, view } = cluster(small);
    commit(change("resize", grown)?.ops ?? []);
    const { [allocatedAnnotation]: held = "" } = web().metadata.annotations ?? {};
    const annotations = { [allocatedAnnotation]: "{}", more: "more" };
    const metadata = { ...web().metadata, annotations };
    const updated = admitUpdate(pod, web(), { ...web(), metadata }, context);
    expect(updated?.object.metadata.annotations).toEqual({
      [allocatedAnnotation]: held,
      more: "more",
    });
    commit(updated?.ops ?? []);
    expect(assignmentAt(view)).toMatchObject({ spec: small, annotations: { more: "more" } });
    const input = { metadata: { name: "new", namespace: "default", annotations }, spec: small };
    expect(admitCreate(pod, input, context).object.metadata.annotations).toEqual({ more: "more" });
  });

  test("of one that waits changes what it waits for, not what it has", () => {
    const { change, web, commit, context } = cluster(small);
    commit(change("resize", grown)?.ops ?? []);
    commit(change("resize", { containers: [sized(size("3"))] })?.ops ?? []);
    expect(web().spec.containers[0]?.resources.requests).toMatchObject({ cpu: "3" });
    expect(allocatedSpec(web())).toMatchObject(small);
    commit(change("resize", small)?.ops ?? []);
    expect(keys(admitGrowth(web(), context).ops)).toEqual(["put pods.default.web"]);
  });

  test("of a pod that is on no node is that of its spec", () => {
    const { context, commit, view } = cluster();
    const metadata = { name: "free", namespace: "default" };
    commit(admitCreate(pod, { metadata, spec: small }, context).ops);
    const free = view.get(pod, "default", "free") ?? expect.unreachable();
    const made = admitPodPart("resize", free, { ...free, spec: grown }, context);
    expect(made?.object).toMatchObject({ spec: grown });
    expect(keys(made?.ops)).toEqual(["put pods.default.free"]);
  });

  test("is all that such a write changes", () => {
    const { change } = cluster(small);
    const containers = [sized(size("1"), { image: "app:2" })];
    expect(change("resize", { containers, priority: 7 })).toBeUndefined();
  });

  test("keeps to the LimitRanges of the namespace", () => {
    const { change, commit, context } = cluster(small);
    const spec = { limits: [{ type: "Container", max: { cpu: "1500m" } }] };
    const metadata = { name: "most", namespace: "default" };
    commit(admitCreate(limitRange, { metadata, spec }, context).ops);
    const limits = { cpu: "2" };
    expect(
      refusalOf(() => change("resize", { containers: [sized(size("1", "64Mi", limits))] })).message,
    ).toBe('pods "web" is forbidden: maximum cpu usage per Container is 1500m, but limit is 2');
  });

  test("is charged to the quota of the namespace (O3), though it waits", () => {
    const { change, commit, context, view } = cluster(small);
    const metadata = { name: "team", namespace: "default" };
    const hard = { "requests.cpu": "1500m" };
    commit(admitCreate(resourceQuota, { metadata, spec: { hard } }, context).ops);
    const quota = view.get(resourceQuota, "default", "team") ?? expect.unreachable();
    const used = { "requests.cpu": "1" };
    commit(admitStatus(resourceQuota, quota, { hard, used }, context)?.ops ?? []);
    expect(() => chargedOps(change("resize", grown)?.ops ?? [], view)).toThrow(
      "exceeded quota: team, requested: requests.cpu=1, used: requests.cpu=1, limited: requests.cpu=1500m",
    );
  });

  const sidecar = { name: "side", image: "side:1", restartPolicy: "Always", resources: size("1") };
  const setup = { name: "setup", image: "setup:1", resources: size("1") };
  const whole = { ...small, initContainers: [setup, sidecar] };

  test("may be of a sidecar", () => {
    const { change } = cluster(whole);
    const initContainers = [setup, { ...sidecar, resources: size("500m") }];
    expect(change("resize", { initContainers })?.object.spec.initContainers).toMatchObject(
      initContainers,
    );
  });

  const guaranteed = { containers: [sized({ limits: { cpu: "1", memory: "64Mi" } })] };
  const refusals: readonly [string, object, object, string[]][] = [
    [
      "another QoS class",
      guaranteed,
      { containers: [sized(size("500m", "64Mi", { cpu: "1", memory: "64Mi" }))] },
      ['spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing'],
    ],
    [
      "less than there was: a request",
      small,
      { containers: [sized({ requests: { cpu: "1" } })] },
      ["spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed"],
    ],
    [
      "less than there was: a limit",
      { containers: [sized(size("1", "64Mi", { cpu: "2" }))] },
      small,
      ["spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed"],
    ],
    [
      "another resource",
      small,
      { containers: [sized({ requests: { ...size("1").requests, "ephemeral-storage": "1Gi" } })] },
      ["spec: Forbidden: only cpu and memory resources are mutable"],
    ],
    [
      "another policy",
      small,
      {
        containers: [
          sized(size("1"), {
            resizePolicy: [{ resourceName: "cpu", restartPolicy: "RestartContainer" }],
          }),
        ],
      },
      ["spec: Forbidden: only cpu and memory resources are mutable"],
    ],
    [
      "another resource of a sidecar",
      whole,
      {
        initContainers: [
          setup,
          { ...sidecar, resources: { requests: { ...size("1").requests, "x.y/z": "1" } } },
        ],
      },
      ["spec: Forbidden: only cpu and memory resources for sidecar containers are mutable"],
    ],
    [
      "that of an init container which ends",
      whole,
      { initContainers: [{ ...setup, resources: size("2") }, sidecar] },
      ["spec: Forbidden: resources for non-sidecar init containers are immutable"],
    ],
    [
      "another container",
      small,
      { containers: [sized(size("1"), { name: "other" })] },
      ["spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize"],
    ],
    [
      "more containers",
      small,
      { containers: [sized(size("1")), { ...debug, resources: size("1") }] },
      ["spec.containers: Forbidden: containers may not be added or removed on resize"],
    ],
    [
      "more than its limit",
      { containers: [sized(size("1", "64Mi", { cpu: "2" }))] },
      { containers: [sized(size("3", "64Mi", { cpu: "2" }))] },
      [
        'spec.containers[0].resources.requests: Invalid value: "3": must be less than or equal to cpu limit of 2',
      ],
    ],
    [
      "a pod of another system",
      { ...small, os: { name: "windows" } },
      grown,
      [": Forbidden: windows pods cannot be resized"],
    ],
    [
      "a pod with a size of its own",
      { ...small, resources: { requests: { cpu: "2" } } },
      grown,
      [": Forbidden: pods with pod-level resources cannot be resized"],
    ],
  ];
  test.each(refusals)("is refused %s", (_name, had, wanted, causes) => {
    const { change } = cluster(had);
    expect(causesOf(() => change("resize", wanted))).toEqual(causes);
  });

  test("is refused where the node does not tell sizes", () => {
    const { change, web, commit, context } = cluster(small);
    const containerStatuses = [{ name: "app", state: { running: {} } }];
    commit(admitStatus(pod, web(), { ...web().status, containerStatuses }, context)?.ops ?? []);
    expect(causesOf(() => change("resize", grown))).toEqual([
      "spec: Forbidden: Pod running on node without support for resize",
    ]);
  });

  /** What the node of the pod is told in a transaction. */
  function assignedIn(ops: readonly Op[] = []): unknown {
    const op = ops.find(({ key }) => key.startsWith("assign."));
    return op?.op === "put" ? JSON.parse(new TextDecoder().decode(op.value)) : undefined;
  }
  const assignmentAt = (view: ReturnType<typeof cluster>["view"]) =>
    view.raw.get("assign.n1.default.web")?.value;
});
