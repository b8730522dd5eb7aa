/** Who manages what after the writes of controllers, nodes and the scheduler. */
import { describe, expect, test } from "vitest";
import { settingsFromEnvironment } from "../cluster/settings.ts";
import { writableView } from "../cluster/view-of.ts";
import { shownPaths } from "../model/fields/field-set.ts";
import { decodeManaged } from "../model/fields/managed.ts";
import type { Kind, ObjectOf } from "../model/kind.ts";
import { deployment } from "../model/kinds/deployment.ts";
import { namespace } from "../model/kinds/namespace.ts";
import { pod } from "../model/kinds/pod.ts";
import { seededRandom } from "../telemetry/seeded-random.ts";
import {
  admitBind,
  admitCreate,
  admitDelete,
  admitReport,
  admitStatus,
  admitUpdate,
} from "./admit.ts";
import type { AdmissionContext } from "./context.ts";

const settings = settingsFromEnvironment.parse({});
const user = (kind: Kind, manager = "user") => ({
  manager,
  kind,
  subresource: "",
  sent: undefined,
});

function cluster() {
  const store = writableView();
  const { view } = store;
  const now = Date.UTC(2026, 0, 1);
  const controllers: AdmissionContext = { view, now, random: seededRandom(1), settings };
  const create = <K extends Kind>(
    kind: K,
    input: unknown,
    context: AdmissionContext,
  ): ObjectOf<K> => {
    const { object, ops } = admitCreate(kind, input, context);
    store.commit(ops);
    const { metadata } = object as { readonly metadata: { name: string; namespace?: string } };
    return view.get(kind, metadata.namespace, metadata.name) as ObjectOf<K>;
  };
  create(namespace, { metadata: { name: "default" } }, controllers);
  return { view, controllers, create };
}

const metadata = { name: "web", namespace: "default", labels: { app: "web" } };
const podSpec = { containers: [{ name: "app", image: "app:1" }] };
const aPod = { metadata, spec: podSpec };
const aDeployment = {
  metadata,
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: podSpec },
  },
};

/** Manager → its paths. */
function owners(object: unknown): Record<string, readonly string[]> {
  const { managedFields } = (object as { readonly metadata: { readonly managedFields?: unknown } })
    .metadata;
  const managed = decodeManaged(managedFields) ?? new Map();
  return Object.fromEntries(
    [...managed.values()].map(({ manager, set }) => [manager.name, shownPaths(set)]),
  );
}

describe("a controller", () => {
  test("takes what it changes of an object whose fields somebody manages", () => {
    const { create, controllers } = cluster();
    const before = create(deployment, aDeployment, { ...controllers, writer: user(deployment) });
    expect(owners(before)["user"]).toContain(".spec.replicas");
    const spec = { ...before.spec, replicas: 5 };
    const after = admitUpdate(deployment, before, { ...before, spec }, controllers)?.object;
    expect(owners(after)).toMatchObject({ "berth-controllers": [".spec.replicas"] });
    expect(owners(after)["user"]).not.toContain(".spec.replicas");
    expect(owners(after)["user"]).toContain(".spec.selector");
  });

  test("leaves nobody with what it removes", () => {
    const { create, controllers } = cluster();
    const held = { ...aDeployment, metadata: { ...metadata, finalizers: ["x.dev/a", "x.dev/b"] } };
    const before = create(deployment, held, { ...controllers, writer: user(deployment) });
    const freed = { ...before, metadata: { ...before.metadata, finalizers: ["x.dev/b"] } };
    const after = admitUpdate(deployment, before, freed, controllers)?.object;
    const finalizers = owners(after)["user"]?.filter((path) => path.includes("finalizers"));
    expect(finalizers).toEqual([".metadata.finalizers", '.metadata.finalizers[="x.dev/b"]']);
    expect(Object.keys(owners(after))).toEqual(["user"]);
  });

  test("keeps the entries when it builds the metadata anew", () => {
    const { create, controllers } = cluster();
    const before = create(deployment, aDeployment, { ...controllers, writer: user(deployment) });
    const bare = { metadata, spec: before.spec };
    expect(admitUpdate(deployment, before, bare, controllers)).toBeUndefined();
    const labelled = { ...bare, metadata: { ...metadata, labels: { app: "web", a: "b" } } };
    const after = admitUpdate(deployment, before, labelled, controllers)?.object;
    expect(owners(after)).toMatchObject({ "berth-controllers": [".metadata.labels.a"] });
  });

  test("manages nothing that it makes, nor changes of it", () => {
    const { create, controllers } = cluster();
    const before = create(deployment, aDeployment, controllers);
    const spec = { ...before.spec, replicas: 5 };
    const after = admitUpdate(deployment, before, { ...before, spec }, controllers)?.object;
    expect([before, after].map((one) => one?.metadata.managedFields)).toEqual([
      undefined,
      undefined,
    ]);
  });

  test("of a status, a bind, a report and a deletion leave all as it is", () => {
    const { create, controllers } = cluster();
    const before = create(pod, aPod, { ...controllers, writer: user(pod) });
    const { managedFields } = before.metadata;
    const status = { phase: "Running" };
    const writes = [
      admitStatus(pod, before, status, controllers),
      admitReport(pod, before, { status, report: "1/1" }, controllers),
      admitBind(pod, before, "n1", controllers),
      admitDelete(pod, before, { propagationPolicy: "Foreground" }, controllers),
    ];
    for (const write of writes) expect(write?.object.metadata.managedFields).toBe(managedFields);
  });

  test("of a deletion raises the generation for that alone", () => {
    const { create, controllers } = cluster();
    const before = create(deployment, aDeployment, { ...controllers, writer: user(deployment) });
    const writer = { ...user(deployment), sent: [] };
    const after = admitUpdate(deployment, before, before, { ...controllers, writer })?.object;
    expect(after?.metadata).toMatchObject({ generation: 1 });
    expect(after?.metadata.managedFields).toBeUndefined();
  });
});
