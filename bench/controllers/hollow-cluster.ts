/** A cluster of real services whose nodes have no containers: what is measured is the control plane. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { child } from "../../scripts/supervisor/child.ts";
import { root } from "../../scripts/tools/paths.ts";
import { eventually, type TestCluster, testCluster } from "../../test/cluster.ts";

export type HollowOptions = { readonly nodes: number; readonly controllers: number };

const readyWithinMs = 120_000;

/** Resolves when every node is ready. All hollow nodes are one process. */
export async function hollowCluster({ nodes, controllers }: HollowOptions): Promise<TestCluster> {
  await using undo = new AsyncDisposableStack();
  const cluster = undo.use(await testCluster({ nodes: 0, controllers }));
  const dir = await mkdtemp(join(tmpdir(), "berth-hollow-"));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const agents = child(
    {
      name: "hollow",
      command: process.execPath,
      args: ["--disable-warning=ExperimentalWarning", join(root, "services/node-agent/main.ts")],
      env: {
        BERTH_NATS_URL: cluster.natsUrl,
        BERTH_RUNTIME: "hollow",
        BERTH_HOLLOW_COUNT: String(nodes),
        BERTH_NODE_NAME: "hollow",
        BERTH_DATA_DIR: dir,
        BERTH_LOG_LEVEL: "warn",
      },
      logPath: join(cluster.logs, "hollow.log"),
    },
    () => undefined,
  );
  undo.defer(() => agents.stop());
  agents.start();
  await eventually(
    "the hollow nodes are ready",
    async () => {
      const status = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
      const shown = await cluster.kubectl(["get", "nodes", "-o", `jsonpath=${status}`]);
      if (shown.split("\n").filter((line) => line === "True").length < nodes)
        throw new Error("not yet");
    },
    readyWithinMs,
  );
  const processes = new Map([...cluster.processes, ["hollow", agents]]);
  const all = undo.move();
  return { ...cluster, processes, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
