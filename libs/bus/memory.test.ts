import { systemClock } from "../telemetry/clock.ts";
import { createLog } from "../telemetry/log.ts";
import { busOn } from "./bus-on.ts";
import { busContract } from "./contract.ts";
import { memoryBus, memoryNetwork } from "./memory.ts";

const log = createLog("test", "silent");

busContract("memoryBus", async () => {
  const network = memoryNetwork();
  const near = memoryBus({ network });
  const wire = network.connect(systemClock);
  const far = busOn(wire, { clock: systemClock, log });
  return {
    near,
    far,
    cut: () => wire.setUp(false),
    mend: () => wire.setUp(true),
    async [Symbol.asyncDispose]() {
      await Promise.all([near[Symbol.asyncDispose](), far[Symbol.asyncDispose]()]);
    },
  };
});
