/** How pods stand to other pods: to those that are there, and to those that are placed before them. */
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import { type Cohorts, countCohorts } from "./cohorts.ts";
import { interPod } from "./inter-pod.ts";
import type { NamespaceLabels } from "./pod-terms.ts";
import { demandsOf, spreadOf } from "./spread.ts";

/** What the pods that are there mean to those that are placed. */
export type Around = { readonly cohorts: Cohorts; readonly labelsOf: NamespaceLabels };

/** Of the pods in the rooms, in namespaces without labels, where nothing else is given. */
export const aroundIn = (
  rooms: readonly Room[],
  { cohorts = countCohorts(rooms), labelsOf = () => ({}) }: Partial<Around> = {},
): Around => ({ cohorts, labelsOf });

/** What other pods mean to pods that are alike. All of it is the same for nodes of the same domains. */
export type Near = {
  /** Why the node does not take them; undefined: it does, as far as other pods go. */
  refusal(room: Room): string | undefined;
  /** Why the node would not take them if `gone` had left it. */
  refusalWithout(room: Room, gone: readonly Claim[]): string | undefined;
  /** From 0 to 100: how far its wishes to be spread are met. */
  spread(room: Room): number;
  /** Whether it has such wishes. */
  readonly hasSpread: boolean;
  /** The weight of the wishes to be near others, and not to be. */
  wish(room: Room): number;
  readonly hasWishes: boolean;
  /** The node labels whose values are the domains that matter to them. */
  readonly topologyKeys: readonly string[];
  /** Those of them by which one node suits better than another. */
  readonly wishKeys: readonly string[];
  /** No other pod means anything to them. */
  readonly isAlone: boolean;
  /** What none could have before, one may have after another was placed. */
  readonly mayImprove: boolean;
};

/** Whether others that come may help a pod: it must be near some, or keep in balance with them. */
export const mayImprove = (claim: Pick<Claim, "affinity" | "spread">): boolean =>
  claim.affinity.required.length > 0 || demandsOf(claim).length > 0;

type Counting = Near & { note(like: Claim, homes: Iterable<readonly [Room, number]>): void };

export type Neighbourhoods = {
  of(claim: Claim): Near;
  /** Another has been placed there. */
  placed(claim: Claim, room: Room): void;
};

export function neighbourhoods(
  rooms: readonly Room[],
  { cohorts, labelsOf }: Around,
): Neighbourhoods {
  const byName = new Map(rooms.map((room) => [room.name, room]));
  const known = new Map<string, Counting>();
  const placed: (readonly [Claim, Room])[] = [];
  function* homesOf(homes: ReadonlyMap<string, number>): Iterable<readonly [Room, number]> {
    for (const [node, count] of homes) {
      const room = byName.get(node);
      if (room !== undefined) yield [room, count];
    }
  }
  return {
    of(claim) {
      const found = known.get(claim.alike);
      if (found !== undefined) return found;
      const near = nearOf(claim, rooms, labelsOf);
      for (const { like, homes } of cohorts.all) near.note(like, homesOf(homes));
      for (const [like, room] of placed) near.note(like, [[room, 1]]);
      known.set(claim.alike, near);
      return near;
    },
    placed(claim, room) {
      placed.push([claim, room]);
      for (const near of known.values()) near.note(claim, [[room, 1]]);
    },
  };
}

function nearOf(claim: Claim, rooms: readonly Room[], labelsOf: NamespaceLabels): Counting {
  const others = interPod(claim, labelsOf);
  const spread = spreadOf(claim, rooms);
  const { affinity, antiAffinity } = claim;
  const own = [...affinity.required, ...antiAffinity.required, ...claim.spread];
  const keys = new Set(own.map(({ topologyKey }) => topologyKey));
  let topologyKeys = [...keys].toSorted();
  const meant = new Map<string, boolean>();
  let isAlone = own.length === 0;

  /** Whether pods like that mean anything to these. */
  function concerns(like: Claim): boolean {
    const known = meant.get(like.cohort);
    if (known !== undefined) return known;
    const theirs = others.topologyKeys(like);
    for (const key of theirs) keys.add(key);
    if (keys.size > topologyKeys.length) topologyKeys = [...keys].toSorted();
    const concerned = theirs.length > 0 || spread.concerns(like);
    if (concerned) isAlone = false;
    meant.set(like.cohort, concerned);
    return concerned;
  }

  const refusal = (room: Room) => spread.refusal(room) ?? others.refusal(room);
  function note(like: Claim, homes: Iterable<readonly [Room, number]>): void {
    if (!concerns(like)) return;
    for (const [room, count] of homes) {
      others.note(like, room, count);
      spread.note(like, room, count);
    }
  }

  return {
    refusal,
    refusalWithout(room, gone) {
      for (const one of gone) note(one, [[room, -1]]);
      const why = refusal(room);
      for (const one of gone) note(one, [[room, 1]]);
      return why;
    },
    spread: (room) => spread.score(room),
    hasSpread: spread.hasWishes,
    wish: (room) => others.wish(room),
    get hasWishes() {
      return others.hasWishes;
    },
    get topologyKeys() {
      return topologyKeys;
    },
    get wishKeys() {
      return [...new Set([...others.wishKeys, ...spread.wishKeys])];
    },
    get isAlone() {
      return isAlone;
    },
    mayImprove: mayImprove(claim),
    note,
  };
}
