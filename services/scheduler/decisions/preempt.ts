/**
 * Which pods go so that one of a higher priority has room: pure. Of all nodes where that helps the one
 * where it does the least harm, and never more than the budgets allow.
 *
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
import type { Claim } from "../claim.ts";
import { type Room, withoutTaken } from "../room.ts";
import { type Heap, heapOf } from "./heap.ts";
import type { Near } from "./near.ts";

/** The disruption budgets of a cut. */
export type Budgets = {
  /** Those that count the pod's going, by an id. */
  of(claim: Claim): readonly string[];
  /** How many more disruptions one allows. */
  allowed(budget: string): number;
};

export const noBudgets: Budgets = { of: () => [], allowed: () => 0 };

/** Where room is made, and what goes for it: nothing, where those that have to are going already. */
export type Nomination = { readonly node: string; readonly victims: readonly Claim[] };

export type Preemption = {
  /** Where room can be made for the pod; those that go for it count as going from now on. */
  nominate(claim: Claim, near: Near): Nomination | undefined;
};

type Candidate = {
  readonly at: number;
  readonly room: Room;
  readonly victims: readonly Claim[];
  readonly harm: Harm;
  /** How many charges of budgets had been made when it was judged. */
  readonly charges: number;
};

/** Pods that ask the same, at one priority. */
type Class = { readonly claim: Claim; readonly near: Near; readonly heap: Heap<Candidate> };

/**
 * @param rooms as they are now: it changes as the batch goes on, and the harm only rises but for what
 * `nominate` itself does
 * @param isOpen what the going of pods does not change
 * @param fits what it does change, other pods' terms apart
 */
export function preemptionIn(
  rooms: readonly Room[],
  {
    isOpen,
    fits,
    budgets,
  }: {
    readonly isOpen: (claim: Claim, room: Room) => boolean;
    readonly fits: (claim: Claim, room: Room) => boolean;
    readonly budgets: Budgets;
  },
): Preemption {
  const classes = new Map<string, Class>();
  /** Addresses. */
  const leaving = new Set<string>();
  const charged = new Map<string, number>();
  let charges = 0;
  let lowest: number | undefined;

  const isLeaving = (claim: Claim) => claim.ending || leaving.has(claim.address);
  const left = (budget: string) => budgets.allowed(budget) - (charged.get(budget) ?? 0);

  function judge({ claim, near }: Pick<Class, "claim" | "near">, at: number) {
    const room = rooms[at];
    if (room === undefined || !isOpen(claim, room)) return undefined;
    const spent = new Map<string, number>();
    const mayGo = (one: Claim): boolean => {
      const ids = budgets.of(one);
      if (!ids.every((id) => left(id) > (spent.get(id) ?? 0))) return false;
      for (const id of ids) spent.set(id, (spent.get(id) ?? 0) + 1);
      return true;
    };
    const lower = lowerThan(claim, room);
    const gone = lower.filter(isLeaving);
    const possible = lower.filter((one) => !isLeaving(one) && mayGo(one));
    if (!suits(claim, near, room, [...gone, ...possible])) return undefined;
    // Room grows with each that goes: the least important that suffice are those that Kubernetes finds.
    const victims: Claim[] = [];
    for (const one of possible) {
      if (suits(claim, near, room, gone)) break;
      gone.push(one);
      victims.push(one);
    }
    // Some that went before the last one may stay.
    for (const one of victims.toReversed()) {
      const others = gone.filter((other) => other !== one);
      if (suits(claim, near, room, others)) gone.splice(gone.indexOf(one), 1);
    }
    const going = victims.filter((one) => gone.includes(one));
    return { at, room, victims: going, harm: harmOf(going), charges };
  }

  function suits(claim: Claim, near: Near, room: Room, gone: readonly Claim[]): boolean {
    if (!fits(claim, withoutTaken(room, gone))) return false;
    return near.isAlone || near.refusalWithout(room, gone) === undefined;
  }

  function classOf(claim: Claim, near: Near): Class {
    const key = `${claim.priority}${claim.sameAs}${near.isAlone ? "" : claim.alike}`;
    const known = classes.get(key);
    if (known !== undefined) return known;
    const candidates = rooms.flatMap((_, at) => judge({ claim, near }, at) ?? []);
    const made = { claim, near, heap: heapOf(candidates, isLess) };
    classes.set(key, made);
    return made;
  }

  function best(of: Class): Candidate | undefined {
    const { heap, near } = of;
    for (let first = heap.pop(); first !== undefined; first = heap.pop()) {
      const isCurrent = near.isAlone && rooms[first.at] === first.room && first.charges === charges;
      const now = isCurrent ? first : judge(of, first.at);
      if (now === undefined) continue;
      const next = heap.peek();
      if (isCurrent || next === undefined || !isLess(next, now)) return now;
      heap.push(now);
    }
    return undefined;
  }

  function take({ room, at, victims }: Candidate): Nomination {
    for (const one of victims) {
      leaving.add(one.address);
      for (const id of budgets.of(one)) {
        charged.set(id, (charged.get(id) ?? 0) + 1);
        charges += 1;
      }
    }
    for (const one of classes.values()) {
      const anew = judge(one, at);
      if (anew !== undefined) one.heap.push(anew);
    }
    return { node: room.name, victims };
  }

  return {
    nominate(claim, near) {
      if (!claim.preempts) return undefined;
      lowest ??= lowestIn(rooms);
      if (claim.priority <= lowest) return undefined;
      if (claim.nominated !== "") {
        const at = rooms.findIndex(({ name }) => name === claim.nominated);
        const kept = judge({ claim, near }, at);
        if (kept?.victims.length === 0) return take(kept);
      }
      const found = best(classOf(claim, near));
      return found && take(found);
    },
  };
}

const sorted = new WeakMap<Room, readonly Claim[]>();

/** The pods of a lower priority that live there, the least important first. */
function lowerThan({ priority }: Claim, room: Room): readonly Claim[] {
  const all = sorted.get(room) ?? room.claims.toSorted(byImportance);
  sorted.set(room, all);
  const end = all.findIndex((one) => one.priority >= priority);
  return end < 0 ? all : all.slice(0, end);
}

/** The lower priority first, and of equals the younger. */
const byImportance = (a: Claim, b: Claim): number =>
  a.priority - b.priority || compare(b.createdAt, a.createdAt) || compare(b.address, a.address);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function lowestIn(rooms: readonly Room[]): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const { claims } of rooms)
    for (const { priority } of claims) if (priority < lowest) lowest = priority;
  return lowest;
}

/**
 * Less harm, as Kubernetes weighs it: the highest priority among those that go is lower, then the sum of
 * their priorities, then they are fewer, then the most important of them are younger.
 */
function isLess(a: Candidate, b: Candidate): boolean {
  const [one, other] = [a.harm, b.harm];
  if (one.highest !== other.highest) return one.highest < other.highest;
  if (one.sum !== other.sum) return one.sum < other.sum;
  if (one.count !== other.count) return one.count < other.count;
  return one.since === other.since ? a.at < b.at : one.since > other.since;
}

type Harm = {
  /** The highest priority of any. */
  readonly highest: number;
  readonly sum: number;
  readonly count: number;
  /** When the oldest of the most important was made. */
  readonly since: string;
};

function harmOf(victims: readonly Claim[]): Harm {
  let highest = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let since = "";
  for (const { priority, createdAt } of victims) {
    // Kubernetes lifts negative priorities, so that fewer pods of them are less harm.
    sum += priority + 2 ** 31;
    if (priority > highest || (priority === highest && createdAt < since)) since = createdAt;
    highest = Math.max(highest, priority);
  }
  return { highest, sum, count: victims.length, since };
}
