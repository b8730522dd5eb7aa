import type { Random } from "../telemetry/random.ts";

/** What may go wrong between a store and its bucket in memory, asked each time. */
export type MemoryFaults = {
  /**
   * An append: `refuse` is a spurious rejection (S7); `lose` never arrives; `mute` is stored, its
   * answer lost; `late` is answered with silence, and stored a while later (S4); `slow` is stored, and
   * answered a while later.
   */
  append(): "pass" | "refuse" | "lose" | "mute" | "late" | "slow";
  /** How far behind a read of the newest entries, and the record, are, in revisions (S5). */
  lag(): number;
  /** Between two messages of a feed: go on, wait for a while and be asked again, or break off. */
  deliver(): "pass" | "pause" | "cut";
  /** How long something late, slow or paused takes. */
  delayMs(): number;
  /** Nothing reaches the bucket now, and nothing comes from it. */
  isDown(): boolean;
};

const delayMs = 40;
const rest = { delayMs: () => delayMs, isDown: () => false };

export const noFaults: MemoryFaults = {
  ...rest,
  append: () => "pass",
  lag: () => 0,
  deliver: () => "pass",
};

/** @param rate the chance of each fault, 0 to 1 */
export function randomFaults(random: Random, rate: number): MemoryFaults {
  const any = <T>(faults: readonly T[], otherwise: T): T =>
    faults[Math.floor(random.next() / rate)] ?? otherwise;
  return {
    ...rest,
    append: () => any(["refuse", "lose", "mute", "late"], "pass"),
    lag: () => (random.next() < rate ? Math.floor(random.next() * 20) : 0),
    // A load must end, however often it breaks off: messages are many.
    deliver: () => (random.next() < 0.02 ? any(["pause", "cut"], "pass") : "pass"),
  };
}
