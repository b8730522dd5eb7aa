/** Some schedules of the simulated cluster; `npm run sim` runs many. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allControllers } from "../../services/controllers/instance.ts";
import { invariants } from "./invariants.ts";
import { ends, runSchedule } from "./run.ts";

const controllers = await allControllers();
const steps = 25;

test.each([1, 2, 3, 4])(
  "a cluster keeps every invariant through schedule %i",
  async (seed) => {
    const { broken, acts } = await runSchedule({ seed, controllers, steps });
    expect(broken.length === 0 ? [] : { broken, acts }).toEqual([]);
  },
  240_000,
);

test("a seed repeats a schedule whole", async () => {
  const once = await runSchedule({ seed: 5, controllers, steps: 10 });
  expect(await runSchedule({ seed: 5, controllers, steps: 10 })).toEqual(once);
}, 240_000);

test("docs/invariants.md lists what is checked", () => {
  const path = join(import.meta.dirname, "../../docs/invariants.md");
  const rows = readFileSync(path, "utf8").matchAll(/^\| `([a-z-]+)` *\|/gm);
  const listed = new Set([...rows].map(([, name]) => name));
  expect(listed).toEqual(new Set([...Object.keys(invariants), "drained", ...ends]));
});
