/**
 * What does one change cost the controllers when there are many objects? Pods become ready and
 * unready in clusters of growing size; each change is shown to every controller, and whoever it
 * concerns takes its turn, reading, deciding and admission included. Nothing is committed.
 *
 *     node bench/controllers/scale.ts [--objects 1000,10000,100000] [--changes 3000]
 */
import { parseArgs } from "node:util";
import { allControllers } from "../../services/controllers/instance.ts";
import { behaviourOf } from "../../services/controllers/behaviour.ts";
import { observeNodes } from "../../services/controllers/sessions/observed-nodes.ts";
import { keyOf } from "../../libs/cluster/key.ts";
import { observeUsage } from "../../libs/cluster/observed-usage.ts";
import { settingsFromEnvironment } from "../../libs/cluster/settings.ts";
import { clusterView, replicaOptions } from "../../libs/cluster/view.ts";
import { parse } from "../../libs/model/errors.ts";
import type { Kind } from "../../libs/model/kind.ts";
import { deployment } from "../../libs/model/kinds/deployment.ts";
import { endpointSlice } from "../../libs/model/kinds/endpointslice.ts";
import { namespace } from "../../libs/model/kinds/namespace.ts";
import { node } from "../../libs/model/kinds/node.ts";
import { pod } from "../../libs/model/kinds/pod.ts";
import { replicaSet } from "../../libs/model/kinds/replicaset.ts";
import { service } from "../../libs/model/kinds/service.ts";
import { timeOf } from "../../libs/model/time.ts";
import { heldKeys } from "../../libs/store/held-keys.ts";
import type { Change, Held } from "../../libs/store/replica.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { type Result, report } from "../report.ts";

type Params = { readonly objects: readonly number[]; readonly changes: number };

/** A Deployment, its set, its Service, a slice, and as many pods. */
const podsEach = 10;
const objectsEach = podsEach + 4;
/** Applications in a namespace. */
const perNamespace = 50;
const podsOnNode = 50;
const now = Date.now();

export async function benchScale({ objects, changes }: Params): Promise<readonly Result[]> {
  const measured: {
    readonly count: number;
    readonly microseconds: number;
    readonly turns: number;
  }[] = [];
  for (const count of objects) measured.push({ count, ...(await costOf(count, changes)) });
  const first = measured[0]?.microseconds ?? Number.NaN;
  return measured.map(({ count, microseconds, turns }) => ({
    bench: "controllers/cost-of-a-change",
    params: { objects: count, changes },
    unit: "µs",
    measured: [microseconds],
    baseline: { name: `with ${objects[0]} objects`, measured: [first] },
    parts: { turnsPerChange: Number((turns / changes).toFixed(2)) },
  }));
}

async function costOf(count: number, changes: number) {
  const held = heldKeys<unknown>(replicaOptions.indexes);
  let revision = 0;
  const put = (
    kind: Kind,
    input: { readonly metadata: { readonly name: string; readonly namespace?: string } },
  ) => {
    revision += 1;
    const value = parse(kind, input) as { readonly metadata: Record<string, unknown> }; // Every object has metadata.
    value.metadata["resourceVersion"] = String(revision);
    const { namespace: home, name } = input.metadata;
    const one: Held<unknown> = { key: keyOf(kind, home, name), value, revision };
    held.set(one);
    return one;
  };
  const applications = Math.ceil(count / objectsEach);
  const pods: string[] = [];
  for (let nth = 0; nth < Math.ceil(applications / perNamespace); nth += 1) {
    put(namespace, { metadata: { name: `ns-${nth}` } });
  }
  for (let nth = 0; nth < Math.ceil((applications * podsEach) / podsOnNode); nth += 1) {
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: timeOf(now) }];
    put(node, { metadata: { name: `node-${nth}` }, status: { conditions } } as never); // Parsed next.
  }
  for (let nth = 0; nth < applications; nth += 1) pods.push(...application(put, nth));

  const view = clusterView({
    ...held,
    get revision() {
      return revision;
    },
    revisionOf: (key) => held.get(key)?.revision ?? 0,
  });
  const behaviours = await behavioursOn(view);
  const change = (key: string, ready: boolean): Change<unknown> => {
    const before = held.get(key);
    const was = before?.value as ReturnType<typeof podAt>; // It was put as a pod.
    const after = put(pod, withReadiness(was, ready));
    return { key, revision, before, after, last: undefined };
  };
  let [turns, spentMs] = [0, 0];
  for (let nth = 0; nth < changes * 1.2; nth += 1) {
    const key = pods[Math.floor(systemRandom.next() * pods.length)] ?? "";
    const made = change(key, nth % 2 === 0);
    const begunMs = performance.now();
    let own = 0;
    for (const behaviour of behaviours) {
      for (const name of behaviour.concerns(made, view)) {
        behaviour.turn(name, view, now);
        own += 1;
      }
    }
    if (nth < changes * 0.2) continue; // Code is compiled by then.
    spentMs += performance.now() - begunMs;
    turns += own;
  }
  return { microseconds: (spentMs / changes) * 1_000, turns };
}

async function behavioursOn(view: ReturnType<typeof clusterView>) {
  const heard = { heardForMs: () => 0 };
  const unknown = { known: false, why: "nothing is measured here" } as const;
  const around = {
    view,
    settings: settingsFromEnvironment.parse({}),
    random: systemRandom,
    record: () => undefined,
    nodes: observeNodes(systemClock, { ...heard, [Symbol.dispose]: () => undefined }),
    measured: {
      ...heard,
      usage: observeUsage(systemClock),
      values: { external: () => unknown, object: () => unknown, pods: () => unknown },
    },
  };
  return (await allControllers()).map((one) => behaviourOf(one, around));
}

type Put = (
  kind: Kind,
  input: { readonly metadata: { readonly name: string; readonly namespace?: string } },
) => Held<unknown>;

/** @returns the keys of its pods */
function application(put: Put, nth: number): readonly string[] {
  const home = `ns-${Math.floor(nth / perNamespace)}`;
  const [name, labels] = [`app-${nth}`, { app: `app-${nth}` }];
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: "app", image: "app:1" }] },
  };
  const spec = { replicas: podsEach, selector: { matchLabels: labels }, template };
  const meta = (own: string, uid: string, more: object = {}) => ({
    name: own,
    namespace: home,
    uid: `${uid}-${nth}`,
    generation: 1,
    creationTimestamp: timeOf(now),
    ...more,
  });
  const owner = (kind: string, uid: string, own: string) => ({
    ownerReferences: [
      { apiVersion: "apps/v1", kind, name: own, uid: `${uid}-${nth}`, controller: true },
    ],
  });
  put(deployment, { metadata: meta(name, "d"), spec } as never); // Parsed next; so are the others.
  put(replicaSet, {
    metadata: meta(`${name}-1`, "r", owner("Deployment", "d", name)),
    spec,
  } as never);
  const ports = [{ port: 80, targetPort: 8080 }];
  put(service, {
    metadata: meta(name, "s"),
    spec: { selector: labels, ports, clusterIP: "10.96.0.1" },
  } as never);
  put(endpointSlice, {
    metadata: meta(`${name}-0`, "e", { labels: { "kubernetes.io/service-name": name } }),
    addressType: "IPv4",
  } as never);
  return Array.from(
    { length: podsEach },
    (_, own) => put(pod, podAt(nth, own, meta, labels, owner) as never).key,
  );
}

function podAt(
  nth: number,
  own: number,
  meta: (own: string, uid: string, more: object) => object,
  labels: object,
  owner: (kind: string, uid: string, own: string) => object,
) {
  const name = `app-${nth}-1-${own}`;
  const index = nth * podsEach + own;
  return {
    metadata: {
      ...meta(name, `p${own}`, { labels, ...owner("ReplicaSet", "r", `app-${nth}-1`) }),
      name,
    },
    spec: {
      containers: [{ name: "app", image: "app:1" }],
      nodeName: `node-${Math.floor(index / podsOnNode)}`,
    },
    status: {
      phase: "Running",
      podIP: `10.1.${(index >> 8) & 255}.${index & 255}`,
      conditions: ready(true),
    },
  };
}

const ready = (isReady: boolean) => [
  { type: "Ready", status: isReady ? "True" : "False", lastTransitionTime: timeOf(now - 60_000) },
];

const withReadiness = (was: ReturnType<typeof podAt>, isReady: boolean) => ({
  ...was,
  status: { ...was.status, conditions: ready(isReady) },
});

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      objects: { type: "string", default: "1000,10000,100000" },
      changes: { type: "string", default: "3000" },
    },
  });
  const objects = values.objects.split(",").map(Number);
  report(await benchScale({ objects, changes: Number(values.changes) }));
}
