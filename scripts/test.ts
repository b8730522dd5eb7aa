/** What the tests need, then the tests: `node scripts/test.ts [PATH …]`. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import { ensureHelloImages } from "./images/hello.ts";
import { printedProgress } from "./progress.ts";
import { engineLog, ensureEngine } from "./tools/engine.ts";
import { root } from "./tools/paths.ts";
import {
  ensureCompose,
  ensureHelm,
  ensureKubectl,
  ensureKubectl132,
  ensureNatsServer,
} from "./tools/tools.ts";

const progress = printedProgress();
await progress.step("nats-server", ensureNatsServer);
await progress.step("kubectl", ensureKubectl);
await progress.step("kubectl 1.32", ensureKubectl132);
await progress.step("docker compose", ensureCompose);
await progress.step("helm", ensureHelm);
await using _engine = await progress.step("Docker engine and nftables", ensureEngine);
await progress.step("images", () => ensureHelloImages(new Docker()));
process.exitCode = await runTests(process.argv.slice(2));
if (process.exitCode !== 0) await tellOfEngine();

/** Most of what fails on one machine alone is an engine that is slow, or answers no more. */
async function tellOfEngine(): Promise<void> {
  const begun = performance.now();
  const late = sleep(10_000, "no answer in 10 s", { ref: false });
  const answer = await Promise.race([new Docker().ping().then(() => "answers", String), late]);
  progress.note(`the engine: ${answer} (${Math.round(performance.now() - begun)} ms)`);
  const log = await readFile(engineLog, "utf8").catch(() => "");
  const wrong = log.split("\n").filter((line) => /level=(error|fatal)|panic/u.test(line));
  for (const line of wrong.slice(-40)) progress.note(line.slice(0, 400));
}

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
