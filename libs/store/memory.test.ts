import { systemClock } from "../telemetry/clock.ts";
import { type Bucket, storeContract } from "./contract.ts";
import { memoryBucket } from "./memory-bucket.ts";
import { storeModel } from "./contract-model.ts";
import { type MemoryFaults, noFaults, randomFaults } from "./memory-faults.ts";
import { memoryStore } from "./memory.ts";
import { seededRandom } from "./seeded-random.ts";

const tombstoneMs = 300;

async function bucketWith(faults: MemoryFaults): Promise<Bucket> {
  const bucket = memoryBucket({ clock: systemClock, tombstoneMs });
  const opened = new AsyncDisposableStack();
  return {
    open: async () => opened.use(memoryStore({ bucket, faults })),
    expire: () => systemClock.sleep(tombstoneMs + 1),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

storeContract("memoryStore", () => bucketWith(noFaults));
storeContract("memoryStore with faults", () => bucketWith(randomFaults(seededRandom(4_711), 0.05)));

storeModel("memoryStore", () => bucketWith(noFaults), { runs: 60, size: 20 });
storeModel("memoryStore with faults", () => bucketWith(randomFaults(seededRandom(4_712), 0.08)), {
  runs: 40,
  size: 20,
});
