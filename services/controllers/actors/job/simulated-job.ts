/** A Job with its actor and its pods' in a simulated cluster, whose nodes and users are the test. */
import {
  admitCreate,
  admitDelete,
  admitRemove,
  admitStatus,
  admitUpdate,
} from "../../../../libs/admission/admit.ts";
import type { Admitted } from "../../../../libs/admission/context.ts";
import { job, type Job } from "../../../../libs/model/kinds/job.ts";
import { namespace } from "../../../../libs/model/kinds/namespace.ts";
import { node } from "../../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../../libs/model/kinds/pod.ts";
import { timeOf } from "../../../../libs/model/time.ts";
import { behaviourOf } from "../../behaviour.ts";
import { aNamespace, aNode, countingRandom, settings, start } from "../../fixtures.ts";
import { simulatedCluster } from "../../simulated-cluster.ts";
import { jobs } from "../job.ts";
import { pods as podController } from "../pod.ts";
import { isLive, isTerminal } from "../../../../libs/model/pod/state.ts";
import { indexKey } from "./completion-index.ts";
import { conditionOf, endOf } from "./conditions.ts";

const nodes = { seen: () => undefined, judgeable: () => true };

/** What may become of a pod. `gone`: its agent says that nothing is left of it. */
export type Fate =
  | { readonly now: "running"; readonly restarts?: number }
  | { readonly now: "succeeded" }
  | { readonly now: "failed"; readonly exitCode?: number; readonly condition?: string }
  | { readonly now: "deleted" }
  | { readonly now: "gone" };

export type SimulatedJob = ReturnType<typeof simulateJob>;

export function simulateJob(spec: Readonly<Record<string, unknown>> = {}, labels = {}) {
  const cluster = simulatedCluster();
  let now = start;
  const notes: string[] = [];
  const record = (facts: { readonly reason: string }) => void notes.push(facts.reason);
  const random = countingRandom();
  const ports = { nodes, settings, random, record, view: cluster.view };
  const [behaviour, keeper] = [behaviourOf(jobs, ports), behaviourOf(podController, ports)];
  const context = () => ({ view: cluster.view, now, random, settings });
  const write = (admitted: Admitted<unknown> | undefined) =>
    admitted === undefined || cluster.commit(admitted.ops);

  cluster.put(namespace, aNamespace("default"));
  cluster.put(node, aNode("n1"));
  const container = { name: "work", image: "work:v1" };
  const template = {
    metadata: { labels },
    spec: { restartPolicy: "Never", containers: [container] },
  };
  const asked = { metadata: { name: "work", namespace: "default" }, spec: { template, ...spec } };
  write(admitCreate(job, asked, context()));

  const find = () => cluster.view.get(job, "default", "work");
  const self = (): Job => {
    const found = find();
    if (found === undefined) throw new Error("the Job is gone");
    return found;
  };
  const pods = () =>
    cluster.view.list(pod).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));

  /** The pod as its agent or a user makes it; what cannot happen to it any more does not. */
  function become(name: string, fate: Fate): void {
    const one = cluster.view.get(pod, "default", name);
    if (one === undefined) return;
    if (fate.now === "deleted") return void write(admitDelete(pod, one, {}, context()));
    const ending = one.metadata.deletionTimestamp !== undefined;
    if (fate.now === "gone") {
      if (!ending) return;
      if ((one.metadata.finalizers ?? []).length === 0) {
        return void write(admitRemove(pod, one, context()));
      }
    }
    if (isTerminal(one)) return;
    if (fate.now === "running" && ending) return;
    cluster.put(pod, {
      ...one,
      spec: { ...one.spec, nodeName: "n1" },
      status: statusOf(one, fate, now),
    });
  }

  return {
    cluster,
    notes,
    find,
    self,
    pods,
    become,
    live: () => pods().filter(isLive),
    end: () => endOf(self())?.type,
    condition: (type: string) => conditionOf(self(), type),
    now: () => now,
    pass: (ms: number) => void (now += ms),
    edit: (change: Readonly<Record<string, unknown>>) =>
      write(
        admitUpdate(job, self(), { ...self(), spec: { ...self().spec, ...change } }, context()),
      ),
    setStatus: (status: unknown) => write(admitStatus(job, self(), status, context())),
    remove: (one: Job) => write(admitDelete(job, one, {}, context())),
    turn: (ago = 0) => cluster.turn(behaviour, "default/work", ago, now),
    wakeAt: () => behaviour.turn("default/work", cluster.view, now)?.wakeAt,
    settle: () => cluster.settle([behaviour, keeper], () => now),
    /** Lets pods of that number, the first by name, go on as told; then everyone acts. */
    all(fate: Fate, count = Infinity) {
      for (const { metadata } of pods().filter(isLive).slice(0, count)) become(metadata.name, fate);
      this.settle();
    },
    /** Agents end what is ending. */
    clear() {
      for (let round = 0; round < 3; round += 1) {
        for (const { metadata } of pods()) become(metadata.name, { now: "gone" });
        this.settle();
      }
    },
  };
}

/** What makes a Job of indexes, all at once. */
export const indexed = (completions: number, more: object = {}) => ({
  completionMode: "Indexed",
  completions,
  parallelism: completions,
  ...more,
});

/** The name of the live pod of an index. */
export function nameOfIndex(run: SimulatedJob, index: number): string {
  const found = run
    .live()
    .find(({ metadata }) => metadata.annotations?.[indexKey] === String(index));
  if (found === undefined) throw new Error(`no pod of index ${index} is live`);
  return found.metadata.name;
}

function statusOf(one: Pod, fate: Fate, now: number): Pod["status"] {
  const lastTransitionTime = timeOf(now);
  const ready = { type: "Ready", lastTransitionTime } as const;
  const others = (one.status?.conditions ?? []).filter(({ type }) => type !== "Ready");
  const restartCount = fate.now === "running" ? (fate.restarts ?? 0) : 0;
  const status = (state: object) => ({
    name: "work",
    image: "work:v1",
    imageID: "",
    lastState: {},
    ready: fate.now === "running",
    restartCount,
    state,
  });
  if (fate.now === "running") {
    return {
      ...one.status,
      phase: "Running",
      conditions: [...others, { ...ready, status: "True" }],
      containerStatuses: [status({ running: {} })],
    };
  }
  const exitCode =
    fate.now === "succeeded" ? 0 : fate.now === "failed" ? (fate.exitCode ?? 1) : 137;
  const because = fate.now === "failed" && fate.condition !== undefined;
  const marked = because ? [{ type: fate.condition ?? "", status: "True" as const }] : [];
  return {
    ...one.status,
    phase: fate.now === "succeeded" ? "Succeeded" : "Failed",
    conditions: [...others, ...marked, { ...ready, status: "False" }],
    containerStatuses: [status({ terminated: { exitCode } })],
  };
}
