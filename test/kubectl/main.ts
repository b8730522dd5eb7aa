/** The whole suite with a kubectl of one's choice: `npm run kubectl -- 1.32`, or with a path. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../../scripts/tools/paths.ts";
import { ensureKubectl, ensureKubectl132 } from "../../scripts/tools/tools.ts";

const [chosen] = process.argv.slice(2);
const program =
  chosen === undefined
    ? await ensureKubectl()
    : chosen === "1.32"
      ? await ensureKubectl132()
      : chosen;
const words = [join(root, "scripts/test.ts"), "test/e2e/kubectl.test.ts"];
const env = { ...process.env, BERTH_KUBECTL: program };
const suite = spawn(process.execPath, words, { cwd: root, env, stdio: "inherit" });
suite.once("error", (error) => {
  throw error;
});
suite.once("exit", (code) => (process.exitCode = code ?? 1));
