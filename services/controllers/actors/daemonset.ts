import type { ClusterView } from "../../../libs/cluster/view.ts";
import {
  controllerRevision,
  type ControllerRevision,
} from "../../../libs/model/kinds/controllerrevision.ts";
import {
  daemonSet,
  type DaemonSet,
  type DaemonSetStatus,
} from "../../../libs/model/kinds/daemonset.ts";
import { node, type Node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { podsOf } from "../../../libs/model/rollout.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import {
  actorName,
  controller,
  create,
  type Decision,
  type EventNote,
  normal,
  type ObjectChange,
  remove,
  warning,
} from "../controller.ts";
import {
  type Failures,
  failuresIn,
  keptUntil,
  type Memory,
  withEnded,
} from "./daemonset/back-off.ts";
import { daemonPod, eligibility, nodeOf } from "./daemonset/eligible.ts";
import { type Daemon, nextStep, type Rolling, type Site, type Step } from "./daemonset/step.ts";
import { claims } from "./workload/claims.ts";
import {
  expiredRevisions,
  hashOf,
  historyOf,
  revisionConcerns,
  revisionLabel,
  revisionsFor,
} from "./workload/history.ts";
import { isTerminal, readySinceMs } from "../../../libs/model/pod/state.ts";
import { availableAtMs, type PlacedPod } from "./workload/pod-state.ts";
import { podConcerns, podsFor } from "./workload/replicas.ts";
import { nameSuffix } from "./workload/stable-hash.ts";
import { refusedSome } from "./workload/refused.ts";

/** Bounds one transaction. The pods that it touches wake the actor for the rest. */
export const writesMax = 200;

export type World = {
  readonly nodes: readonly Node[];
  /** Its pods, and those of its namespace that it may adopt. */
  readonly pods: readonly PlacedPod[];
  readonly revisions: readonly ControllerRevision[];
  readonly failures: Failures;
};
type DaemonSetDecision = Decision<Pod | ControllerRevision, DaemonSet>;

/** Takes the next step towards one pod of the template's revision on each node where one belongs. */
export function decide(self: DaemonSet, world: World, now: EpochMs): DaemonSetDecision {
  const history = historyOf(self, world.revisions);
  const claimed = claims(
    self,
    self.spec.selector,
    world.pods.map((one) => one.pod),
  );
  const owned = new Set(claimed.owned.map(({ metadata }) => metadata.name));
  const daemons = world.pods
    .filter((one) => owned.has(one.pod.metadata.name))
    .map((one) => daemonOf(self, one, history.update.hash, now))
    .toSorted(oldestFirst);
  const sites = sitesOf(self, world.nodes, daemons);
  const status = statusOf(self, sites);
  const wakeAt = nextWake(self, daemons, world.failures, now);
  if (self.metadata.deletionTimestamp !== undefined) {
    return { writes: [], status: self.status && status, wakeAt, events: [] };
  }
  if (history.collided) {
    const collisionCount = (self.status?.collisionCount ?? 0) + 1;
    return { writes: [], status: { ...status, collisionCount }, wakeAt, events: [] };
  }
  // What is adopted in this turn is ended in the next: one write a key.
  const adopting = new Set(claimed.writes.map(({ object }) => object.metadata.name));
  const planned = nextStep(sites, rollingOf(self, sites));
  const { failures } = world;
  const homes = new Set(sites.filter(({ stays }) => stays).map((site) => site.node));
  const waits = (one: Daemon) => homes.has(homeOf(one)) && isKept(one, failures, now);
  const step = bounded(planned, (one) => adopting.has(nameOf(one)) || waits(one));
  const failed = step.deletes.filter(hasFailed).map(homeOf);
  const born = step.creates.map((on) => {
    const { name, uid, resourceVersion = "" } = self.metadata;
    // O1: a turn that is decided twice creates once.
    const made = `${name.slice(0, 57)}-${nameSuffix([uid, resourceVersion, on], 5)}`;
    return daemonPod(self, { name: made, node: on, hash: history.update.hash });
  });
  const hashes = new Set(daemons.map((one) => one.placed.pod.metadata.labels?.[revisionLabel]));
  const isLive = (one: ControllerRevision) =>
    one.metadata.name === history.update.name || hashes.has(hashOf(one));
  return {
    writes: [
      ...history.writes,
      ...claimed.writes,
      ...step.deletes.map((one) => remove(one.placed.pod)),
      ...born.map(create),
      ...expiredRevisions(history, isLive, self.spec.revisionHistoryLimit),
    ],
    status,
    wakeAt,
    ...(failed.length > 0 && {
      remember: {
        generation: self.metadata.generation,
        failures: withEnded(failures, failed, now),
      } satisfies Memory,
    }),
    events: [
      ...step.deletes.flatMap(deleteNotes),
      ...born.map(({ metadata }) => normal("SuccessfulCreate", `Created pod: ${metadata.name}`)),
    ],
  };
}

function daemonOf(self: DaemonSet, one: PlacedPod, hash: string, now: EpochMs): Daemon {
  const at = availableAtMs(one, self.spec.minReadySeconds);
  const { metadata } = one.pod;
  return {
    placed: one,
    updated: metadata.labels?.[revisionLabel] === hash,
    staying: metadata.deletionTimestamp === undefined,
    over: isTerminal(one.pod),
    available: at !== undefined && at <= now,
  };
}

/** Those that stay before those that go; bound before waiting; then by age. */
function oldestFirst(a: Daemon, b: Daemon): number {
  const rank = ({ staying, placed: { pod } }: Daemon) =>
    (staying ? 0 : 2) + ((pod.spec.nodeName ?? "") === "" ? 1 : 0);
  return rank(a) - rank(b) || createdMs(a) - createdMs(b) || (nameOf(a) < nameOf(b) ? -1 : 1);
}

const nameOf = ({ placed: { pod } }: Daemon) => pod.metadata.name;
const createdMs = ({ placed: { pod } }: Daemon) =>
  Date.parse(pod.metadata.creationTimestamp ?? "") || 0;

/** Every node, and every pod that was made for one which is no more: it belongs nowhere. */
function sitesOf(
  self: DaemonSet,
  nodes: readonly Node[],
  daemons: readonly Daemon[],
): readonly Site[] {
  const byNode = Map.groupBy(daemons, (one) => nodeOf(one.placed.pod) ?? "");
  const there = nodes
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map((one) => ({
      node: one.metadata.name,
      daemons: byNode.get(one.metadata.name) ?? [],
      ...eligibility(self, one),
    }));
  const known = new Set(nodes.map(({ metadata }) => metadata.name));
  const lost = [...byNode].filter(([name]) => !known.has(name));
  return [
    ...there,
    ...lost.map(([name, daemons]) => ({ node: name, daemons, runs: false, stays: false })),
  ];
}

/** Percentages are of the nodes where a pod belongs, rounded up. */
function rollingOf({ spec }: DaemonSet, sites: readonly Site[]): Rolling {
  const { type, rollingUpdate } = spec.updateStrategy;
  if (type !== "RollingUpdate") return undefined;
  const desired = sites.filter(({ runs }) => runs).length;
  const surge = Math.ceil(podsOf(rollingUpdate?.maxSurge ?? 0, desired));
  const unavailable = Math.ceil(podsOf(rollingUpdate?.maxUnavailable ?? 1, desired));
  return { surge, unavailable: surge === 0 ? Math.max(unavailable, 1) : 0 };
}

function deleteNotes(one: Daemon): readonly EventNote[] {
  const { status, metadata } = one.placed.pod;
  const named = `daemon pod ${metadata.namespace}/${metadata.name} on node ${nodeOf(one.placed.pod)}`;
  const over = {
    Failed: warning("FailedDaemonPod", `Found failed ${named}, will try to kill it`),
    Succeeded: normal("SucceededDaemonPod", `Found succeeded ${named}, will try to delete it`),
  };
  return [
    ...(one.over ? [status?.phase === "Failed" ? over.Failed : over.Succeeded] : []),
    normal("SuccessfulDelete", `Deleted pod: ${metadata.name}`),
  ];
}

function bounded({ creates, deletes }: Step, waits: (one: Daemon) => boolean): Step {
  const ending = deletes.filter((one) => !waits(one)).slice(0, writesMax);
  return { creates: creates.slice(0, writesMax - ending.length), deletes: ending };
}

const hasFailed = ({ placed: { pod } }: Daemon): boolean => pod.status?.phase === "Failed";
const homeOf = (one: Daemon): string => nodeOf(one.placed.pod) ?? "";

/** Its predecessors failed, too, so its successor waits. */
const isKept = (one: Daemon, failures: Failures, now: EpochMs): boolean =>
  hasFailed(one) && now < keptUntil(failures, homeOf(one));

function nextWake(
  { spec }: DaemonSet,
  daemons: readonly Daemon[],
  failures: Failures,
  now: EpochMs,
): EpochMs | undefined {
  const times = daemons.flatMap((one) => [
    ...(hasFailed(one) && one.staying ? [keptUntil(failures, homeOf(one))] : []),
    ...[availableAtMs(one.placed, spec.minReadySeconds) ?? []].flat(),
  ]);
  const later = times.filter((at) => at > now);
  return later.length > 0 ? Math.min(...later) : undefined;
}

/** Of a node with several pods the first one counts: the old one, until it goes. */
function statusOf(self: DaemonSet, sites: readonly Site[]): DaemonSetStatus {
  const wanted = sites.filter(({ runs }) => runs);
  const first = wanted.flatMap(({ daemons: [one] }) => one ?? []);
  const available = first.filter((one) => one.available).length;
  const { collisionCount, conditions } = self.status ?? {};
  return {
    currentNumberScheduled: first.length,
    numberMisscheduled: sites.filter(({ runs, daemons }) => !runs && daemons.length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: first.filter(isReady).length,
    observedGeneration: self.metadata.generation ?? 0,
    updatedNumberScheduled: first.filter((one) => one.updated && one.staying).length,
    numberAvailable: available,
    numberUnavailable: wanted.length - available,
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions !== undefined && { conditions }),
  };
}

const isReady = ({ staying, placed: { pod, nodeReady } }: Daemon) =>
  staying && nodeReady && readySinceMs(pod) !== undefined;

const setsIn = (view: ClusterView) => (namespace: string) => view.list(daemonSet, { namespace });

/** A node concerns every DaemonSet. */
function* concerns(change: ObjectChange, view: ClusterView): Iterable<string> {
  const all = setsIn(view);
  const object = change.after ?? change.before;
  if (object?.apiVersion === "v1" && object.kind === "Node") {
    for (const { metadata } of view.list(daemonSet)) yield actorName(metadata);
    return;
  }
  yield* revisionConcerns(change, all);
  yield* podConcerns(change, view, {
    kind: "DaemonSet",
    all: (namespace) =>
      all(namespace).map(({ metadata, spec }) => ({ metadata, selector: spec.selector })),
  });
}

export const daemonSets = controller<
  typeof daemonSet,
  typeof pod | typeof controllerRevision,
  World
>({
  kind: daemonSet,
  owns: [pod, controllerRevision],
  read: (view, self, { remembered }): World => ({
    nodes: view.list(node),
    pods: podsFor(view, self, self.spec.selector),
    revisions: revisionsFor(view, self),
    failures: failuresIn(remembered, self.metadata.generation),
  }),
  decide,
  refused: refusedSome,
  concerns,
});
