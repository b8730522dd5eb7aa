/**
 * Runs actors: an address, a mailbox, and turns that run one at a time. A turn decides on a cut,
 * its writes are one transaction, and the next turn of the actor sees them. It knows nothing of what
 * the actors are, and leaves safety to the expectations of their transactions (S2, S5).
 *
 *     await using actors = runActors({ behaviours, view, replica, store, placement, ...ports });
 *     actors.tell("nodes", "n1");
 */
import type { Change, Replica } from "../store/replica.ts";
import type { Outcome, Revision, Store } from "../store/store.ts";
import type { Clock, EpochMs, Timer } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import type { Random } from "../telemetry/random.ts";
import { addressOf, type Behaviour, type Turn } from "./behaviour.ts";
import { backOffMs, conflictBackOffMs } from "./back-off.ts";
import { mailbox, type Waiting } from "./mailbox.ts";
import { actorMetrics } from "./metrics.ts";
import type { Placement } from "./placement.ts";

export type Failing = {
  readonly address: string;
  readonly attempts: number;
  /** Its message only: what an error quotes may be a secret. */
  readonly lastError: string;
  readonly since: EpochMs;
  readonly retryAt: EpochMs;
};

export type Actors = AsyncDisposable & {
  /** A direct message: the actor turns, if it lives here. */
  tell(kind: string, name: string): void;
  /** Actors whose last turn failed. */
  failing(): readonly Failing[];
  /** Lets a failing actor turn now; false when none of that address fails here. */
  retry(address: string): boolean;
  /** Turns, their outcomes and times, and what waits: Prometheus' text format. */
  metrics(): Promise<string>;
  /** Resolves when `signal` has aborted and the commits in flight have ended, at most 10 s later. */
  readonly ended: Promise<void>;
};

export type ActorsOptions<V, T> = {
  readonly behaviours: readonly Behaviour<V, Change<T>>[];
  /** What turns read: the replica itself, or a face of it. */
  readonly view: V;
  readonly replica: Replica<T>;
  readonly store: Pick<Store, "commit" | "lastRevision">;
  readonly placement: Placement;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Aborts: no more turns are taken; what is in flight is waited for. */
  readonly signal: AbortSignal;
  /** Turns under way at once, their commits included. Default 64. */
  readonly turnsInFlight?: number;
};

const turnsInFlightDefault = 64;
/** So many turns that ask somebody else keep nobody waiting; more of them count like the others. */
const askingMax = 256;
/** Turns that write nothing run back to back for so long before others get the event loop (N4). */
const sliceMs = 10;
const handOverMaxMs = 10_000;
/** Timers later than this wake the actor early, which does no harm. */
const timerMaxMs = 24 * 60 * 60 * 1_000;
const timerMinMs = 5;

type Actor = {
  timer?: Timer | undefined;
  failure?: Omit<Failing, "address"> | undefined;
  conflicts: number;
};

export function runActors<V, T>(options: ActorsOptions<V, T>): Actors {
  const { behaviours, view, replica, store, placement, clock, random, log, signal } = options;
  const turnsInFlight = options.turnsInFlight ?? turnsInFlightDefault;
  const byKind = new Map(behaviours.map((behaviour) => [behaviour.kind, behaviour]));
  const box = mailbox([...byKind.keys()]);
  const actors = new Map<string, Actor>();
  const abandon = new AbortController();
  const ended = Promise.withResolvers<void>();
  const inFlight = new Set<Promise<void>>();
  const metrics = actorMetrics({
    waiting: () => box.depths(),
    inFlight: () => inFlight.size,
    held: () => actors.size,
  });
  let [pumping, stopped, asking] = [false, false, 0];

  function tell(kind: string, name: string): void {
    if (stopped || !placement.owns(addressOf(kind, name))) return;
    box.put(kind, name, clock.monotonicMs());
    pump();
  }

  /** Starts turns while there is room for them; lets the event loop in between slices. */
  function pump(): void {
    if (pumping) return;
    pumping = true;
    queueMicrotask(slice);
  }

  function slice(): void {
    const until = clock.monotonicMs() + sliceMs;
    while (inFlight.size - Math.min(asking, askingMax) < turnsInFlight) {
      const next = stopped ? undefined : box.take();
      if (next === undefined) break;
      const running = take(next);
      if (running !== undefined) supervise(next.kind, next.name, running);
      if (clock.monotonicMs() >= until && box.waiting > 0) {
        clock.after(0, slice);
        return;
      }
    }
    pumping = false;
  }

  function supervise(kind: string, name: string, running: Promise<void>): void {
    const settled = running
      .catch((error: unknown) => fail(kind, name, error))
      .finally(() => {
        inFlight.delete(settled);
        box.done(kind, name);
        drop(addressOf(kind, name));
        pump();
      });
    inFlight.add(settled);
  }

  /** One turn. What it writes is committed by the returned promise; undefined when it writes nothing. */
  function take({ kind, name, sinceMs }: Waiting): Promise<void> | undefined {
    const startedMs = clock.monotonicMs();
    metrics.took(kind, startedMs - sinceMs);
    const address = addressOf(kind, name);
    const actor = actors.get(address) ?? { conflicts: 0 };
    actors.set(address, actor);
    actor.timer?.[Symbol.dispose]();
    actor.timer = undefined;
    let turn: Turn | undefined;
    try {
      if (placement.owns(address)) turn = byKind.get(kind)?.turn(name, view, clock.now());
      else actor.failure = undefined;
      metrics.decided(kind, clock.monotonicMs() - startedMs);
      if (turn?.asks !== undefined) return ask(kind, name, actor, turn.asks);
      if (turn !== undefined && turn.ops.length > 0) return commit(kind, name, actor, turn);
      rest(kind, name, actor, turn);
    } catch (error) {
      fail(kind, name, error);
    }
    box.done(kind, name);
    drop(address);
    return undefined;
  }

  /** A turn that changes nothing. */
  function rest(kind: string, name: string, actor: Actor, turn: Turn | undefined): void {
    metrics.ended(kind, "unchanged");
    succeed(kind, name, actor, turn?.wakeAt);
    if (turn !== undefined) follow(addressOf(kind, name), turn, turn.cut);
  }

  /** Others take their turns meanwhile. */
  async function ask(
    kind: string,
    name: string,
    actor: Actor,
    asks: NonNullable<Turn["asks"]>,
  ): Promise<void> {
    asking += 1;
    const waiting = asks({ now: () => clock.now(), signal: abandon.signal });
    const turn = await waiting.finally(() => (asking -= 1));
    if (turn !== undefined && turn.ops.length > 0) await commit(kind, name, actor, turn);
    else rest(kind, name, actor, turn);
  }

  async function commit(kind: string, name: string, actor: Actor, turn: Turn): Promise<void> {
    const startedMs = clock.monotonicMs();
    const { ops, cut } = turn;
    const outcome = await store.commit(ops, { cut, signal: abandon.signal });
    const facts = { actor: addressOf(kind, name), writes: ops.length, cut };
    const durationMs = clock.monotonicMs() - startedMs;
    metrics.ended(kind, outcome.ok ? "committed" : "conflict");
    metrics.committed(kind, durationMs);
    if (!outcome.ok) {
      log.debug({ ...facts, durationMs, conflict: outcome.conflict }, "a turn lost a race");
      await decideAgain(kind, name, actor, outcome);
      return;
    }
    log.debug({ ...facts, durationMs, revision: outcome.revision }, "a turn was committed");
    succeed(kind, name, actor, turn.wakeAt);
    follow(facts.actor, turn, outcome.revision);
    await caughtUp(outcome.revision);
  }

  function follow(address: string, turn: Turn, revision: Revision): void {
    try {
      turn.committed?.(revision);
    } catch (error) {
      log.error({ err: error, actor: address }, "the effects of a turn failed");
    }
  }

  async function decideAgain(
    kind: string,
    name: string,
    actor: Actor,
    outcome: Outcome & { readonly ok: false },
  ): Promise<void> {
    actor.conflicts += 1;
    await caughtUp(outcome.revision ?? (await store.lastRevision()));
    const delayMs = conflictBackOffMs(actor.conflicts, random);
    if (delayMs > 0) await clock.sleep(delayMs, signal);
    box.put(kind, name, clock.monotonicMs());
  }

  async function caughtUp(revision: Revision): Promise<void> {
    await replica.caughtUp(revision, { signal: abandon.signal });
  }

  function succeed(kind: string, name: string, actor: Actor, wakeAt: EpochMs | undefined): void {
    actor.failure = undefined;
    actor.conflicts = 0;
    if (wakeAt !== undefined) wake(kind, name, actor, wakeAt - clock.now());
  }

  function fail(kind: string, name: string, error: unknown): void {
    metrics.ended(kind, "failed");
    if (stopped) return;
    const address = addressOf(kind, name);
    const actor = actors.get(address) ?? { conflicts: 0 };
    actors.set(address, actor);
    const attempts = (actor.failure?.attempts ?? 0) + 1;
    const delayMs = backOffMs(attempts, random);
    const [now, lastError] = [clock.now(), error instanceof Error ? error.message : String(error)];
    const since = actor.failure?.since ?? now;
    actor.failure = { attempts, lastError, since, retryAt: now + delayMs };
    log.warn({ err: error, actor: address, attempts, retryInMs: delayMs }, "a turn failed");
    byKind.get(kind)?.failed?.(name, { error, attempts });
    wake(kind, name, actor, delayMs);
  }

  function wake(kind: string, name: string, actor: Actor, delayMs: number): void {
    actor.timer?.[Symbol.dispose]();
    const boundedMs = Math.min(Math.max(delayMs, timerMinMs), timerMaxMs);
    actor.timer = clock.after(boundedMs, () => {
      actor.timer = undefined;
      tell(kind, name);
      drop(addressOf(kind, name));
    });
  }

  /** Idle actors are forgotten: the state is their memory. */
  function drop(address: string): void {
    const actor = actors.get(address);
    if (actor === undefined || actor.timer !== undefined || actor.conflicts > 0) return;
    if (actor.failure === undefined) actors.delete(address);
  }

  function turnAll(): void {
    for (const [address, actor] of actors) {
      if (placement.owns(address)) continue;
      actor.timer?.[Symbol.dispose]();
      actors.delete(address);
    }
    for (const behaviour of behaviours) {
      for (const name of behaviour.all(view)) tell(behaviour.kind, name);
    }
  }

  function notice(change: Change<T>): void {
    for (const behaviour of behaviours) {
      try {
        for (const name of behaviour.concerns(change, view)) tell(behaviour.kind, name);
      } catch (error) {
        log.error(
          { err: error, kind: behaviour.kind, key: change.key },
          "a change was not understood",
        );
      }
    }
  }

  const subscriptions = [
    replica.subscribe((advance) => advance.changes.forEach(notice)),
    placement.onChange(turnAll),
  ];

  /** Takes no more turns and waits for the commits in flight. Never rejects. */
  async function handOver(): Promise<void> {
    if (stopped) {
      await ended.promise;
      return;
    }
    stopped = true;
    for (const subscription of subscriptions) subscription[Symbol.dispose]();
    box.clear();
    for (const { timer } of actors.values()) timer?.[Symbol.dispose]();
    using _bound = clock.after(handOverMaxMs, () => abandon.abort());
    while (inFlight.size > 0) await Promise.all(inFlight);
    actors.clear();
    ended.resolve();
  }

  const stop = () => {
    handOver().catch((error: unknown) => ended.reject(error));
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  turnAll();

  return {
    tell,
    failing: () =>
      [...actors].flatMap(([address, { failure }]) =>
        failure === undefined ? [] : [{ address, ...failure }],
      ),
    retry(address) {
      if (actors.get(address)?.failure === undefined) return false;
      const slash = address.indexOf("/");
      tell(address.slice(0, slash), address.slice(slash + 1));
      return true;
    },
    metrics: () => metrics.text(),
    ended: ended.promise,
    async [Symbol.asyncDispose]() {
      signal.removeEventListener("abort", stop);
      await handOver();
    },
  };
}
