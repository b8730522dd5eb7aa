/**
 * Prefers nodes that have a pod's images already: it starts sooner there.
 *
 * @see https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins
 */
import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";
import type { Score } from "./predicate.ts";

const MB = 1_000_000;
/** As kube-scheduler's: less is not worth a thought, and more than so much a container is no better. */
const leastBytes = 23 * MB;
const mostBytesEach = 1_000 * MB;

/**
 * Of a claim that `presentImages` has looked at. An image counts for as much as nodes have it: one that
 * a single node has draws no crowd there.
 */
export const imageLocality: Score = {
  name: "ImageLocality",
  weight: 1,
  score({ images }, room) {
    if (images.length === 0 || room.images.size === 0) return 0;
    let bytes = 0;
    for (const { name, share } of images) bytes += share * (room.images.get(name) ?? 0);
    const most = mostBytesEach * images.length;
    return (100 * (Math.min(Math.max(bytes, leastBytes), most) - leastBytes)) / (most - leastBytes);
  },
};

/**
 * Says of a pod's images how many nodes have them. Pods that ask the same are judged together, whatever
 * they run, unless some node has what one of them runs.
 */
export function presentImages(rooms: readonly Room[]): (claim: Claim) => Claim {
  const stocked = rooms.filter(({ images }) => images.size > 0);
  const shares = new Map<string, number>();
  const shareOf = (name: string): number => {
    const known = shares.get(name);
    if (known !== undefined) return known;
    const having = stocked.filter(({ images }) => images.has(name)).length;
    const share = having / Math.max(rooms.length, 1);
    shares.set(name, share);
    return share;
  };
  return (claim) => {
    if (stocked.length === 0 || claim.images.length === 0) return claim;
    const images = claim.images.map(({ name }) => ({ name, share: shareOf(name) }));
    if (images.every(({ share }) => share === 0)) return claim;
    return { ...claim, images, sameAs: `${claim.sameAs}${images.map(({ name }) => name).join()}` };
  };
}
