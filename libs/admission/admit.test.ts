import { describe, expect, test } from "vitest";
import { settingsFromEnvironment } from "../cluster/settings.ts";
import { writableView } from "../cluster/view-of.ts";
import type { Kind, ObjectOf } from "../model/kind.ts";
import { ipAddress } from "../model/kinds/ipaddress.ts";
import { job } from "../model/kinds/job.ts";
import { namespace } from "../model/kinds/namespace.ts";
import { node } from "../model/kinds/node.ts";
import { pod } from "../model/kinds/pod.ts";
import { service } from "../model/kinds/service.ts";
import { serviceAccount } from "../model/kinds/serviceaccount.ts";
import { seededRandom } from "../telemetry/seeded-random.ts";
import {
  admitBind,
  admitCreate,
  admitDelete,
  admitReport,
  admitStatus,
  admitUpdate,
} from "./admit.ts";
import { refusalOf } from "./refusal-fixture.ts";

const now = Date.UTC(2026, 0, 1);
const settings = settingsFromEnvironment.parse({});

/** A cluster with the namespace `default`, and the short way to write to it. */
function cluster() {
  const store = writableView();
  const { view } = store;
  const commit = (ops: Parameters<typeof store.commit>[0]) => store.commit(ops);
  const context = { view, now, random: seededRandom(1), settings };
  const create = <K extends Kind>(kind: K, input: unknown): ObjectOf<K> => {
    const admitted = admitCreate(kind, input, context);
    commit(admitted.ops);
    return admitted.object;
  };
  create(namespace, { metadata: { name: "default" } });
  const keys = (ops: readonly { readonly key: string; readonly op: string }[]) =>
    ops.map(({ key, op }) => `${op} ${key}`);
  return { view, commit, context, create, keys };
}

const aPod = (name = "web", metadata: object = {}) => ({
  metadata: { name, namespace: "default", ...metadata },
  spec: { containers: [{ name: "app", image: "app:1" }] },
});
const aService = (spec: object = {}) => ({
  metadata: { name: "web", namespace: "default" },
  spec: { ports: [{ port: 80 }], ...spec },
});

describe("a create", () => {
  test("fills in identity and times, and drops what is not the user's to say", () => {
    const { context } = cluster();
    const input = aPod("web", {
      resourceVersion: "7",
      uid: "mine",
      deletionTimestamp: "2020-01-01T00:00:00Z",
    });
    const { object } = admitCreate(pod, { ...input, status: { phase: "Running" } }, context);
    expect(object.metadata).toMatchObject({ creationTimestamp: "2026-01-01T00:00:00Z" });
    expect(object.metadata.uid).not.toBe("mine");
    expect(object.metadata.deletionTimestamp).toBeUndefined();
    expect(object.status).toEqual({ phase: "Pending" });
  });

  test("of a pod needs the account that it names; the default one comes by itself", () => {
    const { context, create } = cluster();
    expect(admitCreate(pod, aPod(), context).object.spec.serviceAccountName).toBe("default");
    const robot = { ...aPod(), spec: { ...aPod().spec, serviceAccountName: "robot" } };
    const refused = refusalOf(() => admitCreate(pod, robot, context));
    expect([refused.code, refused.message]).toEqual([
      403,
      'pods "web" is forbidden: error looking up service account default/robot: serviceaccount "robot" not found',
    ]);
    create(serviceAccount, { metadata: { name: "robot", namespace: "default" } });
    expect(admitCreate(pod, robot, context).object.spec.serviceAccount).toBe("robot");
  });

  test("is refused above 1.5 MiB, whatever the object was made from", () => {
    const { context } = cluster();
    const args = Array.from({ length: 16 }, () => "x".repeat(100_000));
    const large = { ...aPod(), spec: { containers: [{ name: "app", image: "app:1", args }] } };
    const { reason, code } = refusalOf(() => admitCreate(pod, large, context));
    expect({ reason, code }).toEqual({ reason: "RequestEntityTooLarge", code: 413 });
  });

  test("makes a name from generateName", () => {
    const { context } = cluster();
    const input = { ...aPod(), metadata: { generateName: "web-", namespace: "default" } };
    expect(admitCreate(pod, input, context).object.metadata.name).toMatch(/^web-[a-z0-9]{5}$/);
  });

  test("is refused where there is no namespace, or one that ends", () => {
    const { view, commit, context } = cluster();
    const elsewhere = { ...aPod(), metadata: { name: "web", namespace: "elsewhere" } };
    expect(refusalOf(() => admitCreate(pod, elsewhere, context))).toMatchObject({
      reason: "NotFound",
      details: { name: "elsewhere", kind: "namespaces" },
    });
    const home = view.get(namespace, undefined, "default");
    if (home === undefined) throw new Error("it was made above");
    commit(admitDelete(namespace, home, {}, context)?.ops ?? []);
    const late = refusalOf(() => admitCreate(pod, aPod(), context));
    expect(late.details.causes).toMatchObject([{ reason: "NamespaceTerminating" }]);
  });

  test("of a name that is taken is refused", () => {
    const { context, create } = cluster();
    create(pod, aPod());
    expect(refusalOf(() => admitCreate(pod, aPod(), context)).reason).toBe("AlreadyExists");
  });

  test("lets a pod stay on a lost node for the cluster's time, unless it says otherwise", () => {
    const { create } = cluster();
    const spec = {
      ...aPod().spec,
      tolerations: [{ key: "node.kubernetes.io/not-ready", operator: "Exists" }],
    };
    expect(create(pod, { ...aPod(), spec }).spec.tolerations).toMatchObject([
      { key: "node.kubernetes.io/not-ready" },
      { key: "node.kubernetes.io/unreachable", tolerationSeconds: settings.tolerationSeconds },
    ]);
  });
});

describe("a Service", () => {
  test("gets an address and node ports, each a key of its own (O4)", () => {
    const { context, keys } = cluster();
    const { object, ops } = admitCreate(service, aService({ type: "NodePort" }), context);
    const port = object.spec.ports?.[0]?.nodePort;
    expect(object.spec.clusterIP).toMatch(/^10\.96\./);
    expect(keys(ops)).toEqual([
      "put services.default.web",
      `put ipaddresses/networking/k8s/io._.${object.spec.clusterIP?.replaceAll(".", "/")}`,
      `put alloc.node-port.${port}`,
    ]);
  });

  test("keeps them when it is applied again without them, and frees them with it", () => {
    const { view, commit, context, create, keys } = cluster();
    const made = create(service, aService({ type: "NodePort" }));
    const held = view.get(service, "default", "web");
    if (held === undefined) throw new Error("it was made above");
    expect(admitUpdate(service, held, aService({ type: "NodePort" }), context)).toBeUndefined();
    const plain = admitUpdate(service, held, aService({ type: "ClusterIP" }), context);
    expect(keys(plain?.ops ?? [])).toContain(
      `delete alloc.node-port.${made.spec.ports?.[0]?.nodePort}`,
    );
    commit(admitDelete(service, held, {}, context)?.ops ?? []);
    expect([...view.raw.scan("alloc.")]).toEqual([]);
    expect(view.list(ipAddress)).toEqual([]);
  });

  test("is refused a port that another has", () => {
    const { context, create } = cluster();
    create(service, aService({ type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }] }));
    const other = aService({ type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }] });
    other.metadata.name = "other";
    expect(refusalOf(() => admitCreate(service, other, context)).details.causes).toMatchObject([
      { field: "spec.ports[0].nodePort" },
    ]);
  });
});

describe("a bind", () => {
  test("writes the pod, its assignment and the node's load (B1)", () => {
    const { context, create, keys, view } = cluster();
    create(node, { metadata: { name: "n1" } });
    create(pod, aPod());
    const pending = view.get(pod, "default", "web");
    if (pending === undefined) throw new Error("it was made above");
    expect(keys(admitBind(pod, pending, "n1", context).ops)).toEqual([
      "put pods.default.web",
      "put assign.n1.default.web",
      "put load.n1",
    ]);
  });

  test("of two schedulers' only one commits", () => {
    const { commit, context, create, view } = cluster();
    create(node, { metadata: { name: "n1" } });
    create(pod, aPod("a"));
    create(pod, aPod("b"));
    const [a, b] = [view.get(pod, "default", "a"), view.get(pod, "default", "b")];
    if (a === undefined || b === undefined) throw new Error("both were made above");
    const [first, second] = [admitBind(pod, a, "n1", context), admitBind(pod, b, "n1", context)];
    commit(first.ops);
    expect(() => commit(second.ops)).toThrow("load.n1 has moved");
  });
});

describe("a bound pod", () => {
  function bound() {
    const all = cluster();
    all.create(node, { metadata: { name: "n1" } });
    all.create(pod, aPod());
    const read = () => all.view.get(pod, "default", "web") ?? expect.unreachable();
    all.commit(admitBind(pod, read(), "n1", all.context).ops);
    return { ...all, read };
  }

  test("reports its status by one key, and its assignment does not change (S10, N2)", () => {
    const { context, keys, read } = bound();
    const said = { status: { phase: "Running" }, report: "b1/1" };
    expect(keys(admitReport(pod, read(), said, context)?.ops ?? [])).toEqual([
      "put pods.default.web",
    ]);
  });

  test("is marked as ending, in its assignment too, and waits for its agent (O6)", () => {
    const { context, keys, read } = bound();
    const admitted = admitDelete(pod, read(), {}, context);
    expect(keys(admitted?.ops ?? [])).toEqual([
      "put pods.default.web",
      "put assign.n1.default.web",
    ]);
    expect(admitted?.object.metadata).toMatchObject({
      deletionTimestamp: "2026-01-01T00:00:30Z",
      deletionGracePeriodSeconds: 30,
    });
  });

  test("goes at once with grace 0", () => {
    const { context, keys, read } = bound();
    expect(keys(admitDelete(pod, read(), { gracePeriodSeconds: 0 }, context)?.ops ?? [])).toEqual([
      "delete pods.default.web",
      "delete assign.n1.default.web",
    ]);
  });

  test("ends no later when it is deleted again, and sooner when asked", () => {
    const { commit, context, read } = bound();
    commit(admitDelete(pod, read(), {}, context)?.ops ?? []);
    expect(admitDelete(pod, read(), { gracePeriodSeconds: 60 }, context)).toBeUndefined();
    const sooner = admitDelete(pod, read(), { gracePeriodSeconds: 5 }, context);
    expect(sooner?.object.metadata.deletionTimestamp).toBe("2026-01-01T00:00:05Z");
  });
});

describe("a pod that ends", () => {
  test("is told to its node, which starts it no more (O2)", () => {
    const { commit, context, create, keys, view } = cluster();
    create(node, { metadata: { name: "n1" } });
    create(pod, aPod());
    const read = () => view.get(pod, "default", "web") ?? expect.unreachable();
    commit(admitBind(pod, read(), "n1", context).ops);
    const said = { status: { phase: "Succeeded" }, report: "b1/1" };
    const { ops } = admitReport(pod, read(), said, context) ?? expect.unreachable();
    expect(keys(ops)).toEqual(["put pods.default.web", "put assign.n1.default.web"]);
    commit(ops);
    const assigned = view.raw.get("assign.n1.default.web")?.value;
    expect(assigned).toMatchObject({ phase: "Succeeded" });
  });
});

describe("a pod that a finalizer holds", () => {
  const finalizers = ["example.dev/hold"];
  function held(spec: object = {}) {
    const all = cluster();
    const { metadata, spec: own } = aPod("web", { finalizers });
    all.create(pod, { metadata, spec: { ...own, ...spec } });
    const read = () => all.view.get(pod, "default", "web") ?? expect.unreachable();
    const free = () => {
      const before = read();
      const freed = { ...before, metadata: { ...before.metadata, finalizers: [] } };
      return all.keys(admitUpdate(pod, before, freed, all.context)?.ops ?? []);
    };
    return { ...all, read, free };
  }

  test("goes with its finalizer when it was never bound", () => {
    const { commit, context, read, free } = held();
    commit(admitDelete(pod, read(), {}, context)?.ops ?? []);
    expect(read().metadata.deletionTimestamp).toBeDefined();
    expect(free()).toEqual(["delete pods.default.web"]);
  });

  test("waits for its agent when it is bound (O6), unless it was deleted with a grace of 0", () => {
    const { commit, context, create, read, free } = held();
    create(node, { metadata: { name: "n1" } });
    commit(admitBind(pod, read(), "n1", context).ops);
    commit(admitDelete(pod, read(), {}, context)?.ops ?? []);
    expect(free()).toEqual(["put pods.default.web"]);
    commit(admitDelete(pod, read(), { gracePeriodSeconds: 0 }, context)?.ops ?? []);
    expect(free()).toEqual(["delete pods.default.web", "delete assign.n1.default.web"]);
  });

  test("can be released by its deletion, and told why it is made to go", () => {
    const { commit, context, create, read } = held();
    create(node, { metadata: { name: "n1" } });
    commit(admitBind(pod, read(), "n1", context).ops);
    const disruption = { reason: "Because", message: "It must." };
    const options = { released: finalizers, disruption };
    const marked = admitDelete(pod, read(), options, context)?.object;
    expect(marked?.metadata).not.toHaveProperty("finalizers");
    expect(marked?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: "DisruptionTarget", status: "True", reason: "Because" }),
    );
  });
});

describe("a Job", () => {
  const aJob = (spec: object = {}, name = "work") => ({
    metadata: { name, namespace: "default" },
    spec: { template: { spec: { ...aPod().spec, restartPolicy: "Never" } }, ...spec },
  });

  test("selects its own pods by its uid", () => {
    const { create } = cluster();
    const { metadata, spec } = create(job, aJob());
    const selector = { matchLabels: { "batch.kubernetes.io/controller-uid": metadata.uid } };
    expect(spec.selector).toEqual(selector);
    expect(spec.template.metadata.labels).toMatchObject({
      "job-name": "work",
      ...selector.matchLabels,
    });
  });

  test.each<[string, object, string]>([
    ["another's selector", aJob({ selector: { matchLabels: { a: "b" } } }), "spec.selector"],
    [
      "another's label",
      aJob({
        template: {
          metadata: { labels: { "controller-uid": "other" } },
          spec: { ...aPod().spec, restartPolicy: "Never" },
        },
      }),
      "spec.template.metadata.labels[controller-uid]",
    ],
    ["a name that is no label", aJob({}, "a".repeat(64)), "spec.template.labels"],
  ])("is refused for %s", (_name, input, field) => {
    const { context } = cluster();
    const { details } = refusalOf(() => admitCreate(job, input, context));
    expect(details.causes?.map((cause) => cause.field)).toEqual([field]);
  });

  test("keeps the selector that it has", () => {
    const { context, create, view } = cluster();
    create(job, aJob());
    const before = view.get(job, "default", "work") ?? expect.unreachable();
    expect(refusalOf(() => admitUpdate(job, before, aJob(), context)).reason).toBe("Invalid");
    const spec = { ...before.spec, parallelism: 2 };
    expect(admitUpdate(job, before, { ...before, spec }, context)?.object.spec).toMatchObject({
      selector: before.spec.selector,
      parallelism: 2,
    });
  });
});

describe("an update", () => {
  test("raises the generation with the spec only, and never touches the status", () => {
    const { context, create, view } = cluster();
    create(node, { metadata: { name: "n1" } });
    const before = view.get(node, undefined, "n1") ?? expect.unreachable();
    const labelled = { ...before, metadata: { ...before.metadata, labels: { a: "b" } } };
    const cordoned = { ...before, spec: { unschedulable: true }, status: { phase: "Gone" } };
    expect(admitUpdate(node, before, labelled, context)?.object.metadata.generation).toBe(1);
    const changed = admitUpdate(node, before, { ...cordoned, status: {} }, context);
    expect(changed?.object.metadata.generation).toBe(2);
    expect(changed?.object.status).toEqual(before.status);
  });

  test("of what decides what fits on a node writes its load (B1)", () => {
    const { context, create, keys, view } = cluster();
    create(node, { metadata: { name: "n1" } });
    const before = view.get(node, undefined, "n1") ?? expect.unreachable();
    const cordoned = admitUpdate(
      node,
      before,
      { ...before, spec: { unschedulable: true } },
      context,
    );
    expect(keys(cordoned?.ops ?? [])).toEqual(["put nodes._.n1", "put load.n1"]);
    const status = { ...before.status, allocatable: { cpu: "2" } };
    expect(keys(admitStatus(node, before, status, context)?.ops ?? [])).toContain("put load.n1");
  });

  test("that takes the last finalizer of an ending object away removes it", () => {
    const { commit, context, create, view, keys } = cluster();
    create(service, {
      ...aService(),
      metadata: { name: "web", namespace: "default", finalizers: ["a.dev/x"] },
    });
    const read = () => view.get(service, "default", "web") ?? expect.unreachable();
    commit(admitDelete(service, read(), {}, context)?.ops ?? []);
    const ending = read();
    expect(ending.metadata.deletionTimestamp).toBeDefined();
    const freed = { ...ending, metadata: { ...ending.metadata, finalizers: [] } };
    expect(keys(admitUpdate(service, ending, freed, context)?.ops ?? [])).toContain(
      "delete services.default.web",
    );
  });
});
