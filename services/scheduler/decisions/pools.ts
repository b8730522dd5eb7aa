/** The nodes that pods which ask the same may go to, those first that suit them best. */
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import { type Heap, heapOf } from "./heap.ts";
import type { Near } from "./near.ts";

/**
 * How a node suits pods that ask the same, whoever they are. As a batch goes on nodes only fill: what was
 * judged earlier is never too low, so a node is judged again only when it comes first.
 */
type Candidate = { readonly at: number; readonly room: Room; readonly score: number };

/** Nodes of the same domains: to other pods they are all the same. */
export type Part = { readonly like: Room; readonly heap: Heap<Candidate> };

/** Undefined: it does not fit. */
export type Judge = (claim: Claim, room: Room) => number | undefined;

export type Pools = {
  /** Parts that differ in the labels that matter to the pods, without those that take none of them. */
  openTo(claim: Claim, near: Near): readonly Part[];
  /**
   * The best node of a part by its score and `more`, as far as it is better than `than`.
   *
   * @param more at most `moreMax`; rises for no node as the batch goes on
   */
  bestOf(
    part: Part,
    claim: Claim,
    options: {
      readonly more: (room: Room) => number;
      readonly moreMax: number;
      readonly than: number;
    },
  ): Best | undefined;
};
export type Best = { readonly at: number; readonly room: Room; readonly total: number };

/**
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
  const pools = new Map<string, readonly Part[]>();
  const lefts = new Map<Near, { readonly of: string; readonly parts: readonly Part[] }>();
  const openTo = (claim: Claim): readonly number[] => {
    const known = open.get(claim.sameAs);
    if (known !== undefined) return known;
    const found: number[] = [];
    for (const [at, room] of rooms.entries()) if (isOpen(claim, room)) found.push(at);
    open.set(claim.sameAs, found);
    return found;
  };

  function partsOf(claim: Claim, keys: readonly string[]): readonly Part[] {
    const parts = new Map<string, { readonly like: Room; readonly all: Candidate[] }>();
    for (const at of openTo(claim)) {
      const room = rooms[at];
      const score = room && judge(claim, room);
      if (room === undefined || score === undefined) continue;
      const domains =
        keys.length === 0 ? "" : keys.map((key) => room.labels[key] ?? "\0").join("\n");
      const part = parts.get(domains) ?? { like: room, all: [] };
      parts.set(domains, part);
      part.all.push({ at, room, score });
    }
    return [...parts.values()].map(({ like, all }) => ({ like, heap: heapOf(all, comesFirst) }));
  }

  return {
    openTo(claim, near) {
      const of = `${near.topologyKeys.join("\n")}\n${claim.sameAs}`;
      const left = lefts.get(near);
      const known = left?.of === of ? left.parts : pools.get(of);
      const parts = known ?? partsOf(claim, near.topologyKeys);
      if (known === undefined) pools.set(of, parts);
      const taking = parts.filter(
        ({ like, heap }) => heap.size > 0 && near.refusal(like) === undefined,
      );
      // What takes none of them now takes none later, unless company or balance can come.
      if (!near.mayImprove) lefts.set(near, { of, parts: taking });
      return taking;
    },
    bestOf({ heap }, claim, { more, moreMax, than }) {
      let best: Best | undefined;
      let highest = than;
      const seen: Candidate[] = [];
      for (let first = heap.peek(); first !== undefined; first = heap.peek()) {
        if (first.score + moreMax <= highest) break;
        heap.pop();
        const room = rooms[first.at] ?? first.room;
        if (room !== first.room) {
          const score = judge(claim, room);
          if (score !== undefined) heap.push({ at: first.at, room, score });
          continue;
        }
        seen.push(first);
        const total = first.score + more(room);
        if (total > highest) {
          highest = total;
          best = { at: first.at, room, total };
        }
      }
      for (const one of seen) heap.push(one);
      return best;
    },
  };
}

const comesFirst = (a: Candidate, b: Candidate): boolean =>
  a.score > b.score || (a.score === b.score && a.at < b.at);
