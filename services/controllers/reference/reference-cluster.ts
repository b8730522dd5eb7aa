/**
 * A whole cluster for one test, which is its users and its nodes: every write passes admission, the
 * controllers of workloads act, and time passes when it is told to.
 */
import {
  admitBind,
  admitCreate,
  admitDelete,
  admitRemove,
  admitStatus,
  admitUpdate,
  type DeleteOptions,
} from "../../../libs/admission/admit.ts";
import type { Admitted } from "../../../libs/admission/context.ts";
import type { Kind, ObjectOf } from "../../../libs/model/kind.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { isLive, isTerminal, readySinceMs } from "../../../libs/model/pod/state.ts";
import { cronJobs } from "../actors/cronjob.ts";
import { daemonSets } from "../actors/daemonset.ts";
import { nodeOf } from "../actors/daemonset/eligible.ts";
import { deployments } from "../actors/deployment.ts";
import { garbageCollectors } from "../actors/garbage.ts";
import { jobs } from "../actors/job.ts";
import { pods as podActors } from "../actors/pod.ts";
import { replicaSets } from "../actors/replicaset.ts";
import { persistentVolumeClaims } from "../actors/persistentvolumeclaim.ts";
import { replicationControllers } from "../actors/replicationcontroller.ts";
import { resourceQuotas } from "../actors/resourcequota.ts";
import { statefulSets } from "../actors/statefulset.ts";
import { behaviourOf } from "../behaviour.ts";
import { aNamespace, aNode, countingRandom, settings, start } from "../fixtures.ts";
import { simulatedCluster } from "../simulated-cluster.ts";
import { podStatus, type Report, ready, running } from "./pod-report.ts";

const actors = [
  deployments,
  replicaSets,
  persistentVolumeClaims,
  replicationControllers,
  statefulSets,
  daemonSets,
  jobs,
  cronJobs,
  podActors,
  resourceQuotas,
  ...garbageCollectors,
];
const home = "default";
const roundsMax = 200;

type Named = { readonly metadata: { readonly name: string } };
type Change = Readonly<Record<string, unknown>>;
type Labels = Readonly<Record<string, string>>;
export type Note = { readonly reason: string; readonly message: string; readonly of: string };
export type ReferenceCluster = ReturnType<typeof referenceCluster>;

export function referenceCluster() {
  const cluster = simulatedCluster();
  let now = start;
  const notes: Note[] = [];
  const random = countingRandom();
  const nodes = { seen: () => undefined, judgeable: () => true };
  const behaviours = actors.map((one) =>
    behaviourOf(one, {
      nodes,
      settings,
      random,
      view: cluster.view,
      record: ({ reason, message, involved }) =>
        void notes.push({ reason, message, of: involved.name }),
    }),
  );
  const context = () => ({ view: cluster.view, now, random, settings });
  const homeOf = (kind: Kind) => (kind.namespaced ? home : undefined);

  function write<T>(admitted: Admitted<T> | undefined): void {
    if (admitted === undefined || cluster.commit(admitted.ops)) return;
    throw new Error("a write lost a race, though nobody else was writing");
  }

  const find = <K extends Kind>(kind: K, name: string) =>
    cluster.view.get(kind, homeOf(kind), name);

  function get<K extends Kind>(kind: K, name: string): ObjectOf<K> {
    const found = find(kind, name);
    if (found === undefined) throw new Error(`there is no ${kind.kind} ${name}`);
    return found;
  }

  const list = <K extends Kind>(kind: K): readonly ObjectOf<K>[] =>
    cluster.view.list(kind).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const pods = () => list(pod);

  /** An object as a user sends it, in the one namespace that there is. */
  function add(kind: Kind, object: Change & { readonly metadata: Change }): void {
    const metadata = { ...(kind.namespaced && { namespace: home }), ...object.metadata };
    write(admitCreate(kind, { ...object, metadata }, context()));
  }
  const create = (kind: Kind, name: string, spec: Change, metadata: Change = {}): void =>
    add(kind, { metadata: { name, ...metadata }, spec });

  /** Metadata and spec as a user sends them. */
  function update<K extends Kind>(
    kind: K,
    name: string,
    change: (object: ObjectOf<K>) => unknown,
  ): void {
    const before = get(kind, name);
    write(admitUpdate(kind, before, change(before), context()));
  }

  /** What the node says of a pod; one that is on no node yet is bound first. */
  function report(one: Pod, said: Report, on: string = nodeOf(one) ?? "n1"): void {
    const { name } = one.metadata;
    if ((get(pod, name).spec.nodeName ?? "") === "")
      write(admitBind(pod, get(pod, name), on, context()));
    const bound = get(pod, name);
    write(admitStatus(pod, bound, podStatus(bound, said, now), context()));
  }

  /** The node says that nothing is left of a pod which is being deleted. */
  function gone(one: Pod): void {
    const found = find(pod, nameOf(one));
    if (found?.metadata.deletionTimestamp === undefined)
      throw new Error(`${nameOf(one)} is not ending`);
    if (!isTerminal(found) && (found.metadata.finalizers ?? []).length > 0)
      report(found, { ...running, phase: "Failed", exitCode: 137 });
    const last = get(pod, nameOf(one));
    if ((last.metadata.finalizers ?? []).length === 0) write(admitRemove(pod, last, context()));
  }

  function settle(): void {
    if (cluster.settle(behaviours, () => now, roundsMax)) return;
    throw new Error("the controllers never came to rest");
  }

  const ending = () => pods().filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
  const live = () => pods().filter(isLive);
  const unready = () => live().filter((one) => readySinceMs(one) === undefined);

  /** Pods start, and those that are deleted end, until nothing more happens. */
  function finish(): void {
    for (let round = 0; round < roundsMax; round += 1) {
      settle();
      const [ends, starts] = [ending(), unready()];
      if (ends.length + starts.length === 0) return;
      for (const one of ends) gone(one);
      for (const one of starts) if (find(pod, nameOf(one)) !== undefined) report(one, ready);
    }
    throw new Error("the pods never came to rest");
  }

  /** When an actor next wants to look, though nothing happened. */
  function nextWake(): number | undefined {
    const wakes = behaviours.flatMap((behaviour) =>
      [...behaviour.all(cluster.view)].flatMap(
        (name) => behaviour.turn(name, cluster.view, now)?.wakeAt ?? [],
      ),
    );
    return wakes.length > 0 ? Math.min(...wakes) : undefined;
  }

  cluster.put(namespace, aNamespace(home));
  cluster.put(node, aNode("n1"));
  return {
    notes,
    find,
    get,
    list,
    pods,
    live,
    ending,
    unready,
    add,
    create,
    update,
    report,
    gone,
    settle,
    finish,
    nextWake,
    now: () => now,
    edit(kind: Kind, name: string, spec: Change): void {
      update(kind, name, (object) => {
        const held = object as { readonly spec: object }; // Every kind that is edited here has one.
        return { ...held, spec: { ...held.spec, ...spec } };
      });
    },
    remove(kind: Kind, name: string, options: DeleteOptions = {}): void {
      write(admitDelete(kind, get(kind, name), options, context()));
    },
    allReady(): void {
      for (const one of unready()) report(one, ready);
    },
    allGone(): void {
      for (const one of ending()) gone(one);
    },
    pass(seconds: number): void {
      now += seconds * 1_000;
    },
    /** Time passes until an actor wants to look; all act. Returns the seconds that passed. */
    wake(): number {
      const at = nextWake();
      if (at === undefined) throw new Error("no actor means to look again");
      const passed = at - now;
      now = at;
      settle();
      return passed / 1_000;
    },
    /** A node that is ready; the same again changes it. */
    join(name: string, labels: Labels = {}, taints: readonly Change[] = []): void {
      cluster.put(node, aNode(name, { metadata: { labels }, spec: { taints } }));
    },
  };
}

const nameOf = (object: unknown) => (object as Named).metadata.name; // Every object has metadata.
