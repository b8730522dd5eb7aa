/** Counters as rates: how much CPU was used in the last moments. */

/** What is read of a container, or of the machine, at one moment. */
export type Sample = {
  /** CPU time used since its start, in nanoseconds. */
  readonly cpuNanoseconds: number;
  readonly memoryBytes: number;
  /** When it was read, monotonic. */
  readonly atMs: number;
};

export type Rate = {
  readonly cpuNanoCores: number;
  readonly windowMs: number;
  readonly memoryBytes: number;
};

/** The mean is of so many periods: one alone would follow every twitch. */
const periods = 2;

export type Rates = {
  /** Undefined for what was seen for the first time: nothing is known of its CPU yet (N1). */
  next(id: string, sample: Sample): Rate | undefined;
  /** Forgets all but these. */
  keep(ids: ReadonlySet<string>): void;
};

/** Holds the last few samples of each. */
export function rates(): Rates {
  const held = new Map<string, readonly Sample[]>();
  return {
    next(id, sample) {
      const before = held.get(id) ?? [];
      // A counter that went back is another's: what was before says nothing of it.
      const same = before.every((one) => one.cpuNanoseconds <= sample.cpuNanoseconds) ? before : [];
      held.set(id, [...same, sample].slice(-(periods + 1)));
      const [oldest] = same.slice(-periods);
      if (oldest === undefined || sample.atMs <= oldest.atMs) return undefined;
      const windowMs = sample.atMs - oldest.atMs;
      const used = sample.cpuNanoseconds - oldest.cpuNanoseconds;
      const { memoryBytes } = sample;
      return { cpuNanoCores: Math.round((used / windowMs) * 1_000), windowMs, memoryBytes };
    },
    keep(ids) {
      for (const id of held.keys()) if (!ids.has(id)) held.delete(id);
    },
  };
}
