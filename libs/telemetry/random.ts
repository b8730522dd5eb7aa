import { randomBytes, randomUUID } from "node:crypto";

/** Chance as an effect: whatever needs it takes one of these, so that a seed repeats a run. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A version 4 UUID, in lower case. */
  uuid(): string;
  /** `size` unpredictable bytes, for tokens and keys. */
  bytes(size: number): Uint8Array;
}

/** The machine's source of randomness. */
export const systemRandom: Random = {
  next: () => Math.random(),
  uuid: () => randomUUID(),
  bytes: (size) => randomBytes(size),
};
