/** Schedulers that act at once, and are killed, overcommit nothing and break no term; the record says so. */
import { expect, test } from "vitest";
import { race, type Terms } from "../scheduling/race.ts";
import { testRandom } from "../seed.ts";

const shapes = [
  { terms: "none", nodes: 25, podsOnNode: 20 },
  { terms: "apart", nodes: 100, podsOnNode: 1 },
  { terms: "even", nodes: 30, podsOnNode: 5 },
] as const satisfies readonly { terms: Terms; nodes: number; podsOnNode: number }[];

test.each(shapes)("two schedulers, terms: $terms", async (shape) => {
  const options = { schedulers: 2, natsServers: 1, killEveryMs: 3_000, ...shape };
  const report = await race(testRandom("race"), options);
  console.log(`race: ${JSON.stringify({ ...shape, ...report })}`);
  expect(report.broken).toEqual([]);
  expect(report.fewest).toBe(shape.podsOnNode); // Everything that fits is placed.
  expect(report.kills).toBeGreaterThan(0);
});
