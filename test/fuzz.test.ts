import { expect, test } from "vitest";
import { fuzz } from "./fuzz/fuzz.ts";
import { testRandom } from "./seed.ts";

test(
  "a gateway answers whatever it is sent with what is wrong with it",
  { timeout: 90_000 },
  async () => {
    const report = await fuzz(testRandom("fuzz"), { requests: 1_000, atOnce: 8 });
    console.log(JSON.stringify(report));
    expect(report.faults).toEqual([]);
    expect(report.peakMegabytes).toBeLessThan(1_024);
  },
);
