/** Which pods that found no node may find one now that others have come. */
import { parseKey } from "../../libs/cluster/key.ts";
import type { Change } from "../../libs/store/replica.ts";
import { type Claim, claimOf, type PodFacts, takesRoom } from "./claim.ts";
import { matchesPod, type NamespaceLabels } from "./decisions/pod-terms.ts";
import { demandsOf, selects } from "./decisions/spread.ts";
import { podIn } from "./rooms.ts";

/** The pod that is on a node now, and was not before, or was another to other pods. */
export function newcomer({ key, before, after }: Change<unknown>): Claim | undefined {
  if (parseKey(key).resource !== "pods") return undefined;
  const [was, is] = [homed(podIn(before)), homed(podIn(after))];
  return is === undefined || was?.cohort === is.cohort ? undefined : is;
}

const homed = (pod: PodFacts | undefined): Claim | undefined =>
  pod === undefined || (pod.spec.nodeName ?? "") === "" || !takesRoom(pod)
    ? undefined
    : claimOf(pod);

/**
 * Whether one of `come` may be what the pod must be near, or fills the emptiest domain, so that another
 * may have more. Without any, namespaces have changed, and whom a term means.
 */
export function helps(claim: Claim, come: readonly Claim[], labelsOf: NamespaceLabels): boolean {
  const { required } = claim.affinity;
  if (come.length === 0) return required.length > 0;
  const demands = demandsOf(claim);
  return come.some(
    (other) =>
      required.some(({ pods }) => matchesPod(pods, other, labelsOf)) ||
      demands.some((one) => selects(one, claim, other)),
  );
}
