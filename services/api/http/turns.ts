/** So many at once, so many that wait for their turn, and so long. */
import type { Clock } from "../../../libs/telemetry/clock.ts";

export type Turns = {
  readonly running: () => number;
  readonly waiting: () => number;
  /** A turn, which its disposal ends; undefined when there is none to be had. */
  take(): Promise<Disposable | undefined>;
};

export function turns(
  {
    runningMax,
    waitingMax,
    waitMs,
  }: { readonly runningMax: number; readonly waitingMax: number; readonly waitMs: number },
  clock: Pick<Clock, "after">,
): Turns {
  let running = 0;
  const waiting = new Set<() => void>();

  const turn = (): Disposable => {
    running += 1;
    let ended = false;
    return {
      [Symbol.dispose]() {
        if (ended) return;
        ended = true;
        running -= 1;
        const [next] = waiting; // The one that has waited longest.
        next?.();
      },
    };
  };

  return {
    running: () => running,
    waiting: () => waiting.size,
    async take() {
      if (running < runningMax && waiting.size === 0) return turn();
      if (waiting.size >= waitingMax) return undefined;
      return new Promise((resolve) => {
        const end = (taken: Disposable | undefined) => {
          timer[Symbol.dispose]();
          waiting.delete(begin);
          resolve(taken);
        };
        const begin = () => end(turn());
        const timer = clock.after(waitMs, () => end(undefined));
        waiting.add(begin);
      });
    },
  };
}
