/** Why a pod goes where it goes, and why not elsewhere: pure, against the rooms of one cut. */
import { defaultScheduling } from "../../../libs/cluster/settings.ts";
import type { ExplainedNode, Explanation } from "../../../libs/protocol/explain.ts";
import { type Claim, isPending, type PodFacts } from "../claim.ts";
import { type Room, withoutClaim, withReserved } from "../room.ts";
import { helpFor } from "./explain-help.ts";
import { presentImages } from "./image-locality.ts";
import { aroundIn, type Near, neighbourhoods } from "./near.ts";
import { apartScore, ownerSpread } from "./owner-spread.ts";
import { type Nominated, place, predicates, scoresBy, type Surroundings } from "./place.ts";
import { relativeScores } from "./relative-scores.ts";
import { labelRefusal, spreadRefusal } from "./spread.ts";

/** A rule that keeps the pod from a node. */
export type Refusal = { readonly rule: string; readonly message: string; readonly room: Room };

/**
 * One pod alone, beside all that is there. One that has a node is judged as if it had none yet: its own
 * room counts as free.
 *
 * @param claim the pod's, with what its volumes ask for
 */
export function explainPod(
  pod: PodFacts,
  claim: Claim,
  {
    rooms: given,
    ...around
  }: Partial<Omit<Surroundings, "cohorts">> & { readonly rooms: readonly Room[] },
): Explanation {
  const home = pod.spec.nodeName ?? "";
  const rooms = given.map((room) => (room.name === home ? withoutClaim(room, claim) : room));
  const nodes = nodesFor(claim, rooms, around);
  const refusals = nodes.flatMap(({ refusals: of }) => of);
  const shown = nodes.map(({ shown: one }) => one).toSorted(bestFirst);
  const waits = whyNotConsidered(pod);
  if (waits !== undefined) return { verdict: "not considered", ...waits, nodes: shown };
  if (home !== "") {
    const against = refusals.filter(({ room }) => room.name === home);
    const though = against.map(({ rule, message }) => `${message} (${rule})`).join(", ");
    const message =
      against.length === 0
        ? `it is on ${home}`
        : `it is on ${home}, where it would not be placed now: ${though}`;
    return { verdict: "fits", node: home, message, help: [], nodes: shown };
  }
  const placed = place([claim], rooms, around);
  const [taken] = placed.binds.keys();
  if (taken !== undefined) {
    const count = nodes.length - new Set(refusals.map(({ room }) => room.name)).size;
    const message = `it goes to ${taken}, one of ${count} of ${nodes.length} nodes that take it`;
    return { verdict: "fits", node: taken, message, help: [], nodes: shown };
  }
  const { why = "", nomination } = placed.refused[0] ?? {};
  const victims = nomination?.victims.map(({ address }) => address);
  return {
    verdict: "unschedulable",
    message: why,
    help: [
      ...(rooms.length === 0
        ? ["the cluster has no node: add one"]
        : helpFor(claim, refusals, rooms)),
      ...(victims === undefined || nomination === undefined
        ? []
        : [
            `preemption helps: ${victims.length === 0 ? "what goes already leaves room" : `without ${victims.join(", ")} there is room`} on ${nomination.node}`,
          ]),
    ],
    nodes: shown,
    ...(nomination !== undefined &&
      victims !== undefined && { preemption: { node: nomination.node, victims } }),
  };
}

/** What would let a pod be placed that no node takes. */
export const whatHelps = (
  claim: Claim,
  rooms: readonly Room[],
  around: Partial<Omit<Surroundings, "cohorts">>,
): readonly string[] =>
  helpFor(
    claim,
    nodesFor(claim, rooms, around).flatMap(({ refusals }) => refusals),
    rooms,
  );

/** Why no scheduler of Berth looks for a node for the pod, and what would change that. */
function whyNotConsidered(pod: PodFacts): Pick<Explanation, "message" | "help"> | undefined {
  const { spec, metadata } = pod;
  if ((spec.nodeName ?? "") !== "" || isPending(pod)) return undefined;
  const scheduler = spec.schedulerName ?? "default-scheduler";
  if (scheduler !== "default-scheduler") {
    return {
      message: `it is left to the scheduler "${scheduler}", which is none of Berth's`,
      help: [`run "${scheduler}", or leave spec.schedulerName out`],
    };
  }
  const gates = (spec.schedulingGates ?? []).map((gate) => (gate as { name?: string }).name ?? "");
  if (gates.length > 0) {
    return {
      message: `it waits for its scheduling gates: ${gates.join(", ")}`,
      help: [`whoever set spec.schedulingGates removes ${gates.join(", ")} when it may go`],
    };
  }
  const ends = metadata.deletionTimestamp === undefined ? "it has ended" : "it is being deleted";
  return { message: ends, help: [] };
}

type Judged = { readonly shown: ExplainedNode; readonly refusals: readonly Refusal[] };

/** Every node, with all that speaks against it or for it. */
function nodesFor(
  asked: Claim,
  rooms: readonly Room[],
  given: Partial<Omit<Surroundings, "cohorts">>,
): readonly Judged[] {
  const { settings = defaultScheduling, nominated = [] } = given;
  const claim = presentImages(rooms)(asked);
  const near = neighbourhoods(rooms, aroundIn(rooms, given)).of(claim);
  const all = withNominated(claim, rooms, nominated).map((room) => ({
    room,
    refusals: refusalsOf(claim, room, near),
  }));
  const takers = all.filter(({ refusals }) => refusals.length === 0).map(({ room }) => room);
  const owners = ownerSpread(rooms, settings);
  const own = [...scoresBy(settings), ...(owners.byNode ? [apartScore] : [])];
  const relative = relativeScores(claim, takers, { near, owners });
  return all.map(({ room, refusals }) => {
    const { name } = room;
    if (refusals.length > 0) {
      const shown = refusals.map(({ rule, message }) => ({ rule, message }));
      return { shown: { name, refusals: shown }, refusals };
    }
    const nth = takers.indexOf(room);
    const scores = [
      ...own.map((one) => ({ rule: one.name, score: one.score(claim, room), weight: one.weight })),
      ...relative.map((one) => ({
        rule: one.name,
        score: one.score(room, nth),
        weight: one.weight,
      })),
    ];
    const total = scores.reduce((sum, { score, weight }) => sum + score * weight, 0);
    return { shown: { name, scores, total }, refusals: [] };
  });
}

/** What is kept for pods of no lower priority is not to be had. */
const withNominated = (claim: Claim, rooms: readonly Room[], nominated: readonly Nominated[]) => {
  const before = nominated.filter(
    (one) => one.claim.address !== claim.address && one.claim.priority >= claim.priority,
  );
  return rooms.map((room) =>
    before
      .filter(({ node }) => node === room.name)
      .reduce((left, one) => withReserved(left, one.claim), room),
  );
};

function refusalsOf(claim: Claim, room: Room, near: Near): readonly Refusal[] {
  const own = predicates
    .filter((rule) => !rule.check(claim, room))
    .flatMap((rule) => {
      const told = rule.explain(claim, room);
      const messages = told.length > 0 ? told : [claim.volumes.problem ?? rule.name];
      return messages.map((message) => ({ rule: rule.name, message, room }));
    });
  const others = near.refusal(room);
  if (others === undefined) return own;
  const isSpread = others === spreadRefusal || others === labelRefusal;
  return [
    ...own,
    { rule: isSpread ? "PodTopologySpread" : "InterPodAffinity", message: others, room },
  ];
}

/** Those that take the pod, the best of them first; then the others by name. */
function bestFirst(a: ExplainedNode, b: ExplainedNode): number {
  const [one, other] = [a, b].map((node) => ("total" in node ? node.total : -1));
  return (other ?? 0) - (one ?? 0) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
