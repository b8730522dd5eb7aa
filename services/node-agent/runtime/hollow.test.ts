import { systemClock } from "../../../libs/telemetry/clock.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { runtimeContract } from "./contract.ts";
import { hollowRuntime } from "./hollow.ts";

runtimeContract("hollowRuntime", async () => {
  const used = () => ({ cpuNanoseconds: systemClock.monotonicMs() * 1e3, memoryBytes: 1 });
  const missingImage = "absent:v1";
  const missingImages = new Set([missingImage]);
  const runtime = hollowRuntime({ clock: systemClock, random: systemRandom, missingImages, used });
  return { runtime, image: "any:v1", missingImage };
});
