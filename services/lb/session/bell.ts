import type { Clock } from "../../../libs/telemetry/clock.ts";

/** Wakes its one waiter; a ring while nobody waits is kept for the next wait. */
export interface Bell {
  readonly ring: () => void;
  /** Resolves true once it rings, false after `limitMs` or when the signal aborts. */
  wait(limitMs: number): Promise<boolean>;
}

export function bell(clock: Clock, signal: AbortSignal): Bell {
  let rung = false;
  let waiter: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      waiter?.();
    },
    async wait(limitMs) {
      if (!rung && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiter = resolve;
        using _limit = clock.after(limitMs, resolve);
        const stop = () => resolve();
        signal.addEventListener("abort", stop, { once: true });
        await promise;
        signal.removeEventListener("abort", stop);
        waiter = undefined;
      }
      const result = rung;
      rung = false;
      return result;
    },
  };
}
