/**
 * Breaks each rule on purpose, in a copy of the tree, and sees the simulation catch it:
 * `npm run sim:mutants`, or `npm run sim:mutants -- S2 B1` for some rules; `--seeds 500` says in how
 * many schedules.
 *
 * Prints the table rule → mutant → seeds needed; ends with 1 when one was not caught. Fails when one
 * cannot be made any more.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { allMutants, isStillThere, type Mutant } from "./mutant.ts";

const root = join(import.meta.dirname, "../..");
const { values, positionals: wanted } = parseArgs({
  options: { seeds: { type: "string" }, from: { type: "string" } },
  allowPositionals: true,
});
const { seeds, from } = z
  .object({
    seeds: z.coerce.number().int().min(1).default(500),
    from: z.coerce.number().int().min(0).default(1),
  })
  .parse(values);

const mutants = (await allMutants()).filter(
  ({ rule }) => wanted.length === 0 || wanted.includes(rule),
);
const lost = mutants.filter((one) => !isStillThere(root, one));
if (lost.length > 0) throw new Error(`cannot be made any more: ${JSON.stringify(lost)}`);

const say = (...cells: readonly (string | number)[]) =>
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
say("rule", "mutant", "schedules of", "seeds needed", "caught by", "seconds");
say("---", "---", "---", "---", "---", "---");
let escaped = 0;
for (const mutant of mutants) {
  const begun = performance.now();
  const caught = await isCaught(mutant);
  if (caught === undefined) escaped += 1;
  const seconds = Math.round((performance.now() - begun) / 1_000);
  const { rule, what, of = ["any"] } = mutant;
  const needed = caught?.schedules ?? `more than ${seeds}`;
  say(rule, what, of.join(", "), needed, caught?.by ?? "nothing", seconds);
}
process.exitCode = escaped > 0 ? 1 : 0;

type Caught = { readonly schedules: number; readonly by: string };

/** What the simulation said of it first; undefined: nothing, in as many schedules as were asked for. */
async function isCaught({ also, of, ...edit }: Mutant): Promise<Caught | undefined> {
  const copy = mkdtempSync(join(tmpdir(), "berth-mutant-"));
  try {
    for (const part of ["libs", "services", "test", "package.json", "tsconfig.json"]) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    for (const { file, from: text, to } of also === undefined ? [edit] : [edit, also]) {
      const whole = readFileSync(join(copy, file), "utf8");
      writeFileSync(join(copy, file), whole.split(text).join(to));
    }
    return await firstBroken(copy, of);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function firstBroken(copy: string, of: Mutant["of"]): Promise<Caught | undefined> {
  const main = join(copy, "test/sim/main.ts");
  const words = ["--first", "--seeds", String(seeds), "--from", String(from)];
  if (of !== undefined) words.push("--of", of.join(","));
  const child = spawn(process.execPath, [main, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) return resolve(undefined);
      const [, by] = /"broken":\["([a-z0-9-]*)/.exec(output) ?? [];
      const [, schedules] = /"schedules":(\d+)/.exec(output) ?? [];
      if (by === undefined) reject(new Error(`the simulation ended with ${code}: ${output}`));
      else resolve({ by, schedules: Number(schedules) });
    });
  });
}
