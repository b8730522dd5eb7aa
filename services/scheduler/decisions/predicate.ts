import type { Claim } from "../claim.ts";
import type { Room } from "../room.ts";

/** A reason why a pod may not go to a node. */
export type Predicate = {
  readonly name: string;
  /** Looks only at what binding other pods does not change: checked once for pods that ask the same. */
  readonly fixed: boolean;
  check(claim: Claim, room: Room): boolean;
  /** Why not, after "1 " in Kubernetes' words; one entry for each reason. */
  explain(claim: Claim, room: Room): readonly string[];
};

/** How well a pod would be placed on a node that takes it, from 0 to 100. */
export type Score = {
  readonly name: string;
  readonly weight: number;
  score(claim: Claim, room: Room): number;
};
