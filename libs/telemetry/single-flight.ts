/** Work in the background, one piece at a time: what is asked for while one runs is that one. */
export type SingleFlight = AsyncDisposable & {
  /** Begins, unless it runs. What it throws goes to `failed`. */
  start(run: () => Promise<void>): void;
};

/** Disposing of it waits for what runs. */
export function singleFlight(failed: (error: unknown) => void): SingleFlight {
  let running: Promise<void> | undefined;
  return {
    start(run) {
      running ??= run()
        .catch(failed)
        .finally(() => {
          running = undefined;
        });
    },
    [Symbol.asyncDispose]: async () => running,
  };
}
