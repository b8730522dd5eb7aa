/** Which pods that found no node may find one after a change, and only those. */
import { dequal } from "dequal";
import { parseKey, resourceOf } from "../../libs/cluster/key.ts";
import { podDisruptionBudget } from "../../libs/model/kinds/poddisruptionbudget.ts";
import type { Change } from "../../libs/store/replica.ts";
import { type Claim, claimOf, type PodFacts, takesRoom } from "./claim.ts";
import { fitsBesides } from "./decisions/place.ts";
import { matchesPod, type NamespaceLabels, type PodTerm } from "./decisions/pod-terms.ts";
import { demandsOf, selects } from "./decisions/spread.ts";
import type { Parked } from "./queue.ts";
import type { Room } from "./room.ts";
import { podIn, roomMadeBy } from "./rooms.ts";
import { isStorage } from "./volumes-of.ts";

/** What has changed that may help a pod. */
export type News = {
  /** Nodes that may have more room than before. */
  readonly nodes: Set<string>;
  /** Nodes that more lives on than before: room that is made there may not do any more. */
  readonly filled: Set<string>;
  /** By cohort: pods that are on a node now and were not, or were others to other pods; and the reverse. */
  readonly come: Map<string, Claim>;
  readonly gone: Map<string, Claim>;
  /** Something of a Node, of a namespace's labels, of storage, of what a budget allows. */
  readonly moved: Set<"nodes" | "namespaces" | "storage" | "budgets">;
};

export const noNews = (): News => ({
  nodes: new Set(),
  filled: new Set(),
  come: new Map(),
  gone: new Map(),
  moved: new Set(),
});

export const isNews = ({ nodes, filled, come, gone, moved }: News): boolean =>
  nodes.size + filled.size + come.size + gone.size + moved.size > 0;

/** Adds what a change tells. */
export function tell(news: News, change: Change<unknown>): void {
  const { resource } = parseKey(change.key);
  const { nodes, isOfNode } = roomMadeBy(change);
  for (const node of nodes) news.nodes.add(node);
  if (isOfNode) news.moved.add("nodes");
  if (resource === "pods") {
    const [before, after] = [podIn(change.before), podIn(change.after)];
    const [was, is] = [homed(before), homed(after)];
    if (is !== undefined && was === undefined) news.filled.add(after?.spec.nodeName ?? "");
    if (was?.cohort === is?.cohort) return;
    if (is !== undefined) news.come.set(is.cohort, is);
    if (was !== undefined) news.gone.set(was.cohort, was);
    if (was?.usesStorage === true && is === undefined) news.moved.add("storage");
  }
  if (isStorage(resource)) news.moved.add("storage");
  if (resource === "namespaces" && isRelabelled(change)) news.moved.add("namespaces");
  if (resource === budgets && allowedBy(change.after) > allowedBy(change.before))
    news.moved.add("budgets");
}

export function addNews(to: News, { nodes, filled, come, gone, moved }: News): void {
  for (const node of filled) to.filled.add(node);
  for (const node of nodes) to.nodes.add(node);
  for (const [cohort, claim] of come) to.come.set(cohort, claim);
  for (const [cohort, claim] of gone) to.gone.set(cohort, claim);
  for (const one of moved) to.moved.add(one);
}

/**
 * Whether the pod may be placed now, or room be made for it, that could not be before.
 *
 * @param roomAt as it is now
 * @returns a test that remembers what it found out about a node
 */
export function helpedBy(
  news: News,
  {
    roomAt,
    labelsOf: labels,
  }: {
    readonly roomAt: (node: string) => Room | undefined;
    readonly labelsOf: NamespaceLabels;
  },
): (parked: Parked) => boolean {
  const taken = new Map<string, boolean>();
  const rooms = [...news.nodes].flatMap((node) => roomAt(node) ?? []);
  const hasRoom = (claim: Claim): boolean => {
    const key = `${claim.priority} ${claim.preempts}\n${claim.sameAs}`;
    const known = taken.get(key);
    if (known !== undefined) return known;
    const found = rooms.some((room) => fitsBesides(claim, room));
    taken.set(key, found);
    return found;
  };
  return ({ claim, home }) => {
    const { nodes, filled, moved } = news;
    if (home !== "") return nodes.has(home);
    const { nominated } = claim;
    if (nominated !== "" && (nodes.has(nominated) || filled.has(nominated))) return true;
    if (claim.usesStorage && (moved.has("storage") || moved.has("nodes"))) return true;
    if (claim.preempts && moved.has("budgets")) return true;
    return hasRoom(claim) || isHelpedByOthers(claim, news, labels);
  };
}

/** As far as other pods go: what keeps it away may have gone, what it needs may have come. */
function isHelpedByOthers(claim: Claim, news: News, labels: NamespaceLabels): boolean {
  const { affinity, antiAffinity } = claim;
  const [near, apart, demands] = [affinity.required, antiAffinity.required, demandsOf(claim)];
  const { moved, come, gone } = news;
  // Whom a term means, its own or another's.
  if (moved.has("namespaces")) return true;
  // Which nodes are of one domain.
  if (moved.has("nodes") && near.length + apart.length + demands.length > 0) return true;
  const means = ({ pods }: PodTerm, one: Claim) => matchesPod(pods, one, labels);
  for (const one of come.values()) {
    // Whom it must be near; or it fills the emptiest domain, so that another may have more.
    if (near.some((term) => means(term, one))) return true;
    if (demands.some((of) => selects(of, claim, one))) return true;
  }
  for (const one of gone.values()) {
    if (apart.some((term) => means(term, one))) return true;
    if (one.antiAffinity.required.some((term) => means(term, claim))) return true;
    if (demands.some((of) => selects(of, claim, one))) return true;
  }
  return false;
}

const homed = (pod: PodFacts | undefined): Claim | undefined =>
  pod === undefined || (pod.spec.nodeName ?? "") === "" || !takesRoom(pod)
    ? undefined
    : claimOf(pod);

const budgets = resourceOf(podDisruptionBudget);

type Side = { readonly value: unknown } | undefined;

/** In one that comes or goes there is no pod. */
const isRelabelled = ({ before, after }: Change<unknown>): boolean =>
  before !== undefined && after !== undefined && !dequal(labelsOf(before), labelsOf(after));

const labelsOf = ({ value }: NonNullable<Side>): unknown =>
  (value as { readonly metadata: { readonly labels?: unknown } }).metadata.labels ?? {}; // Admission wrote a Namespace there.

/** Without a budget as many as one likes. */
function allowedBy(side: Side): number {
  if (side === undefined) return Number.POSITIVE_INFINITY;
  const { status } = side.value as {
    readonly status?: { readonly disruptionsAllowed?: number };
  }; // Admission wrote a PodDisruptionBudget there.
  return status?.disruptionsAllowed ?? 0;
}
