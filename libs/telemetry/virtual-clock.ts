import type { Clock, EpochMs } from "./clock.ts";

/** A clock that stands still until it is told to go on: for tests and simulation. */
export type VirtualClock = Clock & {
  /** Moves time on by `ms`, running each timer that comes due at its own time, in order. */
  advance(ms: number): Promise<void>;
  /** When the next timer is due, on the monotonic scale; undefined when none is set. */
  nextDueMs(): number | undefined;
};

type Waiting = { readonly dueMs: number; readonly order: number; readonly run: () => void };

/** @param startsAt wall-clock time at the start; the monotonic scale starts at 0 */
export function virtualClock(startsAt: EpochMs = Date.UTC(2026, 0, 1)): VirtualClock {
  const timers = new Set<Waiting>();
  let elapsedMs = 0;
  let order = 0;
  const earliest = () => {
    let first: Waiting | undefined;
    for (const timer of timers) if (first === undefined || isBefore(timer, first)) first = timer;
    return first;
  };
  const clock: VirtualClock = {
    now: () => startsAt + elapsedMs,
    monotonicMs: () => elapsedMs,
    after(delayMs, run) {
      order += 1;
      const timer = { dueMs: elapsedMs + Math.max(delayMs, 0), order, run };
      timers.add(timer);
      return { [Symbol.dispose]: () => void timers.delete(timer) };
    },
    sleep(delayMs, signal) {
      return new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const timer = clock.after(delayMs, finish);
        function finish(): void {
          timer[Symbol.dispose]();
          signal?.removeEventListener("abort", finish);
          resolve();
        }
        signal?.addEventListener("abort", finish, { once: true });
      });
    },
    async advance(ms) {
      const until = elapsedMs + ms;
      await settled();
      for (let next = earliest(); next !== undefined && next.dueMs <= until; next = earliest()) {
        timers.delete(next);
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        next.run();
        await settled();
      }
      elapsedMs = until;
    },
    nextDueMs: () => earliest()?.dueMs,
  };
  return clock;
}

/**
 * Lets time go on by itself, until disposed: whenever nothing waits but timers, to the next of them.
 * What runs on it waits for no real time, and a seed repeats it.
 */
export function flowing(clock: VirtualClock): Disposable {
  let flows = true;
  const step = async () => {
    while (flows) {
      await settled();
      const dueMs = clock.nextDueMs();
      if (dueMs !== undefined) await clock.advance(dueMs - clock.monotonicMs());
    }
  };
  step().catch((cause: unknown) => {
    setImmediate(() => {
      throw new Error("a timer failed", { cause });
    });
  });
  return { [Symbol.dispose]: () => void (flows = false) };
}

const isBefore = (a: Waiting, b: Waiting) =>
  a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);

/** Lets everything run that waits only for promises. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
