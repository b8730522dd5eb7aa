/** Milliseconds since the Unix epoch. */
export type EpochMs = number;

/** A timer that was set; disposing of it cancels it, more than once does no harm. */
export type Timer = Disposable;

/** Time as an effect: whatever waits or stamps takes one of these, so that a simulation can be it. */
export interface Clock {
  /** Wall-clock time, for stamps that people read. */
  now(): EpochMs;
  /** Milliseconds from an arbitrary start that never go back, for durations and time-outs. */
  monotonicMs(): number;
  /** Calls `run` once, not before `delayMs` from now. The timer does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer;
  /** Resolves after `delayMs`, or at once when `signal` aborts; a stop is no error. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
  sleep(delayMs, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      signal?.addEventListener("abort", done, { once: true });
    });
  },
};
