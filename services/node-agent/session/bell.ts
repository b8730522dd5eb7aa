import type { Clock } from "../../../libs/telemetry/clock.ts";

/** Wakes whoever waits; a ring while nobody does is kept for the next wait. */
export type Bell = {
  ring(): void;
  /** Until the next ring, the time, or the signal, whichever comes first. */
  wait(maxMs: number | undefined, signal: AbortSignal): Promise<void>;
};

export function bell(clock: Clock): Bell {
  let rung = false;
  let waking: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      waking?.();
    },
    async wait(maxMs, signal) {
      if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = maxMs === undefined ? undefined : clock.after(maxMs, done);
          function done(): void {
            timer?.[Symbol.dispose]();
            signal.removeEventListener("abort", done);
            waking = undefined;
            resolve();
          }
          signal.addEventListener("abort", done, { once: true });
          waking = done;
        });
      }
      rung = false;
    },
  };
}
