/** A cluster of real services whose nodes have no containers: what is measured is the control plane. */
import { eventually, type TestCluster, testCluster } from "../../test/cluster.ts";

export type HollowOptions = { readonly nodes: number; readonly controllers: number };

const readyWithinMs = 120_000;

/** Resolves when every node is ready. All hollow nodes are one process, `hollow`. */
export async function hollowCluster({ nodes, controllers }: HollowOptions): Promise<TestCluster> {
  await using undo = new AsyncDisposableStack();
  const cluster = undo.use(await testCluster({ hollow: nodes, controllers }));
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
  undo.move();
  return cluster;
}
