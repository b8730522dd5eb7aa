/** A queue for each key that something runs for; the request that waits in it bounds it. */
export type OneAtATime = {
  readonly inTurn: <T>(key: string, run: () => Promise<T>) => Promise<T>;
  /** Whether something runs for the key, or waits. */
  readonly waits: (key: string) => boolean;
};

export function oneAtATime(): OneAtATime {
  const last = new Map<string, Promise<unknown>>();
  return {
    async inTurn(key, run) {
      const before = last.get(key);
      const mine = before === undefined ? run() : before.then(run);
      const settled = mine.then(
        () => undefined,
        () => undefined,
      );
      last.set(key, settled);
      try {
        return await mine;
      } finally {
        if (last.get(key) === settled) last.delete(key);
      }
    },
    waits: (key) => last.has(key),
  };
}
