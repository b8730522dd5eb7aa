/** What a process is asked to do while it is held still waits, in its order, until it goes on. */
import type { Clock } from "../../libs/telemetry/clock.ts";

export type Gate = {
  readonly pass: (run: () => void) => void;
  readonly isShut: boolean;
  shut(): void;
  open(): void;
};

export function gate(): Gate {
  let held: (() => void)[] | undefined;
  return {
    get isShut() {
      return held !== undefined;
    },
    pass(run) {
      if (held === undefined) run();
      else held.push(run);
    },
    shut: () => void (held ??= []),
    open() {
      const waiting = held ?? [];
      held = undefined;
      for (const run of waiting) run();
    },
  };
}

/** A process's own clock: its time of day differs, and its timers stand still when it does. */
export function ownClock(clock: Clock, { pass }: Gate, aheadMs: number): Clock {
  const own: Clock = {
    now: () => clock.now() + aheadMs,
    monotonicMs: () => clock.monotonicMs(),
    after(delayMs, run) {
      let live = true;
      const timer = clock.after(delayMs, () => pass(() => void (live && run())));
      return {
        [Symbol.dispose]() {
          live = false;
          timer[Symbol.dispose]();
        },
      };
    },
    sleep(delayMs, signal) {
      return new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const timer = own.after(delayMs, finish);
        function finish(): void {
          timer[Symbol.dispose]();
          signal?.removeEventListener("abort", finish);
          resolve();
        }
        signal?.addEventListener("abort", finish, { once: true });
      });
    },
  };
  return own;
}
