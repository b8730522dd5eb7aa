import { matchesLabels, matchesRequirement } from "../../../libs/model/label-selector.ts";
import type { NodeTerm } from "../claim.ts";
import type { Room } from "../room.ts";
import type { Predicate, Score } from "./predicate.ts";

/** `spec.nodeSelector` and required node affinity. */
export const nodeAffinity: Predicate = {
  name: "NodeAffinity",
  fixed: true,
  check: ({ nodeSelector, nodeTerms }, room) =>
    matchesLabels(nodeSelector, room.labels) &&
    (nodeTerms === undefined || nodeTerms.some((term) => matchesTerm(term, room))),
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
      if (matchesTerm(preference, room)) met += weight;
    }
    return (100 * met) / all;
  },
};

/** Every requirement of a term holds; a term without any holds nowhere. */
function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeTerm, room: Room): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields: Readonly<Record<string, string>> = { "metadata.name": room.name };
  return (
    matchExpressions.every((requirement) => matchesRequirement(requirement, room.labels)) &&
    matchFields.every((requirement) => matchesRequirement(requirement, fields))
  );
}
