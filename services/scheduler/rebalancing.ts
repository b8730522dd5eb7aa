/**
 * Moves pods that asked for it when the cluster has drifted: one at a time, through its budget, and the next
 * only when all of that owner's are ready again. What it has moved lies at one key, which every move writes:
 * so of two instances one moves, and a restart forgets nothing.
 */
import type { Placement } from "../../libs/actor/placement.ts";
import { encode, heldAt, together } from "../../libs/admission/transaction.ts";
import { admitEvict } from "../../libs/admission/evict.ts";
import { rebalanceKey } from "../../libs/cluster/key.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import { ApiError } from "../../libs/model/errors.ts";
import { type Pod, pod as podKind } from "../../libs/model/kinds/pod.ts";
import { isLive, readySinceMs } from "../../libs/model/pod/state.ts";
import type { Replica } from "../../libs/store/replica.ts";
import type { EpochMs } from "../../libs/telemetry/clock.ts";
import { budgetsAt } from "./budgets.ts";
import { type Move, moveOf } from "./decisions/rebalance.ts";
import { eventOf } from "./refusals.ts";
import { askedBy, labelsIn, type TurnPorts } from "./turn.ts";

/** On a pod, mostly by its template: "true" or "false"; without it the cluster's setting holds. */
export const rebalanceAnnotation = "berth.dev/rebalance";

export type RebalancingOptions = TurnPorts & {
  readonly replica: Replica<unknown>;
  readonly placement: Placement;
  readonly signal: AbortSignal;
};

const lookEveryMs = 10_000;
/** An owner's pods are left alone so long after one was moved. */
export const restMs = 60_000;
/** Each is placed as if it were new, beside every node and pod: so many of them in one look. */
const looksMax = 20;
/** Owners that were moved longest ago are forgotten first. */
const rememberedMax = 100;

/** Owner's uid → when one of its pods was moved. */
type Moved = Readonly<Record<string, EpochMs>>;

/** Resolves when `signal` has aborted. */
export async function runRebalancing(options: RebalancingOptions): Promise<void> {
  const { view, placement, clock, signal, log } = options;
  let looked = -1;
  let from = 0;
  while (!signal.aborted) {
    await clock.sleep(lookEveryMs, signal);
    if (signal.aborted) return;
    const { revision } = view;
    // Nothing has changed since nothing was found: nothing would be found.
    if (revision === looked || !placement.owns("rebalance")) continue;
    try {
      const all = movable(options);
      const start = from % Math.max(all.length, 1);
      const some = [...all.slice(start), ...all.slice(0, start)].slice(0, looksMax);
      from = start + some.length;
      const move = firstMove(some, options);
      if (move !== undefined) await carryOut(move, options);
      else if (some.length === all.length && !rests(options)) looked = revision;
    } catch (error) {
      log.warn({ err: error }, "the cluster could not be evened out");
    }
  }
}

/** Ready pods that may be moved, and whose owner has all of its pods ready. */
function movable({ view, settings, clock }: RebalancingOptions): readonly Pod[] {
  const isAsked = ({ metadata }: Pod): boolean => {
    const said = metadata.annotations?.[rebalanceAnnotation];
    return said === undefined ? settings.scheduling.rebalance : said === "true";
  };
  const moved = movedIn(view);
  const settled = new Map<string, boolean>();
  const isSettled = (owner: string): boolean => {
    const known = settled.get(owner);
    if (known !== undefined) return known;
    const rested = clock.now() - (moved[owner] ?? Number.NEGATIVE_INFINITY) >= restMs;
    const found = rested && view.list(podKind, { ownerUid: owner }).every(isReady);
    settled.set(owner, found);
    return found;
  };
  return view.list(podKind).filter((pod) => {
    if (!isAsked(pod) || !isReady(pod) || (pod.spec.nodeName ?? "") === "") return false;
    const owner = ownerOf(pod);
    return owner !== undefined && replaced.has(owner.kind) && isSettled(owner.uid);
  });
}

/** A pod of these comes again, anywhere; a DaemonSet's belongs where it is, a Job's has work to lose. */
const replaced = new Set(["ReplicaSet", "StatefulSet", "ReplicationController"]);

const isReady = (pod: Pod): boolean => isLive(pod) && readySinceMs(pod) !== undefined;
const ownerOf = ({ metadata }: Pod) =>
  (metadata.ownerReferences ?? []).find(({ controller }) => controller === true);

const movedIn = (view: ClusterView): Moved =>
  (view.raw.get(rebalanceKey)?.value as Moved | undefined) ?? {}; // Only `carryOut` writes it.

const rests = ({ view, clock }: RebalancingOptions): boolean =>
  Object.values(movedIn(view)).some((at) => clock.now() - at < restMs);

function firstMove(
  pods: readonly Pod[],
  { view, rooms, settings }: RebalancingOptions,
): Move | undefined {
  if (pods.length === 0) return undefined;
  const { rooms: all, nominated } = rooms.now();
  const around = {
    nominated,
    labelsOf: labelsIn(view),
    budgets: budgetsAt(view),
    settings: settings.scheduling,
  };
  for (const pod of pods) {
    const move = moveOf(askedBy(pod, view), pod.spec.nodeName ?? "", all, around);
    if (move !== undefined) return move;
  }
  return undefined;
}

async function carryOut(
  { claim, from, to, why }: Move,
  options: RebalancingOptions,
): Promise<void> {
  const { view, store, clock, random, settings, record, log } = options;
  const pod = view.get(podKind, claim.namespace, claim.name);
  const owner = pod && ownerOf(pod);
  if (pod === undefined || owner === undefined) return;
  const now = clock.now();
  try {
    const evicted = admitEvict(pod, {}, { view, now, random, settings });
    if (evicted === undefined) return;
    const others = Object.entries(movedIn(view))
      .filter(([uid]) => uid !== owner.uid)
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, rememberedMax - 1);
    const value = encode({ ...Object.fromEntries(others), [owner.uid]: now });
    const expect = heldAt(view, rebalanceKey);
    const mark = { op: "put" as const, key: rebalanceKey, expect, value };
    const outcome = await store.commit(together([evicted.ops, [mark]]), { cut: view.revision });
    if (!outcome.ok) return;
  } catch (error) {
    if (error instanceof ApiError && error.reason === "TooManyRequests") return; // Its budget allows none now.
    throw error;
  }
  log.info({ pod: claim.address, node: from, to }, "a pod is moved");
  const message = `Moved from ${from}, for ${to} say: ${why}`;
  record({ ...eventOf(pod), type: "Normal", reason: "Rebalanced", message });
}
