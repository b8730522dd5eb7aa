/** The nodes that pods which ask the same may go to, those first that suit them best. */
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import { type Heap, heapOf } from "./heap.ts";
import type { Near } from "./near.ts";

/** How a node suits pods that ask the same, whoever they are, as it was when it was judged. */
type Candidate = { readonly at: number; readonly room: Room; readonly score: number };

/** Nodes of the same domains: to other pods they are all the same. */
export type Part = { readonly like: Room; readonly heap: Heap<Candidate> };

/** Undefined: it does not fit. */
export type Judge = (claim: Claim, room: Room) => number | undefined;

export type Pools = {
  /**
   * Parts that differ in the labels that matter to the pods, without those that take none of them.
   *
   * @param keys those labels
   */
  openTo(claim: Claim, near: Near, keys: readonly string[]): readonly Part[];
  /**
   * The best node of a part by its score and `more`, as far as it is better than `than`.
   *
   * @param more at most `moreMax`
   */
  bestOf(
    part: Part,
    options: {
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
  readonly partOf: ReadonlyMap<number, Part>;
  /** Of the nodes that changed, so many have been judged anew. */
  judged: number;
};

/**
 * A node that changed is judged anew for each pool before the pool is used again, since a score may rise
 * as a node fills as well as fall. What was judged of it before stays in the heap until it comes first,
 * and is passed over then: it is of a room that is no more.
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
  const openTo = (claim: Claim): readonly number[] => {
    const known = open.get(claim.sameAs);
    if (known !== undefined) return known;
    const found: number[] = [];
    for (const [at, room] of rooms.entries()) if (isOpen(claim, room)) found.push(at);
    open.set(claim.sameAs, found);
    return found;
  };

  function poolOf(claim: Claim, keys: readonly string[]): Pool {
    const parts = new Map<string, { readonly like: Room; readonly all: Candidate[] }>();
    for (const at of openTo(claim)) {
      const room = rooms[at];
      const score = room && judge(claim, room);
      if (room === undefined || score === undefined) continue;
      const domains = domainsOf(room, keys);
      const part = parts.get(domains) ?? { like: room, all: [] };
      parts.set(domains, part);
      part.all.push({ at, room, score });
    }
    const partOf = new Map<number, Part>();
    const heaps = [...parts.values()].map(({ like, all }): Part => {
      const part = { like, heap: heapOf(all, comesFirst) };
      for (const { at } of all) partOf.set(at, part);
      return part;
    });
    return { parts: heaps, partOf, judged: changes.length };
  }

  function judgeAnew(pool: Pool, claim: Claim): void {
    if (pool.judged === changes.length) return;
    for (const at of new Set(changes.slice(pool.judged))) {
      const [part, room] = [pool.partOf.get(at), rooms[at]];
      const score = part && room && judge(claim, room);
      if (room !== undefined && score !== undefined) part?.heap.push({ at, room, score });
    }
    pool.judged = changes.length;
  }

  const isFresh = ({ at, room }: Candidate): boolean => rooms[at] === room;
  function hasAny({ heap }: Part): boolean {
    for (let first = heap.peek(); first !== undefined; first = heap.peek()) {
      if (isFresh(first)) return true;
      heap.pop();
    }
    return false;
  }

  return {
    openTo(claim, near, keys) {
      const of = `${keys.join("\n")}\n${claim.sameAs}`;
      const pool = pools.get(of) ?? poolOf(claim, keys);
      pools.set(of, pool);
      judgeAnew(pool, claim);
      const left = lefts.get(near);
      const parts = left?.of === of ? left.parts : pool.parts;
      const taking = parts.filter((part) => hasAny(part) && near.refusal(part.like) === undefined);
      // What takes none of them now takes none later, unless company or balance can come.
      if (!near.mayImprove) lefts.set(near, { of, parts: taking });
      return taking;
    },
    bestOf({ heap }, { more, moreMax, than }) {
      let best: Best | undefined;
      let highest = than;
      const seen: Candidate[] = [];
      for (let first = heap.peek(); first !== undefined; first = heap.peek()) {
        if (first.score + moreMax <= highest) break;
        heap.pop();
        if (!isFresh(first)) continue;
        seen.push(first);
        const total = first.score + more(first.room);
        if (total > highest) {
          highest = total;
          best = { at: first.at, room: first.room, total };
        }
      }
      for (const one of seen) heap.push(one);
      return best;
    },
    changed: (at) => void changes.push(at),
  };
}

const domainsOf = ({ labels }: Room, keys: readonly string[]): string =>
  keys.length === 0 ? "" : keys.map((key) => labels[key] ?? "\0").join("\n");

const comesFirst = (a: Candidate, b: Candidate): boolean =>
  a.score > b.score || (a.score === b.score && a.at < b.at);
