/** Which pods may grow where they are: pure, against the rooms of one cut. */
import { type Amounts, claimOf, plus, type PodFacts, requestsOf } from "../claim.ts";
import type { Room } from "../room.ts";

export type Sized<P> = {
  readonly granted: readonly P[];
  readonly refused: readonly {
    readonly pod: P;
    /** Infeasible: its node is too small, whatever else goes. */
    readonly reason: "Deferred" | "Infeasible";
    readonly message: string;
  }[];
  /** With what was granted. */
  readonly rooms: readonly Room[];
};

/** Never more on a node than it has room for; the higher priority first, then the older, then by name. */
export function resize<P extends PodFacts>(pods: readonly P[], rooms: readonly Room[]): Sized<P> {
  const now = new Map(rooms.map((room) => [room.name, room]));
  const granted: P[] = [];
  const refused: Sized<P>["refused"][number][] = [];
  for (const pod of pods.toSorted(inOrder)) {
    const room = now.get(pod.spec.nodeName ?? "");
    if (room === undefined) continue; // Its end is near: a pod goes with its Node.
    const wanted = requestsOf(pod.spec);
    const others = differenceOf(room.taken, claimOf(pod).requests);
    const fault = faultOf(wanted, { has: claimOf(pod).requests, others, room });
    if (fault === undefined) {
      granted.push(pod);
      now.set(room.name, { ...room, taken: plus(others, wanted) });
    } else {
      refused.push({ pod, ...fault });
    }
  }
  return { granted, refused, rooms: rooms.map((room) => now.get(room.name) ?? room) };
}

type Fault = Omit<Sized<unknown>["refused"][number], "pod">;

/** In the kubelet's words. */
function faultOf(
  wanted: Amounts,
  {
    has,
    others,
    room: { allocatable },
  }: { readonly has: Amounts; readonly others: Amounts; readonly room: Room },
): Fault | undefined {
  const growing = Object.entries(wanted).filter(([name, amount]) => amount > (has[name] ?? 0));
  for (const [name, amount] of growing) {
    const capacity = allocatable[name] ?? 0;
    if (amount <= capacity) continue;
    const message = `Node didn't have enough capacity: ${name}, requested: ${amount}, capacity: ${capacity}`;
    return { reason: "Infeasible", message };
  }
  for (const [name, amount] of growing) {
    const [used, capacity] = [others[name] ?? 0, allocatable[name] ?? 0];
    if (used + amount <= capacity) continue;
    const message = `Node didn't have enough resource: ${name}, requested: ${amount}, used: ${used}, capacity: ${capacity}`;
    return { reason: "Deferred", message };
  }
  return undefined;
}

function inOrder(one: PodFacts, other: PodFacts): number {
  const [a, b] = [claimOf(one), claimOf(other)];
  if (a.priority !== b.priority) return b.priority - a.priority;
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.address < b.address ? -1 : 1;
}

const differenceOf = (a: Amounts, b: Amounts): Amounts =>
  Object.fromEntries(Object.entries(a).map(([name, amount]) => [name, amount - (b[name] ?? 0)]));
