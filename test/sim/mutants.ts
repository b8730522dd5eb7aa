/**
 * Breaks each rule on purpose, in a copy of the tree, and sees the simulation catch it:
 * `RUNS=100 npm run mutants`, or `npm run mutants -- S2 B1` for some.
 *
 * Prints a line a mutant; ends with 1 when one was not caught, or could not be made any more.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";

type Mutant = {
  /** The rule of docs/safety.md that it breaks. */
  readonly rule: string;
  readonly what: string;
  readonly file: string;
  /** Occurs once. */
  readonly from: string;
  readonly to: string;
};

const mutants: readonly Mutant[] = [
  {
    rule: "S1",
    what: "a cut ends with any message",
    file: "libs/store/cuts.ts",
    from: "return entry.tx.index >= entry.tx.count ?",
    to: "return entry.tx.index >= 1 ?",
  },
  {
    rule: "S2",
    what: "a turn does not write its own object",
    file: "services/controllers/behaviour.ts",
    from: "own.length === 0 && children.length > 0 && controller.derivedNames !== true",
    to: "own.length === 0 && children.length > 1_000",
  },
  {
    rule: "S4",
    what: "an unanswered transaction is taken for lost",
    file: "libs/store/settle.ts",
    from: "const committed = item.uncertain ? await committedAt(item, moved, stream, known) : undefined;",
    to: "const committed = item.transaction.bytes < 0 ? await committedAt(item, moved, stream, known) : undefined;",
  },
  {
    rule: "O2",
    what: "a set counts as what it wants, not what it has",
    file: "services/controllers/actors/deployment/set-size.ts",
    from: "Math.max(replicas, live)",
    to: "Math.min(replicas, live + replicas)",
  },
  {
    rule: "O2",
    what: "what an old set gives up is not kept for the available",
    file: "services/controllers/actors/deployment/rolling.ts",
    from: "let expendable = sum(sets, staying) - minAvailable;",
    to: "let expendable = sum(sets, staying) - minAvailable + 1;",
  },
  {
    rule: "O6",
    what: "a deleted pod's keys go at once",
    file: "libs/admission/admit.ts",
    from: "const held = finalizers.length > 0 || graceSeconds > 0 || namespaceHolds(kind, was);",
    to: "const held = finalizers.length > 0 || namespaceHolds(kind, was);",
  },
  {
    rule: "B1",
    what: "binds do not write the node's load",
    file: "libs/admission/transaction.ts",
    from: "return loadsTouched(before, after).map(",
    to: "return loadsTouched(before, after).slice(0, 0).map(",
  },
  {
    rule: "N3",
    what: "an agent believes a snapshot that is older than what it knows",
    file: "services/node-agent/session/known.ts",
    from: "if (cut < applied) return false;",
    to: "if (cut < 0) return false;",
  },
  {
    rule: "N6",
    what: "a drain is answered before the lbs have applied it",
    file: "services/controllers/sessions/drain.ts",
    from: "alive.every(({ applied }) => applied >= revision)",
    to: "alive.every(({ applied }) => applied >= revision - 1_000)",
  },
  {
    rule: "N6",
    what: "a terminating pod is not shown as such",
    file: "services/controllers/sessions/drain-target.ts",
    from: 'if (shown.some(({ terminating }) => !terminating)) return { kind: "unwritten" };',
    to: "",
  },
];

const root = join(import.meta.dirname, "../..");
const { RUNS } = z.object({ RUNS: z.coerce.number().int().min(1).default(60) }).parse(process.env);
const wanted = process.argv.slice(2);

let escaped = 0;
for (const mutant of mutants) {
  if (wanted.length > 0 && !wanted.includes(mutant.rule)) continue;
  const begun = performance.now();
  const caught = await isCaught(mutant);
  if (caught === undefined) escaped += 1;
  const seconds = Math.round((performance.now() - begun) / 1_000);
  const { rule, what } = mutant;
  process.stdout.write(`${JSON.stringify({ rule, what, caught: caught ?? false, seconds })}\n`);
}
process.exitCode = escaped > 0 ? 1 : 0;

/** What the simulation said of it first; undefined: nothing, in as many schedules as were asked for. */
async function isCaught({ file, from, to }: Mutant): Promise<string | undefined> {
  const copy = mkdtempSync(join(tmpdir(), "berth-mutant-"));
  try {
    for (const part of ["libs", "services", "test", "package.json", "tsconfig.json"]) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
    const text = readFileSync(join(copy, file), "utf8");
    if (text.split(from).length !== 2) throw new Error(`${file} does not hold once: ${from}`);
    writeFileSync(join(copy, file), text.replace(from, to));
    return await firstBroken(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function firstBroken(copy: string): Promise<string | undefined> {
  const main = join(copy, "test/sim/main.ts");
  const env = { ...process.env, RUNS: String(RUNS), STOP: "first" };
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => {
      if (code === 0) return resolve(undefined);
      const [, broken] = /"broken":\["([^"]*)/.exec(output) ?? [];
      if (broken === undefined) reject(new Error(`the simulation ended with ${code}: ${output}`));
      else resolve(broken);
    });
  });
}
