/**
 * Loads what the services load and ends, so that it lies in Node's compile cache without its types:
 * `NODE_COMPILE_CACHE=… node scripts/compile-cache/main.ts`.
 */
import { globSync } from "node:fs";
import { join } from "node:path";
import { root } from "../tools/paths.ts";

// What no service takes: it reads its environment first, so that it ends before it does anything.
process.env["BERTH_LOG_LEVEL"] = "none: load only";

const paths = globSync("services/{*/main,controllers/actors/*}.ts", { cwd: root }).filter(
  (path) => !path.endsWith(".test.ts"),
);
const loads = await Promise.allSettled(paths.map((path) => import(join(root, path))));
for (const load of loads) {
  if (load.status === "rejected" && !isRefusal(load.reason)) throw load.reason;
}
process.exit(0);

function isRefusal(reason: unknown): boolean {
  return reason instanceof Error && reason.message.includes("BERTH_LOG_LEVEL");
}
