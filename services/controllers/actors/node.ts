import { dequal } from "dequal";
import { allocKey } from "../../../libs/cluster/key.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import { apiVersionOf } from "../../../libs/model/kind.ts";
import { lease, nodeLeaseNamespace } from "../../../libs/model/kinds/lease.ts";
import { node, type Node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { isLive } from "../../../libs/model/pod/state.ts";
import { directoriesFolder } from "../../../libs/model/storage/host-path.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import {
  controller,
  type Decision,
  type Newborn,
  normal,
  type ObjectChange,
  remove,
  type Surroundings,
  update,
} from "../controller.ts";
import type { KeptNode } from "../sessions/kept-nodes.ts";
import type { ObservedNode } from "../sessions/observed-nodes.ts";
import { freePodRange } from "./node/pod-range.ts";
import { type Readiness, readinessOf, readyOf } from "./node/readiness.ts";
import { evictionAt, notReady, type Taint, taintsFor, unreachable } from "./node/taints.ts";

/** Bounds one transaction: each eviction writes the pod and its assignment. */
export const evictionsMax = 200;
/** N5: which engine the node is; a node that has it has an agent of ours. */
export const engineAnnotation = "berth.dev/engine";

export type World = {
  /** The agent's heartbeats as this instance heard them, with their age (N1). */
  readonly observed: ObservedNode | undefined;
  /** The silence of agents may be judged now, by this instance (N4). */
  readonly judgeable: boolean;
  /** A node without an agent of ours, as this instance saw it; undefined: unknown (N1). */
  readonly kept: KeptNode | undefined;
  /** Bound to the node. */
  readonly pods: readonly Pod[];
  /** For a node that has none. */
  readonly freeRange: string | undefined;
};

/** Writes down what the node says, judges its silence, and evicts what its taints do not bear. */
export function decide(self: Node, world: World, now: EpochMs): Decision<Pod, Node> {
  const ours = hasAgent(self) || world.observed !== undefined;
  const readiness = readinessOf(self, { ...world, ours }, now);
  const { conditions, heard } = readiness;
  const facts = heard ? world.observed?.facts : undefined;
  const cordoned = self.spec.unschedulable === true;
  const taints = taintsFor(self.spec.taints ?? [], { conditions, cordoned }, now);
  const next = written(self, facts, taints, world.freeRange);
  const { doomed, wakeAt } = evictions(world.pods, effective(taints, readiness), now);
  const wakes = [readiness.wakeAt, wakeAt].filter((at) => at !== undefined);
  const was = readyOf(self.status?.conditions)?.status;
  const is = readyOf(conditions)?.status;
  return {
    writes: doomed.map((one) => remove(one, { disruption: eviction })),
    status: statusOf(self, facts, readiness),
    wakeAt: wakes.length > 0 ? Math.min(...wakes) : undefined,
    events: [
      ...(is === was || is === undefined ? [] : [readyNote(self.metadata.name, is)]),
      ...doomed.map(({ metadata }) =>
        normal(
          "TaintManagerEviction",
          `Marking for deletion Pod ${metadata.namespace}/${metadata.name}`,
        ),
      ),
    ],
    self: dequal(next, self) ? undefined : update(next),
  };
}

/** N5: a node that has its engine's id has, or had, an agent of ours. */
const hasAgent = ({ metadata }: Node) => metadata.annotations?.[engineAnnotation] !== undefined;

const eviction = {
  reason: "DeletionByTaintManager",
  message: "Taint manager: deleting due to NoExecute taint",
};

const readyNote = (name: string, is: string) =>
  is === "True"
    ? normal("NodeReady", `Node ${name} status is now: NodeReady`)
    : normal("NodeNotReady", `Node ${name} status is now: NodeNotReady`);

/** N4: what was not judged now evicts nobody, though its taint may still be written. */
const effective = (taints: readonly Taint[], { judged }: Readiness): readonly Taint[] =>
  judged ? taints : taints.filter(({ key }) => key !== unreachable);

function evictions(
  pods: readonly Pod[],
  taints: readonly Taint[],
  now: EpochMs,
): { readonly doomed: readonly Pod[]; readonly wakeAt: EpochMs | undefined } {
  const due = pods.filter(isLive).flatMap((one) => {
    const at = evictionAt(one, taints, now);
    return at === undefined ? [] : [{ one, at }];
  });
  const later = due.map(({ at }) => at).filter((at) => at > now);
  const doomed = due.filter(({ at }) => at <= now).map(({ one }) => one);
  return {
    doomed: doomed.slice(0, evictionsMax),
    wakeAt: later.length > 0 ? Math.min(...later) : undefined,
  };
}

type Facts = ObservedNode["facts"] | undefined;

function written(
  self: Node,
  facts: Facts,
  taints: readonly Taint[],
  freeRange: string | undefined,
): Node {
  const { metadata, spec } = self;
  const hasRange = spec.podCIDR !== undefined && spec.podCIDR !== "";
  const { taints: _taints, ...rest } = spec;
  return {
    ...self,
    metadata: {
      ...metadata,
      ...(facts && { labels: { ...metadata.labels, ...facts.labels } }),
      ...(facts && { annotations: { ...metadata.annotations, ...annotationsOf(facts) } }),
    },
    spec: {
      ...rest,
      ...(taints.length > 0 && { taints: [...taints] }),
      ...(!hasRange && freeRange !== undefined && { podCIDR: freeRange, podCIDRs: [freeRange] }),
    },
  };
}

const annotationsOf = ({ engineId, volumesFolder }: NonNullable<Facts>) => ({
  [engineAnnotation]: engineId,
  ...(volumesFolder !== undefined && { [directoriesFolder]: volumesFolder }),
});

function statusOf(self: Node, facts: Facts, { conditions }: Readiness): Node["status"] {
  const reported = facts && {
    addresses: facts.addresses,
    capacity: facts.capacity,
    allocatable: facts.allocatable,
    nodeInfo: facts.nodeInfo,
    ...(facts.images !== undefined && { images: facts.images }),
  };
  const status = { ...self.status, ...reported, conditions } as Node["status"]; // Admission parses it.
  return dequal(status, { conditions: [], ...self.status }) ? self.status : status;
}

/** A pod on a node that evicts concerns it, and the Lease of a node without an agent of ours. */
function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
  const { kind, apiVersion, metadata } = after ?? before ?? {};
  if (kind === lease.kind && apiVersion === apiVersionOf(lease)) {
    if (metadata?.namespace !== nodeLeaseNamespace) return;
    const keeps = view.get(node, undefined, metadata.name ?? "");
    if (keeps !== undefined && !hasAgent(keeps)) yield keeps.metadata.name;
  }
  if (after?.kind !== "Pod" || after.apiVersion !== "v1") return;
  const { spec } = after as unknown as Pod; // A v1 Pod.
  const home = spec.nodeName === undefined ? undefined : view.get(node, undefined, spec.nodeName);
  if (home?.spec.taints?.some(({ effect }) => effect === "NoExecute")) yield home.metadata.name;
}

function freeRangeOf(
  view: ClusterView,
  name: string,
  { settings }: Surroundings,
): string | undefined {
  return freePodRange(
    settings.podCIDR,
    name,
    (range) => view.raw.get(allocKey("pod-cidr", range)) !== undefined,
  );
}

/** A node whose agent is heard registers itself. */
function make(name: string, view: ClusterView, around: Surroundings): Newborn | undefined {
  const observed = around.nodes.seen(name);
  if (observed === undefined || observed.ageMs > 4_000) return undefined;
  const range = freeRangeOf(view, name, around);
  const { facts } = observed;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: facts.labels, annotations: annotationsOf(facts) },
    spec: {
      // Its first turn says whether it is ready; until then nothing is bound to it.
      taints: [{ key: notReady, effect: "NoSchedule" }],
      ...(range !== undefined && { podCIDR: range, podCIDRs: [range] }),
    },
  } as Newborn;
}

const namesOf = (all: readonly Node[]) => all.map(({ metadata }) => metadata.name);

export const nodes = controller({
  kind: node,
  owns: [pod],
  read(view, self, around): World {
    const { name } = self.metadata;
    const { podCIDR = "" } = self.spec;
    const observed = around.nodes.seen(name);
    const ours = hasAgent(self) || observed !== undefined;
    return {
      observed,
      // Every node is looked at only where it matters: those that are kept turn with every renewal.
      judgeable: ours && around.nodes.judgeable(namesOf(view.list(node).filter(hasAgent))),
      kept: ours ? undefined : around.kept?.seen(name),
      pods: view.list(pod, { node: name }),
      freeRange: podCIDR === "" ? freeRangeOf(view, name, around) : undefined,
    };
  },
  decide,
  concerns,
  missing: { names: [], make },
});
