/**
 * Chance, as a schedule has it: which kinds of mishap there are in it and how often each comes. A
 * schedule has some kinds only, each often or seldom: all of them always would drown one another.
 */
import type { Random } from "../../libs/telemetry/random.ts";

/** Each with how often it comes where it comes often: a share of its occasions. */
const often = {
  "commit refused for no reason": 0.15,
  "commit lost": 0.1,
  "answer of a commit lost": 0.15,
  "commit late, after its silence": 0.15,
  "answer of a commit slow": 0.3,
  "read of an old state": 0.3,
  "replica held up": 0.08,
  "transaction delivered in pieces": 0.5,
  "feed broken off": 0.004,
  "packet lost": 0.08,
  "packet doubled": 0.15,
  "packet late": 0.3,
  "packet very late": 0.05,
  "killed before a write": 0.004,
  "killed after a write": 0.004,
  "killed after saying something": 0.001,
  "members heard late": 0.5,
} as const;

/** What a schedule's steps do, beside these. */
export const planned = [
  "killed and started again",
  "told to stop and started again",
  "cut off",
  "held still",
  "believes to be alone",
  "replica slow",
  "replica stalled",
  "power cut",
  "store stopped",
  "second agent of a name",
  "pod not ready for a while",
] as const;

export type Mishap = keyof typeof often | (typeof planned)[number];
export type Counts = Partial<Record<Mishap, number>>;

export type Chaos = {
  /** Whether `mishap` comes now. */
  strikes(mishap: keyof typeof often): boolean;
  /** A whole number below `limit`. */
  below(limit: number): number;
  count(mishap: Mishap): void;
  /** From now on nothing comes by chance. */
  end(): void;
  readonly counts: Counts;
};

/** @param calm nothing comes by chance at all */
export function chaosOf(random: Random, { calm }: { readonly calm: boolean }): Chaos {
  const rates = new Map(
    Object.entries(often).map(([kind, most]) => [kind, most * shareOf(random)]),
  );
  const counts: Counts = {};
  let over = calm;
  const count = (mishap: Mishap) => {
    counts[mishap] = (counts[mishap] ?? 0) + 1;
  };
  return {
    counts,
    count,
    strikes(mishap) {
      const rate = over ? 0 : (rates.get(mishap) ?? 0);
      if (rate === 0 || random.next() >= rate) return false;
      count(mishap);
      return true;
    },
    below: (limit) => Math.floor(random.next() * limit),
    end: () => void (over = true),
  };
}

/** Half of the kinds never, a quarter seldom, a quarter often. */
function shareOf(random: Random): number {
  const drawn = random.next();
  return drawn < 0.5 ? 0 : drawn < 0.75 ? 0.15 : 1;
}
