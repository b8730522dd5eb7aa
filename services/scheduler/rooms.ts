/** The rooms of a view, kept up with its changes: only nodes that something happened to are read again. */
import { dequal } from "dequal";
import { parseKey } from "../../libs/cluster/key.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import { node as nodeKind } from "../../libs/model/kinds/node.ts";
import { allocatedAnnotation } from "../../libs/model/pod/allocated.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import type { Change, Replica } from "../../libs/store/replica.ts";
import { claimOf, isNominated, type PodFacts, takesRoom } from "./claim.ts";
import { type Cohorts, countCohorts } from "./decisions/cohorts.ts";
import type { Nominated } from "./decisions/place.ts";
import { type NodeFacts, type Room, roomOf } from "./room.ts";

export type Rooms = Disposable & {
  /** Every node's room at the view's cut, who is alike in them, and for whom room is being made. */
  now(): {
    readonly rooms: readonly Room[];
    readonly cohorts: Cohorts;
    readonly nominated: readonly Nominated[];
  };
  /** That of one node. */
  at(node: string): Room | undefined;
};

/** Follows the replica until disposed. Who subscribes to that later finds the rooms as of its own cut. */
export function rooms(view: ClusterView, replica: Pick<Replica<unknown>, "subscribe">): Rooms {
  const known = new Map<string, Room>();
  const cohorts = countCohorts();
  const stale = new Set(view.list(nodeKind).map(({ metadata }) => metadata.name));
  const nominated = new Map<string, Nominated>();
  for (const pod of view.list(podKind)) {
    const one = nominationOf(pod);
    if (one !== undefined) nominated.set(one.claim.address, one);
  }

  function refresh(): void {
    for (const name of stale) {
      const node = view.get(nodeKind, undefined, name);
      const was = known.get(name);
      const is = node && roomOf(node, view.list(podKind, { node: name }));
      if (is === undefined) known.delete(name);
      else known.set(name, is);
      // Those that have come first: what stays is not forgotten in between.
      for (const claim of is?.claims ?? []) cohorts.count(claim, name, 1);
      for (const claim of was?.claims ?? []) cohorts.count(claim, name, -1);
    }
    stale.clear();
  }

  function note(change: Change<unknown>): void {
    const { resource, name } = parseKey(change.key);
    if (resource === "nodes") stale.add(name);
    if (resource !== "pods") return;
    const [before, after] = [podIn(change.before), podIn(change.after)];
    for (const pod of [before, after]) {
      if ((pod?.spec.nodeName ?? "") !== "") stale.add(pod?.spec.nodeName ?? "");
    }
    const [was, is] = [nominationOf(before), nominationOf(after)];
    if (is !== undefined) nominated.set(is.claim.address, is);
    else if (was !== undefined) nominated.delete(was.claim.address);
  }

  const changes = replica.subscribe((advance) => {
    for (const change of advance.changes) note(change);
  });
  return {
    now() {
      refresh();
      return { rooms: [...known.values()], cohorts, nominated: [...nominated.values()] };
    },
    at(node) {
      refresh();
      return known.get(node);
    },
    [Symbol.dispose]: () => changes[Symbol.dispose](),
  };
}

/** What a change may mean for pods that fitted nowhere. */
export type Noted = {
  /** Nodes that may have more room than before. */
  readonly nodes: readonly string[];
  /** Something of a Node that decides what fits there, its going too. */
  readonly isOfNode: boolean;
};

export function roomMadeBy(change: Change<unknown>): Noted {
  const { resource, name } = parseKey(change.key);
  if (resource === "nodes") {
    const isOfNode = nodeMoved(change);
    return { nodes: isOfNode ? [name] : [], isOfNode };
  }
  if (resource !== "pods") return noted;
  const [before, after] = [podIn(change.before), podIn(change.after)];
  const [was, is] = [nominationOf(before), nominationOf(after)];
  const nodes = [
    ...(before !== undefined && isLeft(before, after) ? [before.spec.nodeName ?? ""] : []),
    ...(was !== undefined && was.node !== is?.node ? [was.node] : []),
  ];
  return { nodes, isOfNode: false };
}

const noted: Noted = { nodes: [], isOfNode: false };

function nominationOf(pod: PodFacts | undefined): Nominated | undefined {
  if (pod === undefined || !isNominated(pod)) return undefined;
  const claim = claimOf(pod);
  return { claim, node: claim.nominated };
}

/** Whether less of the pod counts where it was than before. */
const isLeft = (before: PodFacts, after: PodFacts | undefined): boolean =>
  holds(before) && (after === undefined || !holds(after) || shrinks(before, after));

const holds = (pod: PodFacts) => (pod.spec.nodeName ?? "") !== "" && takesRoom(pod);

/** Less counts of it: its spec changed, or it gave up growing in one resource for another. */
function shrinks(before: PodFacts, after: PodFacts): boolean {
  const [was, is] = [before, after].map(({ metadata }) => metadata);
  const isSame =
    was?.generation === is?.generation &&
    was?.annotations?.[allocatedAnnotation] === is?.annotations?.[allocatedAnnotation];
  if (isSame) return false;
  const [had, has] = [claimOf(before).requests, claimOf(after).requests];
  return Object.entries(had).some(([name, amount]) => (has[name] ?? 0) < amount);
}

/** Anything but a status without consequence, such as a heartbeat's time or an image that is there. */
function nodeMoved({ before, after }: Change<unknown>): boolean {
  const [was, is] = [nodeIn(before), nodeIn(after)];
  return !dequal(was && takingOf(was), is && takingOf(is));
}

const takingOf = (node: NodeFacts) => ({ ...roomOf(node, []), images: undefined });

type Side = { readonly value: unknown } | undefined;

// Admission wrote what lies at these keys as pods and nodes.
export const podIn = (side: Side) => side?.value as PodFacts | undefined;
const nodeIn = (side: Side) => side?.value as NodeFacts | undefined;
