/**
 * One batch: pods placed against one cut, one transaction a node (B1), all of them under way at once. A
 * node that another scheduler was quicker at costs only the pods that were meant for it.
 */
import type { AdmissionContext } from "../../libs/admission/context.ts";
import type { RecordEvent } from "../../libs/cluster/record-event.ts";
import type { ClusterSettings } from "../../libs/cluster/settings.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import { namespace as namespaceKind } from "../../libs/model/kinds/namespace.ts";
import { type Pod, pod as podKind } from "../../libs/model/kinds/pod.ts";
import type { Op, Revision, Store } from "../../libs/store/store.ts";
import type { Clock } from "../../libs/telemetry/clock.ts";
import type { Log } from "../../libs/telemetry/log.ts";
import type { Random } from "../../libs/telemetry/random.ts";
import { budgetsAt } from "./budgets.ts";
import { type Claim, claimOf, isPending, isResizing, withVolumes } from "./claim.ts";
import { whatHelps } from "./decisions/explain.ts";
import { place, type Refused } from "./decisions/place.ts";
import type { NamespaceLabels } from "./decisions/pod-terms.ts";
import { resize } from "./decisions/resize.ts";
import type { SchedulerMetrics } from "./metrics.ts";
import { eventOf, postpone, refuse } from "./refusals.ts";
import type { Rooms } from "./rooms.ts";
import { isKept, type Preemption, sharesOf } from "./shares.ts";
import { listTerms, termsAt } from "./terms.ts";
import { volumesOf } from "./volumes-of.ts";
import { addressOf, writesFor } from "./writes.ts";

export type TurnPorts = {
  readonly view: ClusterView;
  /** Of the same replica; they follow it from before whoever decides upon them does. */
  readonly rooms: Rooms;
  readonly store: Pick<Store, "commit" | "lastRevision">;
  readonly settings: ClusterSettings;
  readonly record: RecordEvent;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly measured?: SchedulerMetrics;
};

export type TurnOutcome = {
  /** Addresses of what found no node. */
  readonly refused: readonly string[];
  /** Addresses whose node was gone or changed: decide again. */
  readonly again: readonly string[];
  /** Where the replica must be before the next batch. */
  readonly revision: Revision;
};

/** Shapes of pods in one batch for which every node is asked what would help. */
const helpsMax = 10;
/** Kubernetes' limit of an Event's message. */
const eventMessageMax = 1_024;

/** @param addresses pods that were pending, or waited for room to grow, at some cut */
export async function runTurn(
  addresses: readonly string[],
  ports: TurnPorts,
): Promise<TurnOutcome> {
  const { view, rooms, store, clock, random, settings, record, log } = ports;
  // From here to the commits nothing waits: it is one cut.
  const startedMs = clock.monotonicMs();
  const context: AdmissionContext = { view, now: clock.now(), random, settings };
  const cut = view.revision;
  const pods = addresses.flatMap((address) => podAt(view, address) ?? []);
  const claims = pods.filter(isPending).map((pod) => askedBy(pod, view));
  const resizing = pods.filter(isResizing);
  const labelsOf = labelsIn(view);
  const terms = termsAt(view, labelsOf);
  const concerned = new Map(claims.map((claim) => [claim, terms.concerning(claim)]));
  const unlisted = claims.filter((claim) => concerned.get(claim) === undefined);
  if (unlisted.length > 0) {
    const outcome = await store.commit(listTerms(unlisted, view), { cut });
    const revision = outcome.revision ?? (await store.lastRevision());
    return { refused: [], again: addresses, revision };
  }
  const { rooms: all, cohorts, nominated } = rooms.now();
  const budgets = budgetsAt(view);
  const helps = new Map<string, readonly string[]>();
  // What runs goes before what is to come.
  const sized = resize(resizing, all);
  const around = { cohorts, labelsOf, nominated, budgets, settings: settings.scheduling };
  const placed = place(claims, rotated(sized.rooms, random), around);
  const shares = sharesOf(placed, {
    grown: sized.granted,
    termsOf: (claim) => concerned.get(claim) ?? [],
    budgetsOf: (claim) => budgets.of(claim),
  });
  const podOf = ({ namespace, name }: Claim) => view.get(podKind, namespace, name);
  const { choices } = placed;
  const transactions = shares.map((share) => writesFor(share, { podOf, choices, terms }, context));
  const refusals = [
    ...placed.refused.flatMap((one) => {
      const refusal = refusalOf(one);
      return refusal === undefined ? [] : [{ refusal, said: () => withHelp(one.claim, one.why) }];
    }),
    ...sized.refused.flatMap(({ pod, ...fault }) => {
      const refusal = postpone(pod, fault, context);
      return refusal === undefined ? [] : [{ refusal, said: () => refusal.why }];
    }),
  ];
  const podsOf = new Map(claims.map((claim) => [claim, podOf(claim)]));
  const victims = new Map(
    shares.flatMap(({ preemptions }) =>
      preemptions.flatMap((one) => one.victims.map((victim) => [victim, podOf(victim)] as const)),
    ),
  );
  const decidedMs = clock.monotonicMs() - startedMs;

  let revision = cut;
  const again: string[] = [];
  let bound = 0;
  const settle = async (ops: readonly Op[]): Promise<boolean> => {
    const outcome = await store.commit(ops, { cut });
    revision = Math.max(revision, outcome.revision ?? (await store.lastRevision()));
    return outcome.ok;
  };
  const committed = transactions.map(async ({ ops, binds, grown, preemptions, left }) => {
    again.push(...left);
    if (ops.length === 0) return;
    if (!(await settle(ops))) {
      const node = binds[0]?.node ?? preemptions[0]?.node;
      log.debug({ node, pods: binds.length }, "another scheduler was quicker");
      again.push(...[...binds, ...preemptions].map(({ claim }) => claim.address));
      again.push(...grown.map(addressOf));
      return;
    }
    bound += binds.length;
    for (const { claim, node } of binds) noteBound(claim, node);
    for (const one of preemptions) notePreempted(one);
  });
  const told = refusals.map(async ({ refusal: { pod, reason, ops }, said }) => {
    // What its status says was written by another meanwhile: it is said of the pod as it is then.
    if (!(await settle(ops))) again.push(addressOf(pod));
    else record({ ...eventOf(pod), type: "Warning", reason, message: said() });
  });
  const results = await Promise.allSettled([...committed, ...told]);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  const { binds, refused } = placed;
  const figures = { pods: claims.length, nodes: binds.size, refused: refused.length };
  log.debug({ ...figures, cut, decidedMs }, "a batch ended");
  const committedMs = clock.monotonicMs() - startedMs - decidedMs;
  ports.measured?.ended({
    bound,
    refused: refused.length,
    again: again.length,
    decidedMs,
    committedMs,
  });
  const decidedAgain = new Set(again);
  const without = [
    ...refused.map(({ claim }) => claim.address),
    ...sized.refused.map(({ pod }) => addressOf(pod)),
  ];
  return {
    refused: without.filter((address) => !decidedAgain.has(address)),
    again,
    revision,
  };

  /** Where its nomination changes that is written with all that counts on the node. */
  function refusalOf({ claim, why, nomination }: Refused) {
    if (!isKept(claim, nomination)) return undefined;
    const pod = podOf(claim);
    return pod && refuse(pod, { why, node: nomination?.node ?? "" }, context);
  }

  /**
   * For the Event alone: what is free changes, and no status is written anew for that. So it is worked out
   * when the batch is committed, and holds up no bind.
   */
  function withHelp(claim: Claim, why: string): string {
    const alike = `${claim.sameAs}${claim.alike}`;
    if (!helps.has(alike) && helps.size >= helpsMax) return why;
    const help = helps.get(alike) ?? whatHelps(claim, sized.rooms, around);
    helps.set(alike, help);
    if (help.length === 0) return why;
    return `${why} What would help: ${help.join("; ")}.`.slice(0, eventMessageMax);
  }

  function noteBound(claim: Claim, node: string): void {
    const pod = podsOf.get(claim);
    if (pod === undefined) return;
    const message = `Successfully assigned ${claim.address} to ${node}`;
    record({ ...eventOf(pod), type: "Normal", reason: "Scheduled", message });
  }

  function notePreempted({ claim, why, node, victims: gone }: Preemption): void {
    const pod = podsOf.get(claim);
    if (pod === undefined) return;
    record({ ...eventOf(pod), type: "Warning", reason: "FailedScheduling", message: why });
    const message = `Preempted by pod ${pod.metadata.uid} on node ${node}`;
    for (const one of gone) {
      const victim = victims.get(one);
      if (victim === undefined) continue;
      record({ ...eventOf(victim), type: "Normal", reason: "Preempted", message });
    }
  }
}

export function podAt(view: ClusterView, address: string): Pod | undefined {
  const [namespace = "", name = ""] = address.split("/");
  return view.get(podKind, namespace, name);
}

export const labelsIn =
  (view: ClusterView): NamespaceLabels =>
  (name) =>
    view.get(namespaceKind, undefined, name)?.metadata.labels ?? {};

/** What the pod asks of a node, with its claims to storage as they are at the cut. */
export function askedBy(pod: Pod, view: ClusterView): Claim {
  const claim = claimOf(pod);
  return claim.usesStorage ? withVolumes(claim, volumesOf(view, pod)) : claim;
}

/** Among equals the first wins: two schedulers that begin elsewhere seldom want the same node. */
function rotated<T>(all: readonly T[], random: Random): readonly T[] {
  const from = Math.floor(random.next() * all.length);
  return [...all.slice(from), ...all.slice(0, from)];
}
