import { createLog } from "../telemetry/log.ts";
import { seededRandom } from "../telemetry/seeded-random.ts";
import { flowing, virtualClock } from "../telemetry/virtual-clock.ts";
import { type Bucket, storeContract } from "./contract.ts";
import { memoryBucket } from "./memory-bucket.ts";
import { storeModel } from "./contract-model.ts";
import { type MemoryFaults, noFaults, randomFaults } from "./memory-faults.ts";
import { memoryStore } from "./memory.ts";

/** Markers outlive whatever a commit takes, as an hour does (S6). */
const tombstoneMs = 60_000;
const log = createLog("memory-store", "silent");

/** On a clock of its own, so that a seed repeats the run whole. */
async function bucketWith(faults: MemoryFaults, seed: number): Promise<Bucket> {
  const clock = virtualClock();
  const random = seededRandom(seed);
  const bucket = memoryBucket({ clock, tombstoneMs });
  const opened = new AsyncDisposableStack();
  opened.use(flowing(clock));
  return {
    open: async () => opened.use(memoryStore({ bucket, faults, clock, random, log })),
    clock,
    expire: () => clock.sleep(tombstoneMs + 1),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
const sound = (seed = 4_710) => bucketWith(noFaults, seed);
const faulty =
  (rate: number) =>
  (seed = 4_711) =>
    bucketWith(randomFaults(seededRandom(seed), rate), seed);

storeContract("memoryStore", sound);
storeContract("memoryStore with faults", faulty(0.05));

storeModel("memoryStore", sound, { runs: 100, size: 20 });
storeModel("memoryStore with faults", faulty(0.08), { runs: 300, size: 20 });
