/** What the tests need, then the tests: `node scripts/test.ts [PATH …]`. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import Docker from "dockerode";
import { ensureHelloImages } from "./images/hello.ts";
import { printedProgress } from "./progress.ts";
import { ensureEngine } from "./tools/engine.ts";
import { root } from "./tools/paths.ts";
import { ensureCompose, ensureKubectl, ensureNatsServer } from "./tools/tools.ts";

const progress = printedProgress();
await progress.step("nats-server", ensureNatsServer);
await progress.step("kubectl", ensureKubectl);
await progress.step("docker compose", ensureCompose);
await using _engine = await progress.step("Docker engine and nftables", ensureEngine);
await progress.step("images", () => ensureHelloImages(new Docker()));
process.exitCode = await runTests(process.argv.slice(2));

function runTests(paths: readonly string[]): Promise<number> {
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run", ...paths], { cwd: root, stdio: "inherit" });
  const stop = () => void child.kill("SIGTERM"); // A terminal's Ctrl-C reaches the child by itself too.
  process.on("SIGTERM", stop).on("SIGINT", stop);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
