import type { Random } from "../telemetry/random.ts";

const firstMs = 100;
const maxMs = 30_000;
const conflictFirstMs = 5;
const conflictMaxMs = 1_000;

/** The wait after the `attempts`-th failure in a row: doubles up to 30 s, with half of it jitter. */
export const backOffMs = (attempts: number, random: Random): number =>
  jittered(Math.min(firstMs * 2 ** Math.min(attempts - 1, 16), maxMs), random);

/** After a lost race: none for the first (the replica has caught up), then short ones. */
export const conflictBackOffMs = (conflicts: number, random: Random): number =>
  conflicts <= 1
    ? 0
    : jittered(Math.min(conflictFirstMs * 2 ** Math.min(conflicts - 2, 16), conflictMaxMs), random);

const jittered = (ms: number, random: Random) => ms * (0.5 + random.next() / 2);
