import { matchesNodeTerm, selectsNode } from "../../../libs/model/pod/placement.ts";
import type { Predicate, Score } from "./predicate.ts";

/** `spec.nodeSelector` and required node affinity. */
export const nodeAffinity: Predicate = {
  name: "NodeAffinity",
  fixed: true,
  check: selectsNode,
  explain: () => ["node(s) didn't match Pod's node affinity/selector"],
};

/** The sum of the weights of the preferences that a node meets, of all that there are. */
export const preferredAffinity: Score = {
  name: "NodeAffinity",
  weight: 2,
  score({ preferences }, room) {
    if (preferences.length === 0) return 0;
    let [met, all] = [0, 0];
    for (const { weight, preference } of preferences) {
      all += weight;
      if (matchesNodeTerm(preference, room)) met += weight;
    }
    return (100 * met) / all;
  },
};
