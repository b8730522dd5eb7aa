/** A StatefulSet with its actors, whose nodes and users are the test. */
import { controllerRevision } from "../../libs/model/kinds/controllerrevision.ts";
import { namespace } from "../../libs/model/kinds/namespace.ts";
import { node } from "../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../libs/model/kinds/pod.ts";
import { statefulSet, type StatefulSet } from "../../libs/model/kinds/statefulset.ts";
import { ordinalOf } from "./actors/statefulset/identity.ts";
import { isLive, readySinceMs } from "../../libs/model/pod/state.ts";
import { statefulSets } from "./actors/statefulset.ts";
import { behaviourOf } from "./behaviour.ts";
import { aNamespace, aNode, aStatefulSet, countingRandom, settings, start } from "./fixtures.ts";
import { simulatedCluster } from "./simulated-cluster.ts";
import { type Fate, podBecomes } from "./simulated-pods.ts";

const nodes = { seen: () => undefined, judgeable: () => true };

export function simulate(spec: Readonly<Record<string, unknown>>) {
  const cluster = simulatedCluster();
  let now = start;
  const notes: string[] = [];
  const record = (facts: { readonly message: string }) => void notes.push(facts.message);
  const ports = { nodes, settings, random: countingRandom(), record, view: cluster.view };
  const behaviour = behaviourOf(statefulSets, ports);
  cluster.put(namespace, aNamespace("default"));
  cluster.put(node, aNode("n1"));
  cluster.put(statefulSet, aStatefulSet(spec));
  const self = (): StatefulSet => {
    const found = cluster.view.get(statefulSet, "default", "web");
    if (found === undefined) throw new Error("the StatefulSet is gone");
    return found;
  };
  const pods = () =>
    cluster.view
      .list(pod)
      .toSorted((a, b) => (ordinalOf(self(), a) ?? 0) - (ordinalOf(self(), b) ?? 0));
  /** Whose containers run under a name: from when they start until the node reports their end. */
  const running = new Map<string, string>();
  return {
    cluster,
    notes,
    self,
    pods,
    names: () => pods().map(({ metadata }) => metadata.name),
    live: () => pods().filter(isLive),
    available: () => pods().filter(isAvailable),
    revisions: () =>
      cluster.view.list(controllerRevision).toSorted((a, b) => a.revision - b.revision),
    now: () => now,
    pass: (ms: number) => void (now += ms),
    edit(change: Readonly<Record<string, unknown>>) {
      const before = self();
      const generation = (before.metadata.generation ?? 0) + 1;
      const spec = { ...before.spec, ...aStatefulSet({ ...before.spec, ...change }).spec };
      cluster.put(statefulSet, { ...before, metadata: { ...before.metadata, generation }, spec });
    },
    turn: (ago: number) => cluster.turn(behaviour, "default/web", ago, now),
    settle: () => cluster.settle([behaviour], () => now),
    becomes(one: Pod, fate: Fate) {
      const { name, uid } = one.metadata;
      if (fate === "gone") running.delete(name);
      else {
        const other = running.get(name) ?? uid;
        if (other !== uid) throw new Error(`two pods run as ${name}`);
        running.set(name, uid);
      }
      podBecomes(cluster, one, fate, now);
    },
  };
}
export type Simulation = ReturnType<typeof simulate>;
export const isAvailable = (one: Pod) => isLive(one) && readySinceMs(one) !== undefined;
export const isEnding = ({ metadata }: Pod) => metadata.deletionTimestamp !== undefined;

/** Everything happens as it should, until nothing more does. */
export function finish(run: Simulation): void {
  for (let round = 0; round < 200; round += 1) {
    run.settle();
    const ending = run.pods().filter(isEnding);
    const starting = run.live().filter((one) => readySinceMs(one) === undefined);
    if (ending.length + starting.length === 0) return;
    for (const one of ending) run.becomes(one, "gone");
    for (const one of starting) run.becomes(one, "ready");
    run.pass(1_000);
  }
  throw new Error("it never came to rest");
}

export const find = (run: Simulation, name: string): Pod => {
  const found = run.pods().find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};
