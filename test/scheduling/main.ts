/**
 * Races schedulers for the last room of a cluster, while they are killed, and judges the record:
 *
 *     npm run race -- [--schedulers 2,4] [--nats-servers 1,3] [--terms none,apart,even] [--pods 10000]
 *
 * A JSON line each. `SEED=…` repeats the kills' choices.
 */
import { parseArgs } from "node:util";
import * as z from "zod";
import { testRandom } from "../seed.ts";
import { race, type Terms } from "./race.ts";

const numbers = (text: string) => text.split(",").map(Number);
const { values } = parseArgs({
  options: {
    schedulers: { type: "string", default: "2,4" },
    "nats-servers": { type: "string", default: "1,3" },
    terms: { type: "string", default: "none,apart,even" },
    pods: { type: "string", default: "10000" },
  },
});
const wanted = z.array(z.enum(["none", "apart", "even"])).parse(values.terms.split(","));
const pods = Number(values.pods);

/** One for each of them alone is more nodes than pods of a common one need. */
const shapeOf = (terms: Terms) => {
  const podsOnNode = terms === "apart" ? 1 : 100;
  const nodes = terms === "apart" ? Math.min(pods, 1_000) : Math.ceil(pods / podsOnNode);
  return { nodes, podsOnNode };
};

for (const natsServers of numbers(values["nats-servers"])) {
  for (const schedulers of numbers(values.schedulers)) {
    for (const terms of wanted) {
      const options = { schedulers, natsServers, terms, ...shapeOf(terms), killEveryMs: 3_000 };
      const report = await race(testRandom("race"), options);
      console.log(JSON.stringify({ ...options, ...report }));
      if (report.broken.length > 0) process.exitCode = 1;
    }
  }
}
