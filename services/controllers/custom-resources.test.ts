/** What becomes of custom resources: with their definition, their owners and their namespace. */
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { alone } from "../../libs/actor/placement.ts";
import { runActors } from "../../libs/actor/runtime.ts";
import { admitCreate, admitDelete } from "../../libs/admission/admit.ts";
import type { AdmissionContext, Admitted } from "../../libs/admission/context.ts";
import { customResourcesIn } from "../../libs/cluster/custom-kinds.ts";
import { type Cluster, clusterOn } from "../../libs/cluster/open.ts";
import type { Kind } from "../../libs/model/kind.ts";
import { configMap } from "../../libs/model/kinds/configmap.ts";
import { customResourceDefinition } from "../../libs/model/kinds/customresourcedefinition.ts";
import { namespace } from "../../libs/model/kinds/namespace.ts";
import { resourceQuota } from "../../libs/model/kinds/resourcequota.ts";
import { memoryStore } from "../../libs/store/memory.ts";
import { systemClock as clock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom as random } from "../../libs/telemetry/random.ts";
import { behaviourOf } from "./behaviour.ts";
import { controllersIn } from "./controllers-in.ts";
import { settings } from "./fixtures.ts";

const log = createLog("test", "silent");
const controllers = await controllersIn(join(import.meta.dirname, "actors"));

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

async function open(): Promise<Cluster> {
  const stop = new AbortController();
  const { signal } = stop;
  const cluster = stack.use(await clusterOn(memoryStore(), settings, { clock, log, signal }));
  const { store, replica, view } = cluster;
  const nodes = { seen: () => undefined, judgeable: () => true };
  const around = { nodes, settings, view, random, record: () => undefined };
  const behaviours = controllers.map((one) => behaviourOf(one, around));
  const ports = { clock, random, log, signal };
  stack.use(runActors({ behaviours, view, replica, store, placement: alone, ...ports }));
  stack.defer(() => stop.abort());
  return cluster;
}

type Decide = (context: AdmissionContext) => Admitted<unknown> | undefined;

async function write({ store, replica, view }: Cluster, decide: Decide): Promise<unknown> {
  for (;;) {
    const admitted = decide({ view, now: clock.now(), random, settings });
    if (admitted === undefined) return undefined;
    const outcome = await store.commit(admitted.ops);
    if (outcome.ok) {
      await replica.caughtUp(outcome.revision);
      return admitted.object;
    }
    await replica.caughtUp(outcome.revision ?? 0);
  }
}

const create = (cluster: Cluster, kind: Kind, object: unknown) =>
  write(cluster, (context) => admitCreate(kind, object, context));
const removeOne = (cluster: Cluster, kind: Kind, name: string) =>
  write(cluster, (context) => {
    const home = kind.namespaced ? "default" : undefined;
    return admitDelete(kind, context.view.get(kind, home, name) as never, {}, context); // As its kind's.
  });

/** Resolves when it holds at a cut. */
async function until({ replica }: Cluster, holds: () => boolean): Promise<void> {
  if (holds()) return;
  await new Promise<void>((resolve) => {
    const following = replica.subscribe(() => {
      if (!holds()) return;
      following[Symbol.dispose]();
      resolve();
    });
  });
}

const definition = (kind: string) => ({
  metadata: { name: `${kind.toLowerCase()}s.example.dev` },
  spec: {
    group: "example.dev",
    scope: "Namespaced",
    names: { plural: `${kind.toLowerCase()}s`, kind },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        },
      },
    ],
  },
});

/** A cluster in which things are made. */
async function openWithThings() {
  const cluster = await open();
  await until(cluster, () => cluster.view.get(namespace, undefined, "default") !== undefined);
  await create(cluster, customResourceDefinition, definition("Thing"));
  const [thing] = customResourcesIn(cluster.view);
  if (thing === undefined) throw new Error("the kind is not there");
  const make = (name: string, metadata: object = {}) =>
    create(cluster, thing, {
      apiVersion: "example.dev/v1",
      kind: "Thing",
      metadata: { name, namespace: "default", uid: "", ...metadata },
    });
  return { cluster, thing, make };
}

const ownerOf = (owner: unknown) => {
  const { apiVersion, kind, metadata } = owner as {
    apiVersion: string;
    kind: string;
    metadata: { name: string; uid: string };
  };
  return [{ apiVersion, kind, name: metadata.name, uid: metadata.uid }];
};

test("objects go with their definition, and it goes after them", async () => {
  const { cluster, thing, make } = await openWithThings();
  await make("one");
  await make("two");
  await removeOne(cluster, customResourceDefinition, "things.example.dev");
  await until(cluster, () => cluster.view.list(customResourceDefinition).length === 0);
  expect(cluster.view.list(thing)).toEqual([]);
});

test("what a custom resource owns goes with it, and it with its own owner", async () => {
  const { cluster, thing, make } = await openWithThings();
  const config = { apiVersion: "v1", kind: "ConfigMap" };
  const root = await create(cluster, configMap, {
    ...config,
    metadata: { name: "root", namespace: "default" },
  });
  const middle = await make("middle", { ownerReferences: ownerOf(root) });
  const leaf = { name: "leaf", namespace: "default", ownerReferences: ownerOf(middle) };
  await create(cluster, configMap, { ...config, metadata: leaf });
  await removeOne(cluster, configMap, "root");
  await until(cluster, () => cluster.view.get(configMap, "default", "leaf") === undefined);
  expect(cluster.view.list(thing)).toEqual([]);
});

test("custom resources go with their namespace", async () => {
  const { cluster, thing, make } = await openWithThings();
  await make("one");
  await removeOne(cluster, namespace, "default");
  await until(cluster, () => cluster.view.list(thing).length === 0);
  expect(cluster.view.list(thing)).toEqual([]);
});

test("a quota counts them", async () => {
  const { cluster, make } = await openWithThings();
  const hard = { "count/things.example.dev": "5" };
  await create(cluster, resourceQuota, {
    metadata: { name: "some", namespace: "default" },
    spec: { hard },
  });
  await make("one");
  const used = () =>
    cluster.view.get(resourceQuota, "default", "some")?.status?.used?.["count/things.example.dev"];
  await until(cluster, () => used() === "1");
  expect(used()).toBe("1");
});

test("names that a definition gave up are another's", async () => {
  const { cluster } = await openWithThings();
  const rival = definition("Rival");
  const names = { ...rival.spec.names, shortNames: ["thing"] };
  await create(cluster, customResourceDefinition, { ...rival, spec: { ...rival.spec, names } });
  const accepted = () =>
    cluster.view
      .get(customResourceDefinition, undefined, "rivals.example.dev")
      ?.status?.conditions?.find(({ type }) => type === "NamesAccepted")?.status;
  expect(accepted()).toBe("False");
  await removeOne(cluster, customResourceDefinition, "things.example.dev");
  await until(cluster, () => accepted() === "True");
});
