/**
 * Informers through gateways that are killed and restarted under them:
 *
 *     npm run informers -- [--changes 10000] [--gateways 3] [--ends 12]
 */
import { parseArgs } from "node:util";
import { testRandom } from "../seed.ts";
import { informers } from "./informers.ts";

const { values } = parseArgs({
  options: {
    changes: { type: "string", default: "10000" },
    gateways: { type: "string", default: "3" },
    ends: { type: "string", default: "12" },
  },
});
const report = await informers(testRandom("informers"), {
  changes: Number(values.changes),
  gateways: Number(values.gateways),
  ends: Number(values.ends),
});
console.log(JSON.stringify(report));
process.exitCode = report.wrong.length > 0 ? 1 : 0;
