import { seededRandom } from "../libs/telemetry/seeded-random.ts";
import type { Random } from "../libs/telemetry/random.ts";
import { systemRandom } from "../libs/telemetry/random.ts";

/** Chance for a test, and the seed that repeats it: `SEED=… npm test -- …`; says which it is. */
export function testRandom(what: string): Random {
  const seed = Number(process.env["SEED"] ?? Math.floor(systemRandom.next() * 2 ** 31));
  console.log(`${what}: SEED=${seed}`);
  return seededRandom(seed);
}
