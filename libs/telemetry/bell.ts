import type { Clock } from "./clock.ts";

/** Wakes its one waiter; a ring while nobody waits is kept for the next wait. */
export interface Bell {
  readonly ring: () => void;
  /** Until the next ring, the time, or the signal, whichever comes first. @returns whether it rang */
  wait(maxMs: number | undefined, signal: AbortSignal): Promise<boolean>;
}

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
        const { promise, resolve } = Promise.withResolvers<void>();
        const stop = () => resolve();
        waking = stop;
        using _limit = maxMs === undefined ? undefined : clock.after(maxMs, stop);
        signal.addEventListener("abort", stop, { once: true });
        await promise;
        signal.removeEventListener("abort", stop);
        waking = undefined;
      }
      const result = rung;
      rung = false;
      return result;
    },
  };
}
