/**
 * Binds pods in batches: all pending pods of this instance against one cut, one transaction a node
 * (B1), many of them under way at once. A node that another scheduler was quicker at costs only the
 * pods that were meant for it: they are in the next batch.
 */
import { together, transactionOf } from "../../libs/admission/transaction.ts";
import { admitBind, admitStatus, admitUpdate } from "../../libs/admission/admit.ts";
import { admitGrowth, admitPending } from "../../libs/admission/admit-growth.ts";
import { type AdmissionContext, timestamp } from "../../libs/admission/context.ts";
import type { Placement } from "../../libs/actor/placement.ts";
import { backOffMs } from "../../libs/actor/back-off.ts";
import { parseKey } from "../../libs/cluster/key.ts";
import type { RecordEvent } from "../../libs/cluster/record-event.ts";
import type { ClusterSettings } from "../../libs/cluster/settings.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import type { ObjectOf } from "../../libs/model/kind.ts";
import { namespace as namespaceKind } from "../../libs/model/kinds/namespace.ts";
import { persistentVolume } from "../../libs/model/kinds/persistentvolume.ts";
import { persistentVolumeClaim } from "../../libs/model/kinds/persistentvolumeclaim.ts";
import { type Pod, pod as podKind } from "../../libs/model/kinds/pod.ts";
import { claimNamesOf } from "../../libs/model/pod/claim-refs.ts";
import { keptFor, selectedNode } from "../../libs/model/storage/binding.ts";
import type { Advance, Change, Replica } from "../../libs/store/replica.ts";
import type { Op, Revision, Store } from "../../libs/store/store.ts";
import type { Clock } from "../../libs/telemetry/clock.ts";
import type { Log } from "../../libs/telemetry/log.ts";
import type { Random } from "../../libs/telemetry/random.ts";
import { type Claim, claimOf, isPending, isResizing, withVolumes } from "./claim.ts";
import { place, type Placed } from "./decisions/place.ts";
import { mayImprove } from "./decisions/near.ts";
import type { NamespaceLabels } from "./decisions/pod-terms.ts";
import { resize } from "./decisions/resize.ts";
import type { Choice } from "./decisions/volumes.ts";
import { queue } from "./queue.ts";
import { podIn, type Rooms, rooms } from "./rooms.ts";
import { type Bind, type Share, sharesOf } from "./shares.ts";
import { listTerms, type Terms, termsAt } from "./terms.ts";
import { helps, newcomer } from "./waking.ts";
import { isStorage, volumesOf } from "./volumes-of.ts";

export type SchedulerOptions = {
  readonly view: ClusterView;
  readonly replica: Replica<unknown>;
  readonly store: Pick<Store, "commit" | "lastRevision">;
  readonly settings: ClusterSettings;
  readonly placement: Placement;
  readonly record: RecordEvent;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Aborts: no more batches; the one that is under way is finished. */
  readonly signal: AbortSignal;
};

/** Pods in one batch: it bounds how long the event loop is held, and how old its cut gets. */
export const batchMax = 500;
/** A transaction holds at most 1,000 writes; a bind is two, and a node's load or a term's key one. */
const writesMax = 950;
const writesOfBind = 2;
/** Of a claim to storage, and its volume. */
const writesOfChoice = 2;
/** What found no node is tried again at least so often, whatever has been noticed. */
const retryParkedMs = 60_000;

/** Resolves when `signal` has aborted and the last batch has ended. */
export async function runScheduler(options: SchedulerOptions): Promise<void> {
  const { view, replica, placement, clock, random, log, signal } = options;
  const pending = queue();
  const space = rooms(view);
  /** In the batch that is under way. */
  const deciding = new Set<string>();
  let wake = Promise.withResolvers<void>();
  let [roomMade, storageMoved, othersMoved] = [0, 0, 0];

  const isMine = (address: string) => placement.owns(`pods/${address}`);

  function consider(pod: Pod | undefined, address: string): void {
    const waits = pod !== undefined && (isPending(pod) || isResizing(pod));
    if (waits && isMine(address)) pending.add(address);
    else pending.remove(address);
  }

  function note(change: Change<unknown>): boolean {
    const { resource, namespace, name } = parseKey(change.key);
    if (resource === "pods" && namespace !== undefined) {
      const address = `${namespace}/${name}`;
      // Its own refusal, written to its status, is no reason to try a pod again.
      const settled = pending.isParked(address) || deciding.has(address);
      if (!settled || asksAnew(change)) {
        consider(view.get(podKind, namespace, name), address);
      }
    }
    return space.note(change);
  }

  function noteAll({ changes }: Advance<unknown>): void {
    if (changes.map(note).some(Boolean)) {
      roomMade += 1;
      pending.unpark();
    }
    if (changes.some(({ key }) => isStorage(parseKey(key).resource))) {
      storageMoved += 1;
      pending.unpark(namesClaims);
    }
    const come = changes.flatMap((change) => newcomer(change) ?? []);
    if (come.length > 0 || changes.some(({ key }) => parseKey(key).resource === "namespaces")) {
      othersMoved += 1;
      const alike = [...new Map(come.map((claim) => [claim.cohort, claim])).values()];
      const labelsOf = labelsIn(view);
      pending.unpark((address) => {
        const pod = podAt(address);
        return pod !== undefined && helps(claimOf(pod), alike, labelsOf);
      });
    }
    if (pending.waiting > 0) wake.resolve();
  }

  function considerAll(): void {
    for (const pod of view.list(podKind)) {
      consider(pod, `${pod.metadata.namespace}/${pod.metadata.name}`);
    }
    if (pending.waiting > 0) wake.resolve();
  }

  using _changes = replica.subscribe(noteAll);
  using _members = placement.onChange(considerAll);
  const stop = () => wake.resolve();
  signal.addEventListener("abort", stop, { once: true });
  considerAll();

  let failures = 0;
  while (!signal.aborted) {
    if (pending.waiting === 0) {
      wake = Promise.withResolvers<void>();
      using _retry = clock.after(retryParkedMs, () => {
        pending.unpark();
        wake.resolve();
      });
      await wake.promise;
      continue;
    }
    const addresses = pending.take(batchMax);
    const before = { roomMade, storageMoved, othersMoved };
    for (const address of addresses) deciding.add(address);
    try {
      const { refused, again, revision } = await runBatch(addresses, options, () =>
        space.now(view),
      );
      await replica.caughtUp(revision);
      for (const address of refused) {
        const missed =
          roomMade !== before.roomMade ||
          (storageMoved !== before.storageMoved && namesClaims(address)) ||
          (othersMoved !== before.othersMoved && minds(address));
        if (missed) considerOne(address);
        else pending.park(address);
      }
      for (const address of again) considerOne(address);
      failures = 0;
    } catch (error) {
      failures += 1;
      const delayMs = backOffMs(failures, random);
      log.warn({ err: error, retryInMs: delayMs, pods: addresses.length }, "a batch failed");
      await clock.sleep(delayMs, signal);
      for (const address of addresses) considerOne(address);
    } finally {
      deciding.clear();
    }
  }
  signal.removeEventListener("abort", stop);

  function considerOne(address: string): void {
    consider(podAt(address), address);
  }

  function podAt(address: string): Pod | undefined {
    const [namespace = "", name = ""] = address.split("/");
    return view.get(podKind, namespace, name);
  }

  /** Whether it matters to the pod that others have come. */
  function minds(address: string): boolean {
    const pod = podAt(address);
    return pod !== undefined && mayImprove(claimOf(pod));
  }

  function namesClaims(address: string): boolean {
    return claimNamesOf(podAt(address)?.spec ?? {}).length > 0;
  }
}

/** Among equals the first wins: two schedulers that begin elsewhere seldom want the same node. */
function rotated<T>(all: readonly T[], random: Random): readonly T[] {
  const from = Math.floor(random.next() * all.length);
  return [...all.slice(from), ...all.slice(0, from)];
}

type BatchOutcome = {
  /** They found no node. */
  readonly refused: readonly string[];
  /** Their node was gone or changed: decide again. */
  readonly again: readonly string[];
  /** Where the replica must be before the next batch. */
  readonly revision: Revision;
};

async function runBatch(
  addresses: readonly string[],
  options: SchedulerOptions,
  roomsNow: () => ReturnType<Rooms["now"]>,
): Promise<BatchOutcome> {
  const { view, store, clock, random, settings, record, log } = options;
  // From here to the commits nothing waits: it is one cut.
  const startedMs = clock.monotonicMs();
  const context: AdmissionContext = { view, now: clock.now(), random, settings };
  const cut = view.revision;
  const pods = new Map<Claim, Pod>();
  const resizing: Pod[] = [];
  for (const address of addresses) {
    const [namespace = "", name = ""] = address.split("/");
    const pod = view.get(podKind, namespace, name);
    if (pod !== undefined && isPending(pod)) pods.set(askedBy(pod, view), pod);
    if (pod !== undefined && isResizing(pod)) resizing.push(pod);
  }
  const labelsOf = labelsIn(view);
  const terms = termsAt(view, labelsOf);
  const concerned = new Map<Claim, readonly string[]>();
  const unlisted: Claim[] = [];
  for (const claim of pods.keys()) {
    const ids = terms.concerning(claim);
    if (ids === undefined) unlisted.push(claim);
    else concerned.set(claim, ids);
  }
  if (unlisted.length > 0) {
    const outcome = await store.commit(listTerms(unlisted, view), { cut });
    const revision = outcome.revision ?? (await store.lastRevision());
    return { refused: [], again: addresses, revision };
  }
  const { rooms: all, cohorts } = roomsNow();
  // What runs goes before what is to come.
  const sized = resize(resizing, all);
  const placed = place([...pods.keys()], rotated(sized.rooms, random), { cohorts, labelsOf });
  const { refused, choices } = placed;
  const shares = sharesOf(placed, {
    grown: sized.granted,
    termsOf: (claim) => concerned.get(claim) ?? [],
  });
  const transactions = shares.map((share) => writesFor(share, { pods, choices, terms }, context));
  const refusals = [
    ...refused.flatMap(({ claim, why }) => refuse(pods.get(claim), why, context) ?? []),
    ...sized.refused.flatMap(({ pod, ...fault }) => postpone(pod, fault, context) ?? []),
  ];
  const decidedMs = clock.monotonicMs() - startedMs;

  let revision = cut;
  const again: string[] = [];
  const settle = async (ops: readonly Op[]): Promise<boolean> => {
    const outcome = await store.commit(ops, { cut });
    revision = Math.max(revision, outcome.revision ?? (await store.lastRevision()));
    return outcome.ok;
  };
  const bound = transactions.map(async ({ ops, binds, grown, left }) => {
    again.push(...left);
    if (binds.length + grown.length === 0) return;
    if (!(await settle(ops))) {
      log.debug({ node: binds[0]?.node, pods: binds.length }, "another scheduler was quicker");
      again.push(...binds.map(({ claim }) => claim.address), ...grown.map(addressOf));
      return;
    }
    for (const { claim, node } of binds) noteBound(claim, node);
  });
  const told = refusals.map(async ({ pod, reason, why, ops }) => {
    if (await settle(ops)) record({ ...eventOf(pod), type: "Warning", reason, message: why });
  });
  const results = await Promise.allSettled([...bound, ...told]);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  log.debug(
    { pods: pods.size, nodes: placed.binds.size, refused: refused.length, cut, decidedMs },
    "a batch ended",
  );
  const parked = [
    ...refused.map(({ claim }) => claim.address),
    ...sized.refused.map(({ pod }) => addressOf(pod)),
  ];
  return { refused: parked, again, revision };

  function noteBound(claim: Claim, node: string): void {
    const pod = pods.get(claim);
    if (pod === undefined) return;
    const message = `Successfully assigned ${claim.address} to ${node}`;
    record({ ...eventOf(pod), type: "Normal", reason: "Scheduled", message });
  }
}

const labelsIn =
  (view: ClusterView): NamespaceLabels =>
  (name) =>
    view.get(namespaceKind, undefined, name)?.metadata.labels ?? {};

type Choices = Placed["choices"];

/** What the pod asks of a node, with its claims to storage as they are at the cut. */
function askedBy(pod: Pod, view: ClusterView): Claim {
  const claim = claimOf(pod);
  return claimNamesOf(pod.spec).length === 0 ? claim : withVolumes(claim, volumesOf(view, pod));
}

type Writes = Share & {
  readonly ops: readonly Op[];
  /** Addresses, for the next batch: the transaction is full. */
  readonly left: readonly string[];
};

/**
 * One transaction for all that comes to count on a node, or on nodes that a term concerns together (B1, B2).
 */
function writesFor(
  share: Share,
  {
    pods,
    choices,
    terms,
  }: {
    readonly pods: ReadonlyMap<Claim, Pod>;
    readonly choices: Choices;
    readonly terms: Terms;
  },
  context: AdmissionContext,
): Writes {
  const grown = share.grown.slice(0, writesMax / (writesOfBind + 1));
  const binds = fitting(share.binds, choices, grown.length * (writesOfBind + 1));
  const transactions = binds.flatMap(({ claim, node }) => {
    const pod = pods.get(claim);
    if (pod === undefined) return [];
    const storage = (choices.get(claim) ?? []).flatMap((one) => chooseAll(one, node, context));
    return [admitBind(podKind, pod, node, context).ops, ...storage];
  });
  const growths = grown.map((pod) => admitGrowth(pod, context).ops);
  const written = terms.writes(new Set(binds.flatMap((one) => one.terms)));
  return {
    ops: [...carrying(together([...transactions, ...growths, written])), terms.guard],
    binds,
    grown,
    left: [
      ...share.binds.slice(binds.length).map(({ claim }) => claim.address),
      ...share.grown.slice(grown.length).map(addressOf),
    ],
  };
}

const addressOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;

/**
 * A pod's assignment follows from the pod, whose expectation covers it: so the guard rides on the message of
 * the first of them.
 */
function carrying(ops: readonly Op[]): readonly Op[] {
  const carrier = ops.find(({ op, key }) => op === "put" && parseKey(key).resource === "assign");
  return ops.map((op) => (op === carrier ? { ...op, covered: true } : op));
}

/** As many of the first as one transaction holds: what was placed later may rest on them. */
function fitting(binds: readonly Bind[], choices: Choices, writesBefore: number): readonly Bind[] {
  let writes = writesBefore;
  const counted = new Set<string>();
  const end = binds.findIndex(({ claim, node, terms }) => {
    const also = [node, ...terms].filter((one) => !counted.has(one));
    for (const one of also) counted.add(one);
    writes += writesOfBind + also.length + writesOfChoice * (choices.get(claim) ?? []).length;
    return writes > writesMax;
  });
  return end < 0 ? binds : binds.slice(0, writesBefore > 0 ? end : Math.max(end, 1));
}

/**
 * What a claim gets that waited for its pod's node is written with the bind, and one that is exclusive
 * at any rate: another scheduler that chose otherwise, or took the volume, is refused (S2).
 */
function chooseAll(
  { claim, volume }: Choice,
  node: string,
  context: AdmissionContext,
): readonly (readonly Op[])[] {
  const annotations = { ...claim.metadata.annotations, [selectedNode]: node };
  const chosen = { ...claim, metadata: { ...claim.metadata, annotations } };
  return [
    written(persistentVolumeClaim, claim, chosen, context),
    ...(volume === undefined
      ? []
      : [written(persistentVolume, volume, keptFor(volume, claim), context)]),
  ];
}

/** Also where nothing changes: the bind rests on it. */
const written = <K extends typeof persistentVolume | typeof persistentVolumeClaim>(
  kind: K,
  before: ObjectOf<K>,
  after: ObjectOf<K>,
  context: AdmissionContext,
): readonly Op[] =>
  admitUpdate(kind, before, after, context)?.ops ??
  transactionOf(kind, before, before, context.view);

type Refusal = {
  readonly pod: Pod;
  /** Of the Event that says so. */
  readonly reason: string;
  readonly why: string;
  readonly ops: readonly Op[];
};

/** PodScheduled becomes False, with why; undefined when that stands there already. */
function refuse(pod: Pod | undefined, why: string, context: AdmissionContext): Refusal | undefined {
  if (pod === undefined) return undefined;
  const type = "PodScheduled";
  const conditions = pod.status?.conditions ?? [];
  const was = conditions.find((condition) => condition.type === type);
  if (was?.status === "False" && was.message === why) return undefined;
  const now = timestamp(context.now);
  const condition = {
    type,
    status: "False" as const,
    reason: "Unschedulable",
    message: why,
    lastTransitionTime: was?.status === "False" ? (was.lastTransitionTime ?? now) : now,
  };
  const others = conditions.filter((other) => other.type !== type);
  const status = { ...pod.status, conditions: [...others, condition] };
  const ops = admitStatus(podKind, pod, status, context)?.ops;
  return ops === undefined ? undefined : { pod, reason: "FailedScheduling", why, ops };
}

/** PodResizePending says why it is no larger yet; undefined when that stands there already. */
function postpone(
  pod: Pod,
  fault: Parameters<typeof admitPending>[1],
  context: AdmissionContext,
): Refusal | undefined {
  const ops = admitPending(pod, fault, context)?.ops;
  const why = `Pod resize ${fault.reason}: ${fault.message}`;
  return ops === undefined ? undefined : { pod, reason: `Resize${fault.reason}`, why, ops };
}

const eventOf = ({ apiVersion, kind, metadata }: Pod) => ({
  source: { component: "default-scheduler" },
  involved: {
    apiVersion,
    kind,
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
  },
});

/** The pod asks for something else than before: a gate was lifted, say. */
function asksAnew({ before, after }: Change<unknown>): boolean {
  const [was, is] = [podIn(before), podIn(after)];
  if (was === undefined || is === undefined) return true;
  return (
    was.metadata.generation !== is.metadata.generation ||
    was.metadata.deletionTimestamp !== is.metadata.deletionTimestamp
  );
}
