/** What a process is asked to do while it is held still waits until it goes on. */
import type { Clock } from "../../libs/telemetry/clock.ts";

export type Gate = {
  readonly timer: (run: () => void) => void;
  readonly packet: (run: () => void) => void;
  readonly isShut: boolean;
  shut(): void;
  /** First the timers that are due, then what has arrived: so does an event loop that wakes up. */
  open(): void;
};

export function gate(clock: Clock): Gate {
  let held: { readonly timers: (() => void)[]; readonly packets: (() => void)[] } | undefined;
  return {
    get isShut() {
      return held !== undefined;
    },
    timer(run) {
      if (held === undefined) run();
      else held.timers.push(run);
    },
    packet(run) {
      if (held === undefined) run();
      else held.packets.push(run);
    },
    shut: () => void (held ??= { timers: [], packets: [] }),
    open() {
      const { timers = [], packets = [] } = held ?? {};
      held = undefined;
      for (const run of timers) run();
      for (const run of packets) clock.after(0, run);
    },
  };
}

/** A process's own clock: its time of day differs, and its timers stand still when it does. */
export function ownClock(clock: Clock, { timer: pass }: Gate, aheadMs: number): Clock {
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
