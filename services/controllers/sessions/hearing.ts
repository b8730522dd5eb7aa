import type { Clock } from "../../../libs/telemetry/clock.ts";

/** A gap in this process's own event loop after which it no longer trusts what it did not hear (N4). */
const pauseMaxMs = 500;
const tickMs = 100;
/** A tick that is later than this has more before it: what has arrived meanwhile is not heard yet. */
const lateMs = 50;

/** Whether this instance itself has listened, without a break, for long enough to judge a silence. */
export type Hearing = Disposable & {
  /** For how long it has listened; 0 while it cannot, or is behind with what it hears. */
  heardForMs(): number;
};

/**
 * Watches this process's own ears: its connection and its event loop (N4). A pause of the process, or
 * a break of its connection, starts the time anew.
 *
 * @param healthySinceMs the bus's, in monotonic milliseconds of `clock`
 */
export function listen(clock: Clock, healthySinceMs: () => number | undefined): Hearing {
  let awakeSince = clock.monotonicMs();
  let lastTick = awakeSince;
  let wasLate = false;
  let timer = clock.after(tickMs, tick);
  function tick(): void {
    const now = clock.monotonicMs();
    wasLate = isLate();
    lastTick = now;
    timer = clock.after(tickMs, tick);
  }
  function isLate(): boolean {
    const now = clock.monotonicMs();
    if (now - lastTick > pauseMaxMs) awakeSince = now;
    return now - lastTick > tickMs + lateMs;
  }
  return {
    heardForMs() {
      // When a process goes on its timers come first, then what has arrived: until the next tick.
      if (isLate() || wasLate) return 0;
      const healthySince = healthySinceMs();
      if (healthySince === undefined) return 0;
      return clock.monotonicMs() - Math.max(healthySince, awakeSince);
    },
    [Symbol.dispose]: () => timer[Symbol.dispose](),
  };
}
