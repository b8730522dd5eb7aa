/**
 * Checks the direction of imports with the rules of import-rules.ts.
 *
 * The rules are first run on test/fixtures/imports, which breaks each of them: dependency-cruiser
 * without a parser for TypeScript reads nothing and reports success.
 */
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import { forbidden, options } from "./import-rules.ts";

const root = join(import.meta.dirname, "../..");
const folders = ["libs", "services", "test", "bench", "scripts"];

const silent = await unbroken();
if (silent.length > 0) fail(`rules that their fixture does not break: ${silent.join(", ")}`);

const { modules, summary } = await run(root);
const own = modules.filter(({ source }) => /^(libs|services)\//.test(source));
if (own.length === 0) fail("no module was read");
for (const { rule, from, to } of summary.violations) {
  process.stderr.write(`${from} imports ${to}: ${rule.name}\n`);
}
if (summary.error > 0) fail(`${summary.error} imports break a rule`);
process.stdout.write(`imports: ${own.length} modules, every rule holds\n`);

/** Names of the rules that find nothing where everything is wrong. */
async function unbroken(): Promise<string[]> {
  const broken = await run(join(root, "test/fixtures/imports"));
  const found = new Set(broken.summary.violations.map(({ rule }) => rule.name));
  return forbidden.map(({ name }) => name).filter((name) => !found.has(name));
}

async function run(base: string): Promise<ICruiseResult> {
  using copy = readableCopy(base);
  const baseDir = copy.path;
  const present = folders.filter((folder) => existsSync(join(baseDir, folder)));
  const result = await cruise(present, {
    ...options,
    baseDir,
    validate: true,
    ruleSet: { forbidden },
  });
  if (typeof result.output === "string") throw new Error("dependency-cruiser gave a text");
  return result.output;
}

/** The sources without `using`, which dependency-cruiser's reader does not know; imports as they are. */
function readableCopy(base: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "berth-imports-"));
  const exclude = (name: string) => /(^|\/)(node_modules|fixtures)$/.test(name);
  for (const file of globSync(`{${folders.join(",")}}/**/*.{ts,json}`, { cwd: base, exclude })) {
    const text = readFileSync(join(base, file), "utf8");
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text.replaceAll(/\b(?:await )?using (?=[\w$]+ =)/g, "const "));
  }
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function fail(reason: string): never {
  process.stderr.write(`imports: ${reason}\n`);
  process.exit(1);
}
