/** The next step of a StatefulSet: which pods to make and which to end, at one cut. */
import type { PlacedPod } from "../workload/pod-state.ts";

/** A pod that is there, whatever its state. */
export type Member = {
  readonly ordinal: number;
  readonly placed: PlacedPod;
  /** It is of the template's revision. */
  readonly updated: boolean;
  /** Nobody deleted it. */
  readonly staying: boolean;
  /** It ended by itself, and will not run again. */
  readonly over: boolean;
  /** It is staying, and has been ready for as long as it takes. */
  readonly available: boolean;
};

export type Wanted = {
  readonly start: number;
  readonly replicas: number;
  /** Whether pods wait for one another. */
  readonly ordered: boolean;
  /** Undefined: old pods stay until someone deletes them. */
  readonly rolling: { readonly partition: number; readonly maxUnavailable: number } | undefined;
  /** Ordinals whose names others hold. */
  readonly occupied: ReadonlySet<number>;
};

/** Bounds what one turn creates. */
export const createsMax = 100;

/**
 * How many of the wanted ordinals a turn looks at: among these enough are missing for one turn, or
 * they are all. (A StatefulSet may ask for two thousand million pods.)
 *
 * @param there pods that there are
 */
export const reachOf = (replicas: number, there: number): number =>
  Math.min(replicas, there + createsMax);

export type Step = { readonly creates: readonly number[]; readonly deletes: readonly Member[] };

/**
 * Ordered: one pod after another, each only when all before it are available; the last one goes first,
 * and the next when it is gone. Parallel: all at once. Either way old pods are replaced from the last
 * one down, when nothing is left to make or end.
 */
export function nextStep(members: readonly Member[], wanted: Wanted): Step {
  const byOrdinal = new Map(members.map((one) => [one.ordinal, one]));
  const reach = reachOf(wanted.replicas, members.length);
  const slots = Array.from({ length: reach }, (_, nth) => {
    const ordinal = wanted.start + nth;
    return { ordinal, member: byOrdinal.get(ordinal) };
  });
  const end = wanted.start + wanted.replicas;
  const condemned = members
    .filter(({ ordinal }) => ordinal < wanted.start || ordinal >= end)
    .toSorted((a, b) => b.ordinal - a.ordinal);
  return wanted.ordered
    ? orderedStep(slots, condemned, wanted)
    : parallelStep(slots, condemned, wanted);
}

type Slot = { readonly ordinal: number; readonly member: Member | undefined };
const nothing: Step = { creates: [], deletes: [] };

function orderedStep(slots: readonly Slot[], condemned: readonly Member[], wanted: Wanted): Step {
  const first = slots.find(({ member }) => member?.available !== true);
  if (first !== undefined) return repair([first], wanted);
  const [last] = condemned;
  if (last !== undefined) return last.staying ? { creates: [], deletes: [last] } : nothing;
  return { creates: [], deletes: outdated(slots, wanted) };
}

function parallelStep(slots: readonly Slot[], condemned: readonly Member[], wanted: Wanted): Step {
  const { creates, deletes } = repair(slots, wanted);
  const repaired = new Set(deletes);
  const others = outdated(slots, wanted).filter((one) => !repaired.has(one));
  return { creates, deletes: [...deletes, ...condemned.filter((one) => one.staying), ...others] };
}

/** What is missing is made; what ended by itself goes, and is made when it is gone. */
function repair(slots: readonly Slot[], { occupied }: Wanted): Step {
  return {
    creates: slots
      .filter(({ ordinal, member }) => member === undefined && !occupied.has(ordinal))
      .slice(0, createsMax)
      .map(({ ordinal }) => ordinal),
    deletes: slots.flatMap(({ member }) =>
      member?.over === true && member.staying ? [member] : [],
    ),
  };
}

/**
 * Old pods to end now, from the last one down, each when those after it are new and available. Never
 * so many that with those missing already, for whatever reason, more than `maxUnavailable` are; but an
 * old pod that is missing itself costs nothing. When only such ones stand in the way of the last old
 * pod, they go before it, so that a broken revision can always be left.
 */
function outdated(slots: readonly Slot[], { rolling, replicas }: Wanted): readonly Member[] {
  if (rolling === undefined || slots.length < replicas) return [];
  const { partition, maxUnavailable } = rolling;
  let spare = maxUnavailable - slots.filter(({ member }) => member?.available !== true).length;
  let awaited = 0;
  const doomed: Member[] = [];
  for (const { member } of slots.slice(partition).toReversed()) {
    if (awaited >= maxUnavailable) return doomed;
    const isOld = member?.staying === true && !member.updated;
    if (isOld && member.available) {
      if (spare <= 0) break;
      spare -= 1;
    }
    if (isOld) doomed.push(member);
    if (isOld || member?.available !== true) awaited += 1;
  }
  if (doomed.length + awaited > 0) return doomed;
  const broken = slots
    .slice(partition)
    .findLast(({ member }) => member?.staying === true && !member.updated && !member.available);
  return broken?.member === undefined ? [] : [broken.member];
}
