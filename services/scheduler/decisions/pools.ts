/** The nodes that pods which ask the same may go to, those first that suit them best. */
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import { type Heap, heapOf } from "./heap.ts";
import type { Near } from "./near.ts";

/** How a node suits pods that ask the same, whoever they are, as it was when it was judged. */
type Candidate = { readonly at: number; readonly room: Room; readonly score: number };

/** Nodes of the same domains: those that compare nodes by them find them all the same. */
export type Part = {
  readonly like: Room;
  readonly heap: Heap<Candidate>;
  /** Those that fit, by their place, as they are now. */
  readonly fitting: ReadonlyMap<number, Candidate>;
};

/** Undefined: it does not fit. */
export type Judge = (claim: Claim, room: Room) => number | undefined;

/** Whether other pods keep these from a node; undefined where no node of an open part is kept from them. */
export type Refuses = ((room: Room) => boolean) | undefined;

export type Pools = {
  /**
   * Parts that differ in the labels that matter to the pods, without those that take none of them.
   *
   * @param keys the labels by which nodes are compared, beside those of the pods' wishes
   */
  openTo(
    claim: Claim,
    near: Near,
    keys: readonly string[],
  ): { readonly parts: readonly Part[]; readonly refuses: Refuses };
  /**
   * The best node of a part by its score and `more`, as far as it is better than `than`.
   *
   * @param more at most `moreMax`
   */
  bestOf(
    part: Part,
    options: {
      readonly refuses: Refuses;
      readonly more: (room: Room) => number;
      readonly moreMax: number;
      readonly than: number;
    },
  ): Best | undefined;
  /** The node has another room now: less than before. */
  changed(at: number): void;
};
export type Best = { readonly at: number; readonly room: Room; readonly total: number };

type Pool = {
  readonly parts: readonly Part[];
  readonly partOf: ReadonlyMap<number, Part & { readonly fitting: Map<number, Candidate> }>;
  /** Of the nodes that changed, so many have been judged anew. */
  judged: number;
};

/**
 * A node that changed is judged anew for each pool before the pool is used again, since a score may rise
 * as a node fills as well as fall. What was judged of it before stays in the heap until it comes first,
 * and is passed over then: it is of a room that is no more.
 *
 * A label of few values parts the nodes, and what refuses one of a part refuses them all. One of many
 * values, as the node's own name, would leave as many parts as nodes to look at for each pod: there nodes
 * are refused one by one, the best first.
 *
 * @param rooms as they are now: it changes as the batch goes on
 * @param isOpen what binding other pods does not change
 */
export function poolsOf(
  rooms: readonly Room[],
  {
    isOpen,
    judge,
  }: { readonly isOpen: (claim: Claim, room: Room) => boolean; readonly judge: Judge },
): Pools {
  const open = new Map<string, readonly number[]>();
  const pools = new Map<string, Pool>();
  const lefts = new Map<Near, { readonly of: string; readonly parts: readonly Part[] }>();
  const changes: number[] = [];
  const few = Math.sqrt(rooms.length);
  const isFewByKey = new Map<string, boolean>();
  const openTo = (claim: Claim): readonly number[] => {
    const known = open.get(claim.sameAs);
    if (known !== undefined) return known;
    const found: number[] = [];
    for (const [at, room] of rooms.entries()) if (isOpen(claim, room)) found.push(at);
    open.set(claim.sameAs, found);
    return found;
  };

  /** Whether the label has few values. */
  function isFew(key: string): boolean {
    const known = isFewByKey.get(key);
    if (known !== undefined) return known;
    const is = new Set(rooms.map(({ labels }) => labels[key])).size <= few;
    isFewByKey.set(key, is);
    return is;
  }

  function poolOf(claim: Claim, keys: readonly string[]): Pool {
    const all = new Map<
      string,
      { readonly like: Room; readonly fitting: Map<number, Candidate> }
    >();
    for (const at of openTo(claim)) {
      const room = rooms[at];
      const score = room && judge(claim, room);
      if (room === undefined || score === undefined) continue;
      const domains = domainsOf(room, keys);
      const part = all.get(domains) ?? { like: room, fitting: new Map<number, Candidate>() };
      all.set(domains, part);
      part.fitting.set(at, { at, room, score });
    }
    const partOf = new Map<number, Part & { readonly fitting: Map<number, Candidate> }>();
    const parts = [...all.values()].map((part) => {
      const made = { ...part, heap: heapOf([...part.fitting.values()], comesFirst) };
      for (const at of part.fitting.keys()) partOf.set(at, made);
      return made;
    });
    return { parts, partOf, judged: changes.length };
  }

  function judgeAnew(pool: Pool, claim: Claim): void {
    if (pool.judged === changes.length) return;
    for (const at of new Set(changes.slice(pool.judged))) {
      const [part, room] = [pool.partOf.get(at), rooms[at]];
      if (part === undefined || room === undefined) continue;
      const score = judge(claim, room);
      if (score === undefined) part.fitting.delete(at);
      else {
        const candidate = { at, room, score };
        part.fitting.set(at, candidate);
        part.heap.push(candidate);
      }
    }
    pool.judged = changes.length;
  }

  const isFresh = ({ at, room }: Candidate): boolean => rooms[at] === room;

  function bestOf(
    { heap, fitting }: Part,
    { refuses, more, moreMax, than }: Parameters<Pools["bestOf"]>[1],
  ): Best | undefined {
    let best: Candidate | undefined;
    let highest = than;
    let refused = 0;
    const consider = (one: Candidate): void => {
      const total = one.score + more(one.room);
      const isBetter =
        total > highest || (total === highest && best !== undefined && comesFirst(one, best));
      if (!isBetter) return;
      highest = total;
      best = one;
    };
    const seen: Candidate[] = [];
    for (let first = heap.peek(); first !== undefined; first = heap.peek()) {
      if (first.score + moreMax <= highest) break;
      // All of them are soon looked at where most of the best are refused.
      if (refused > few) {
        for (const one of fitting.values()) if (refuses?.(one.room) !== true) consider(one);
        break;
      }
      heap.pop();
      if (!isFresh(first)) continue;
      seen.push(first);
      if (refuses?.(first.room) === true) refused += 1;
      else consider(first);
    }
    for (const one of seen) heap.push(one);
    return best && { at: best.at, room: best.room, total: highest };
  }

  return {
    openTo(claim, near, given) {
      const compared = [...new Set([...given, ...near.wishKeys])];
      const refusing = near.topologyKeys.filter((key) => !compared.includes(key));
      const keys = [...compared, ...refusing.filter(isFew)].toSorted();
      const refuses = refusing.every(isFew)
        ? undefined
        : (room: Room) => near.refusal(room) !== undefined;
      const of = `${keys.join("\n")}\n${claim.sameAs}`;
      const pool = pools.get(of) ?? poolOf(claim, keys);
      pools.set(of, pool);
      judgeAnew(pool, claim);
      const left = lefts.get(near);
      const parts = (left?.of === of ? left.parts : pool.parts).filter((part) => {
        if (part.fitting.size === 0) return false;
        if (refuses === undefined) return near.refusal(part.like) === undefined;
        return bestOf(part, { refuses, more: () => 0, moreMax: 0, than: -1 }) !== undefined;
      });
      // What takes none of them now takes none later, unless company or balance can come.
      if (!near.mayImprove) lefts.set(near, { of, parts });
      return { parts, refuses };
    },
    bestOf,
    changed: (at) => void changes.push(at),
  };
}

const domainsOf = ({ labels }: Room, keys: readonly string[]): string =>
  keys.length === 0 ? "" : keys.map((key) => labels[key] ?? "\0").join("\n");

const comesFirst = (a: Candidate, b: Candidate): boolean =>
  a.score > b.score || (a.score === b.score && a.at < b.at);
