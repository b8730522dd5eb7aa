export type AtMost = <T>(run: () => Promise<T>) => Promise<T>;

/** Runs what it is given, no more than `count` at once; the rest waits its turn, bounded by who asks. */
export function atMost(count: number): AtMost {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
