import type { Random } from "../telemetry/random.ts";

/** What may go wrong between a store and its bucket in memory, asked each time. */
export type MemoryFaults = {
  /**
   * An append: `refuse` is a spurious rejection (S7); `lose` never arrives; `mute` is stored, its
   * answer lost; `late` is answered with silence, and stored a while later (S4).
   */
  append(): "pass" | "refuse" | "lose" | "mute" | "late";
  /** How far behind a read of the newest entries, and the record, are, in revisions (S5). */
  lag(): number;
  /** Between two messages of a feed: go on, wait for a while, or break off. */
  deliver(): "pass" | "pause" | "cut";
};

export const noFaults: MemoryFaults = {
  append: () => "pass",
  lag: () => 0,
  deliver: () => "pass",
};

/** @param rate the chance of each fault, 0 to 1 */
export function randomFaults(random: Random, rate: number): MemoryFaults {
  const any = <T>(faults: readonly T[], otherwise: T): T =>
    faults[Math.floor(random.next() / rate)] ?? otherwise;
  return {
    append: () => any(["refuse", "lose", "mute", "late"], "pass"),
    lag: () => (random.next() < rate ? Math.floor(random.next() * 20) : 0),
    // A load must end, however often it breaks off: messages are many.
    deliver: () => (random.next() < 0.02 ? any(["pause", "cut"], "pass") : "pass"),
  };
}
