/** Scores that compare nodes with one another, by the pods that are there: the same for nodes of one domain. */
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import type { Near } from "./near.ts";
import type { OwnerSpread } from "./owner-spread.ts";

export type RelativeScore = {
  readonly name: string;
  readonly weight: number;
  /** From 0 to 100. @param nth the room's place among those that are compared */
  readonly score: (room: Room, nth: number) => number;
};

/** Those that make a difference. @param rooms nodes that take the pod: at least one of each domain */
export function relativeScores(
  claim: Claim,
  rooms: readonly Room[],
  { near, owners }: { readonly near: Near; readonly owners: OwnerSpread },
): readonly RelativeScore[] {
  const scores: RelativeScore[] = [];
  if (near.hasSpread) {
    const score = (room: Room) => near.spread(room);
    scores.push({ name: "PodTopologySpread", weight: 2, score });
  }
  const keys = owners.keysOf(claim);
  if (keys.length > 0) {
    const fewest = keys.map((key) => ({
      key,
      fewest: least(rooms.map((room) => owners.count(claim, room, key))),
    }));
    const score = (room: Room) => {
      let sum = 0;
      for (const { key, fewest: few } of fewest)
        sum += 100 / (1 + owners.count(claim, room, key) - few);
      return sum / fewest.length;
    };
    scores.push({ name: "OwnerDomainSpread", weight: 2, score });
  }
  if (near.hasWishes) {
    const wishes = rooms.map((room) => near.wish(room));
    const [low, high] = [least(wishes), -least(wishes.map((wish) => -wish))];
    const score = (_: Room, nth: number) => (100 * ((wishes[nth] ?? low) - low)) / (high - low);
    if (high > low) scores.push({ name: "InterPodAffinity", weight: 2, score });
  }
  return scores;
}

/** Without a limit to how many there are, as `Math.min` has. */
const least = (numbers: readonly number[]): number =>
  numbers.reduce((low, one) => Math.min(low, one), Number.POSITIVE_INFINITY);
