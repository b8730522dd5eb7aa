import { join } from "node:path";
import { expect, test } from "vitest";
import { alone } from "../../libs/actor/placement.ts";
import { runActors } from "../../libs/actor/runtime.ts";
import {
  admitBind,
  admitCreate,
  admitRemove,
  admitStatus,
  admitDelete,
  admitUpdate,
} from "../../libs/admission/admit.ts";
import type { AdmissionContext, Admitted } from "../../libs/admission/context.ts";
import { clusterOn, type Cluster } from "../../libs/cluster/open.ts";
import { deployment } from "../../libs/model/kinds/deployment.ts";
import { daemonSet } from "../../libs/model/kinds/daemonset.ts";
import { job } from "../../libs/model/kinds/job.ts";
import { namespace } from "../../libs/model/kinds/namespace.ts";
import { node } from "../../libs/model/kinds/node.ts";
import { persistentVolume } from "../../libs/model/kinds/persistentvolume.ts";
import { persistentVolumeClaim } from "../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod } from "../../libs/model/kinds/pod.ts";
import { replicaSet } from "../../libs/model/kinds/replicaset.ts";
import { statefulSet } from "../../libs/model/kinds/statefulset.ts";
import { storageClass } from "../../libs/model/kinds/storageclass.ts";
import { timeOf } from "../../libs/model/time.ts";
import { memoryBucket } from "../../libs/store/memory-bucket.ts";
import { memoryStore } from "../../libs/store/memory.ts";
import { systemClock as clock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom as random } from "../../libs/telemetry/random.ts";
import { behaviourOf } from "./behaviour.ts";
import { controllersIn } from "./controllers-in.ts";
import { aDaemonSet, aDeployment, aNode, aStatefulSet, settings, withImage } from "./fixtures.ts";
import { isLive, readySinceMs } from "../../libs/model/pod/state.ts";

const log = createLog("test", "silent");
const controllers = await controllersIn(join(import.meta.dirname, "actors"));

/** A cluster of several controllers instances that all believe to own everything, and one node. */
async function openTogether(instances: number) {
  const stack = new AsyncDisposableStack();
  const stop = new AbortController();
  const { signal } = stop;
  const bucket = memoryBucket({ clock });
  const open = async () =>
    stack.use(await clusterOn(memoryStore({ bucket }), settings, { clock, log, signal }));
  const outside = await open();
  for (let nth = 0; nth < instances; nth += 1) {
    const { store, replica, view } = await open();
    const nodes = { seen: () => undefined, judgeable: () => true };
    const around = { nodes, settings, view, random, record: () => undefined };
    const behaviours = controllers.map((one) => behaviourOf(one, around));
    const ports = { clock, random, log, signal };
    stack.use(runActors({ behaviours, view, replica, store, placement: alone, ...ports }));
  }
  stack.defer(() => stop.abort());
  return { ...outside, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const contextOf = ({ view }: Cluster): AdmissionContext => ({
  view,
  now: clock.now(),
  random,
  settings,
});

/** Admits and commits, again after each lost race. */
async function write(
  cluster: Cluster,
  admit: (context: AdmissionContext) => Admitted<unknown> | undefined,
): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const admitted = admit(contextOf(cluster));
    if (admitted === undefined) return;
    const outcome = await cluster.store.commit(admitted.ops);
    await cluster.replica.caughtUp(outcome.revision ?? (await cluster.store.lastRevision()));
    if (outcome.ok) return;
  }
  throw new Error("every attempt lost a race");
}

/** Resolves when `holds` does, looking after each change. */
async function until(cluster: Cluster, what: string, holds: () => boolean): Promise<void> {
  const done = Promise.withResolvers<void>();
  const look = () => void (holds() && done.resolve());
  using _seen = cluster.replica.subscribe(look);
  using _late = clock.after(15_000, () => done.reject(new Error(`never: ${what}`)));
  look();
  await done.promise;
}

/** A node n1 that is ready. */
async function joinNode(cluster: Cluster): Promise<void> {
  await write(cluster, (context) => admitCreate(node, aNode("n1"), context));
  await write(cluster, (context) => {
    const n1 = cluster.view.get(node, undefined, "n1");
    const heartbeat = { lastHeartbeatTime: timeOf(context.now) };
    const conditions = [{ type: "Ready", status: "True", ...heartbeat }];
    return n1 && admitStatus(node, n1, { conditions }, context);
  });
}

/** Runs every pod at once, a Job's to its end, and lets those go that are deleted, as an agent would. */
function actAsNode(cluster: Cluster, failures: unknown[]): Disposable {
  let last: Promise<void> = Promise.resolve();
  const act = (): void => {
    last = last.then(async () => {
      for (const { metadata } of cluster.view.list(pod)) {
        await write(cluster, (context) =>
          afterNode(cluster, metadata.namespace, metadata.name, context),
        );
      }
    });
    last = last.catch((error: unknown) => void failures.push(error));
  };
  return cluster.replica.subscribe(({ changes }) => {
    if (changes.some(({ key }) => key.startsWith("pods."))) act();
  });
}

function afterNode(cluster: Cluster, home: string, name: string, context: AdmissionContext) {
  const one = cluster.view.get(pod, home, name);
  if (one === undefined) return undefined;
  if (one.metadata.deletionTimestamp !== undefined) return admitRemove(pod, one, context);
  if (one.spec.nodeName !== "n1") {
    return admitBind(pod, one, "n1", context);
  }
  if (one.metadata.ownerReferences?.[0]?.kind === "Job") {
    return admitStatus(pod, one, { ...one.status, phase: "Succeeded" }, context);
  }
  if (readySinceMs(one) !== undefined) return undefined;
  const ready = { type: "Ready", status: "True", lastTransitionTime: timeOf(context.now) };
  return admitStatus(pod, one, { ...one.status, phase: "Running", conditions: [ready] }, context);
}

test("two instances that both own everything roll a Deployment, empty a namespace, and never disagree", async () => {
  await using cluster = await openTogether(2);
  const { view } = cluster;
  const failures: unknown[] = [];
  using _node = actAsNode(cluster, failures);
  await until(cluster, "the namespaces stand", () => view.list(namespace).length === 4);
  await joinNode(cluster);
  await write(cluster, (context) =>
    admitCreate(namespace, { metadata: { name: "shop" } }, context),
  );

  const most: number[] = [];
  using _watch = cluster.replica.subscribe(() => {
    most.push(view.list(pod, { namespace: "shop" }).filter(isLive).length);
  });
  const wanted = aDeployment(
    { replicas: 6, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } },
    { namespace: "shop" },
  );
  await write(cluster, (context) => admitCreate(deployment, wanted, context));
  const web = () => view.get(deployment, "shop", "web");
  const rolledOut = () => {
    const { metadata, status } = web() ?? {};
    return (
      status?.observedGeneration === metadata?.generation &&
      status?.updatedReplicas === 6 &&
      status.availableReplicas === 6 &&
      status.replicas === 6
    );
  };
  await until(cluster, "the first rollout is complete", rolledOut);
  await write(cluster, (context) => {
    const before = web();
    return (
      before &&
      admitUpdate(
        deployment,
        before,
        { ...before, spec: { ...before.spec, ...withImage("web:v2") } },
        context,
      )
    );
  });
  await until(cluster, "the second rollout is complete", rolledOut);
  expect(Math.max(...most)).toBeLessThanOrEqual(7);
  expect(view.list(replicaSet, { namespace: "shop" })).toHaveLength(2);

  await write(cluster, (context) => {
    const shop = view.get(namespace, undefined, "shop");
    return shop && admitDelete(namespace, shop, {}, context);
  });
  await until(
    cluster,
    "the namespace is gone",
    () => view.get(namespace, undefined, "shop") === undefined,
  );
  expect(view.list(pod, { namespace: "shop" })).toEqual([]);
  expect(failures).toEqual([]);
});

test("two instances that both own everything bring up a StatefulSet and a DaemonSet once each", async () => {
  await using cluster = await openTogether(2);
  const { view } = cluster;
  const failures: unknown[] = [];
  using _node = actAsNode(cluster, failures);
  await until(cluster, "the namespaces stand", () => view.list(namespace).length === 4);
  await joinNode(cluster);
  /** At most one pod of the StatefulSet is missing at any cut once all are there; never two of the other. */
  const seen = { ready: false, fewest: Infinity, daemons: 0 };
  const members = () =>
    view.list(pod).filter((one) => isLive(one) && one.metadata.name.startsWith("web-"));
  using _watch = cluster.replica.subscribe(() => {
    const available = members().filter((one) => readySinceMs(one) !== undefined).length;
    seen.ready ||= available === 4;
    if (seen.ready) seen.fewest = Math.min(seen.fewest, available);
    const daemons = view.list(pod, { selector: { matchLabels: { app: "log" } } }).filter(isLive);
    seen.daemons = Math.max(seen.daemons, daemons.length);
  });
  await write(cluster, (context) =>
    admitCreate(statefulSet, aStatefulSet({ replicas: 4 }), context),
  );
  const labelled = {
    selector: { matchLabels: { app: "log" } },
    template: {
      metadata: { labels: { app: "log" } },
      spec: { containers: [{ name: "log", image: "log:v1" }] },
    },
  };
  await write(cluster, (context) =>
    admitCreate(daemonSet, aDaemonSet(labelled, { name: "log" }), context),
  );
  const isDone = () => {
    const set = view.get(statefulSet, "default", "web");
    const daemons = view.get(daemonSet, "default", "log");
    return (
      set?.status?.observedGeneration === set?.metadata.generation &&
      set?.status?.availableReplicas === 4 &&
      set.status.currentRevision === set.status.updateRevision &&
      daemons?.status?.numberAvailable === 1
    );
  };
  await until(cluster, "both are complete", isDone);
  await write(cluster, (context) => {
    const before = view.get(statefulSet, "default", "web");
    const spec = before && { ...before.spec, ...withImage("web:v2") };
    return before && admitUpdate(statefulSet, before, { ...before, spec }, context);
  });
  await until(cluster, "the new revision is the current one", isDone);
  expect(members().map(({ spec }) => spec.containers[0]?.image)).toEqual(
    Array.from({ length: 4 }, () => "web:v2"),
  );
  expect(seen.fewest).toBe(3);
  expect(seen.daemons).toBe(1);
  expect(failures).toEqual([]);
});

test("two instances that both own everything run each completion of a Job once", async () => {
  await using cluster = await openTogether(2);
  const { view } = cluster;
  const failures: unknown[] = [];
  using _node = actAsNode(cluster, failures);
  await until(cluster, "the namespaces stand", () => view.list(namespace).length === 4);
  await write(cluster, (context) => admitCreate(node, aNode("n1"), context));
  const spec = { restartPolicy: "Never", containers: [{ name: "work", image: "work:v1" }] };
  const asked = {
    metadata: { name: "work" },
    spec: { completions: 20, parallelism: 3, completionMode: "Indexed", template: { spec } },
  };
  const live: number[] = [];
  using _watch = cluster.replica.subscribe(() => {
    live.push(view.list(pod).filter(isLive).length);
  });
  await write(cluster, (context) => admitCreate(job, asked, context));
  const work = () => view.get(job, "default", "work");
  const complete = () =>
    work()?.status?.conditions?.some(
      ({ type, status }) => type === "Complete" && status === "True",
    );
  await until(cluster, "the Job is complete", () => complete() === true);
  expect(work()?.status).toMatchObject({ succeeded: 20, completedIndexes: "0-19" });
  expect(view.list(pod)).toHaveLength(20); // One for each index, and none too many.
  expect(Math.max(...live)).toBeLessThanOrEqual(3);
  expect(failures).toEqual([]);
});

test("two instances that both own everything give a StatefulSet its volumes, and take them away", async () => {
  await using cluster = await openTogether(2);
  const { view } = cluster;
  const failures: unknown[] = [];
  using _node = actAsNode(cluster, failures);
  await until(cluster, "the default class stands", () => view.list(storageClass).length === 1);
  await until(cluster, "the namespaces stand", () => view.list(namespace).length === 4);
  await joinNode(cluster);
  const volumeClaimTemplates = ["data", "log"].map((name) => ({
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  }));
  const policy = { whenScaled: "Delete", whenDeleted: "Retain" };
  const wanted = aStatefulSet({
    replicas: 3,
    volumeClaimTemplates,
    persistentVolumeClaimRetentionPolicy: policy,
  });
  await write(cluster, (context) => admitCreate(statefulSet, wanted, context));
  const claims = () => view.list(persistentVolumeClaim);
  const volumes = () => view.list(persistentVolume);
  const inPhase = (phase: string) =>
    [...claims(), ...volumes()].filter(({ status }) => status?.phase === phase);
  await until(
    cluster,
    "six claims and six volumes are bound",
    () => inPhase("Bound").length === 12,
  );
  expect(
    volumes()
      .map(({ metadata }) => metadata.name)
      .toSorted(),
  ).toEqual(
    claims()
      .map(({ metadata }) => `pvc-${metadata.uid}`)
      .toSorted(),
  );
  expect(new Set(claims().map(({ spec }) => spec.storageClassName))).toEqual(
    new Set(["berth-local"]),
  );

  await write(cluster, (context) => {
    const before = view.get(statefulSet, "default", "web");
    const after = before && { ...before, spec: { ...before.spec, replicas: 1 } };
    return before && admitUpdate(statefulSet, before, after, context);
  });
  const going = () => view.list(persistentVolume, { directoryGoesFrom: "n1" });
  await until(cluster, "four directories are to go", () => going().length === 4);
  expect(claims()).toHaveLength(2);
  for (const { metadata } of going().slice(0, 2)) {
    await write(cluster, (context) => {
      const before = view.get(persistentVolume, undefined, metadata.name);
      const { finalizers: _held, ...free } = before?.metadata ?? metadata;
      return (
        before && admitUpdate(persistentVolume, before, { ...before, metadata: free }, context)
      );
    });
  }
  await until(cluster, "two volumes are gone", () => volumes().length === 4);
  await write(cluster, (context) => {
    const before = view.get(node, undefined, "n1");
    return before && admitDelete(node, before, {}, context);
  });
  await until(cluster, "two more went with their node", () => volumes().length === 2);
  expect(failures).toEqual([]);
});
