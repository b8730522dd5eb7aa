/** Binds pods in batches: all pending pods of this instance, and those that a change may help, and no others. */
import type { Placement } from "../../libs/actor/placement.ts";
import { backOffMs } from "../../libs/actor/back-off.ts";
import { parseKey } from "../../libs/cluster/key.ts";
import { type Pod, pod as podKind } from "../../libs/model/kinds/pod.ts";
import type { Advance, Change, Replica } from "../../libs/store/replica.ts";
import { claimOf, isPending, isResizing } from "./claim.ts";
import { type Parked, queue } from "./queue.ts";
import { podIn } from "./rooms.ts";
import { labelsIn, podAt, runTurn, type TurnPorts } from "./turn.ts";
import { addNews, helpedBy, isNews, type News, noNews, tell } from "./waking.ts";

export type SchedulerOptions = TurnPorts & {
  readonly replica: Replica<unknown>;
  readonly placement: Placement;
  /** Aborts: no more batches; the one that is under way is finished. */
  readonly signal: AbortSignal;
};

/** Pods in one batch: it bounds how long the event loop is held, and how old its cut gets. */
export const batchMax = 500;
/** What found no node is tried again at least so often, whatever has been noticed. */
const retryParkedMs = 300_000;

/** Resolves when `signal` has aborted and the last batch has ended. */
export async function runScheduler(options: SchedulerOptions): Promise<void> {
  const { view, replica, rooms: space, placement, clock, random, log, signal } = options;
  const pending = queue();
  /** In the batch that is under way, and what has changed since its cut. */
  const deciding = new Set<string>();
  let missed = noNews();
  let wake = Promise.withResolvers<void>();

  const isMine = (address: string) => placement.owns(`pods/${address}`);

  const waits = (pod: Pod | undefined, address: string): pod is Pod =>
    pod !== undefined && (isPending(pod) || isResizing(pod)) && isMine(address);

  function consider(pod: Pod | undefined, address: string): void {
    if (waits(pod, address)) pending.add(address, claimOf(pod).priority);
    else pending.remove(address);
  }

  function note(change: Change<unknown>): void {
    const { resource, namespace, name } = parseKey(change.key);
    if (resource !== "pods" || namespace === undefined) return;
    const address = `${namespace}/${name}`;
    // Its own refusal, written to its status, is no reason to try a pod again.
    const settled = pending.isParked(address) || deciding.has(address);
    if (!settled || asksAnew(change)) consider(view.get(podKind, namespace, name), address);
  }

  function noteAll({ changes }: Advance<unknown>): void {
    const news = noNews();
    for (const change of changes) {
      note(change);
      tell(news, change);
    }
    if (isNews(news)) {
      if (pending.parked > 0) pending.unpark(helped(news));
      if (deciding.size > 0) addNews(missed, news);
    }
    if (pending.waiting > 0) wake.resolve();
  }

  const helped = (news: News) =>
    helpedBy(news, { roomAt: (node) => space.at(node), labelsOf: labelsIn(view) });

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
        pending.unpark(() => true);
        wake.resolve();
      });
      await wake.promise;
      continue;
    }
    const addresses = pending.take(batchMax);
    missed = noNews();
    for (const address of addresses) deciding.add(address);
    try {
      const { refused, again, revision } = await runTurn(addresses, options);
      const committedAtMs = clock.monotonicMs();
      await replica.caughtUp(revision);
      options.measured?.caughtUp(clock.monotonicMs() - committedAtMs);
      const isHelped = helped(missed);
      for (const address of refused) {
        // As it is now: with the node where room is being made for it.
        const pod = podAt(view, address);
        const parked = waits(pod, address) ? parkedAs(pod) : undefined;
        if (parked === undefined || isHelped(parked)) consider(pod, address);
        else pending.park(address, parked);
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
    consider(podAt(view, address), address);
  }
}

const parkedAs = (pod: Pod): Parked => ({ claim: claimOf(pod), home: pod.spec.nodeName ?? "" });

/** The pod asks for something else than before: a gate was lifted, say. */
function asksAnew({ before, after }: Change<unknown>): boolean {
  const [was, is] = [podIn(before), podIn(after)];
  if (was === undefined || is === undefined) return true;
  return (
    was.metadata.generation !== is.metadata.generation ||
    was.metadata.deletionTimestamp !== is.metadata.deletionTimestamp
  );
}
