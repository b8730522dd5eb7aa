import { globSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.ts";
import { run } from "./run.ts";

/**
 * Where Node keeps modules compiled and without their types. A service that finds all of its own
 * never loads the compiler that strips types: measured, 16 MiB and a third of its start's CPU time.
 */
export const compileCache = join(root, ".berth/compile-cache");

/**
 * How a service is run. An idle one seldom fills Node's young generation of 16 MiB, and keeps what it
 * once held: with 2 MiB it takes 7 MiB less; what that costs under load was too little to measure.
 */
export const serviceNodeOptions = [
  "--disable-warning=ExperimentalWarning",
  "--max-semi-space-size=2",
];

/** Fills the cache unless it was filled since the last change of a source. */
export async function fillCompileCache(): Promise<void> {
  const stamp = join(compileCache, "filled");
  const sources = globSync(["{libs,services}/**/*.ts", "package-lock.json"], {
    cwd: root,
    exclude: ["**/node_modules/**"],
  });
  const changedMs = Math.max(...sources.map((path) => modifiedMs(join(root, path))));
  if (modifiedMs(stamp) > changedMs) return;
  mkdirSync(compileCache, { recursive: true });
  const loader = join(root, "scripts/compile-cache/main.ts");
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
  await run(process.execPath, [...serviceNodeOptions, loader], { env });
  writeFileSync(stamp, "");
}

const modifiedMs = (path: string): number =>
  statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
