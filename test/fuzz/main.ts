/**
 * Requests that nobody should send, to a real gateway:
 *
 *     npm run fuzz -- [--requests 20000] [--at-once 16]
 *
 * `SEED=…` repeats them.
 */
import { parseArgs } from "node:util";
import { testRandom } from "../seed.ts";
import { fuzz } from "./fuzz.ts";

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "20000" },
    "at-once": { type: "string", default: "16" },
  },
});
const report = await fuzz(testRandom("fuzz"), {
  requests: Number(values.requests),
  atOnce: Number(values["at-once"]),
});
console.log(JSON.stringify(report, undefined, 2));
process.exitCode = report.faults.length > 0 ? 1 : 0;
