/** The rooms of a view, kept up with its changes: only nodes that something happened to are read again. */
import { dequal } from "dequal";
import { parseKey } from "../../libs/cluster/key.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import { node as nodeKind } from "../../libs/model/kinds/node.ts";
import { allocatedAnnotation } from "../../libs/model/pod/allocated.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import type { Change } from "../../libs/store/replica.ts";
import { claimOf, type PodFacts, takesRoom } from "./claim.ts";
import { type Cohorts, countCohorts } from "./decisions/cohorts.ts";
import { type NodeFacts, type Room, roomOf } from "./room.ts";

export type Rooms = {
  /** Every node's room at the view's cut, and who is alike in them. */
  now(view: ClusterView): { readonly rooms: readonly Room[]; readonly cohorts: Cohorts };
  /**
   * Notes a change.
   *
   * @returns whether it may make room for a pod that fitted nowhere
   */
  note(change: Change<unknown>): boolean;
};

export function rooms(view: ClusterView): Rooms {
  const known = new Map<string, Room>();
  const cohorts = countCohorts();
  const stale = new Set(view.list(nodeKind).map(({ metadata }) => metadata.name));
  return {
    now(view) {
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
      return { rooms: [...known.values()], cohorts };
    },
    note(change) {
      const { resource, name } = parseKey(change.key);
      if (resource === "nodes") {
        stale.add(name);
        return nodeMadeRoom(change);
      }
      if (resource !== "pods") return false;
      const [before, after] = [podIn(change.before), podIn(change.after)];
      for (const pod of [before, after]) {
        if ((pod?.spec.nodeName ?? "") !== "") stale.add(pod?.spec.nodeName ?? "");
      }
      if (before === undefined || !holds(before)) return false;
      return after === undefined || !holds(after) || shrinks(before, after);
    },
  };
}

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

/** Anything but a status without consequence, such as a heartbeat's time. */
function nodeMadeRoom({ before, after }: Change<unknown>): boolean {
  if (after === undefined) return false;
  const [was, is] = [nodeIn(before), nodeIn(after)];
  return is !== undefined && !dequal(was && roomOf(was, []), roomOf(is, []));
}

type Side = { readonly value: unknown } | undefined;

// Admission wrote what lies at these keys as pods and nodes.
export const podIn = (side: Side) => side?.value as PodFacts | undefined;
const nodeIn = (side: Side) => side?.value as NodeFacts | undefined;
