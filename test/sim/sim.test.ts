/** Five hundred schedules of the simulated cluster; `npm run sim` runs many. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { allInvariants } from "./invariant.ts";
import { allMutants, isStillThere } from "./mutant.ts";
import { regressions } from "./regressions.ts";
import { besides, runSchedule } from "./run.ts";

const root = join(import.meta.dirname, "../..");
const seeds = 500;

test(`a cluster keeps every invariant through ${seeds} schedules`, async () => {
  const { code, output } = await simulate("--seeds", String(seeds), "--from", "1");
  console.log(output);
  expect({ code, output }).toMatchObject({ code: 0 });
}, 900_000);

test.each(regressions)(
  "what was broken once is not again: $what",
  async ({ options }) => {
    const { broken, acts } = await runSchedule(options);
    expect(broken.length === 0 ? [] : { broken, acts }).toEqual([]);
  },
  120_000,
);

test("a seed repeats a schedule whole", async () => {
  const options = { seed: 5, steps: 10 };
  const once = await runSchedule(options);
  expect(await runSchedule(options)).toEqual(once);
}, 120_000);

test("docs/invariants.md lists what is checked", async () => {
  const rows = readFileSync(join(root, "docs/invariants.md"), "utf8").matchAll(
    /^\| `([a-z-]+)` *\|/gm,
  );
  const listed = new Set([...rows].map(([, name]) => name));
  const checked = (await allInvariants()).map(({ name }) => name);
  expect(listed).toEqual(new Set([...checked, ...besides]));
});

test("every mutant can still be made", async () => {
  const mutants = await allMutants();
  expect(mutants.length).toBeGreaterThanOrEqual(25);
  expect(mutants.filter((one) => !isStillThere(root, one))).toEqual([]);
});

function simulate(...words: string[]): Promise<{ code: number | null; output: string }> {
  const main = join(import.meta.dirname, "main.ts");
  const child = spawn(process.execPath, [main, ...words], { cwd: root });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve({ code, output }));
  });
}
