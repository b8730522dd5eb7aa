import { describe, expect, test } from "vitest";
import { parse } from "../../../libs/model/errors.ts";
import { lease, nodeLeaseNamespace } from "../../../libs/model/kinds/lease.ts";
import { node, type Node } from "../../../libs/model/kinds/node.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { engineAnnotation } from "../actors/node.ts";
import { aNode } from "../fixtures.ts";
import { simulatedCluster } from "../simulated-cluster.ts";
import { observeKeptNodes } from "./kept-nodes.ts";

const ready = (change: object = {}) => ({
  conditions: [{ type: "Ready", status: "True", ...change }],
});

/** One instance that watches a cluster of nodes. */
function watching(names: readonly string[], heardForMs: () => number = () => Infinity) {
  const clock = virtualClock();
  const cluster = simulatedCluster();
  for (const name of names) cluster.put(node, aNode(name, { status: ready() }));
  const kept = observeKeptNodes({
    clock,
    hearing: { heardForMs },
    replica: cluster,
    view: cluster.view,
  });
  let renewals = 0;
  const hold = (name: string, labels: object) => {
    const renewTime = new Date(renewals).toISOString(); // By the node's clock: far off.
    const metadata = { name, namespace: nodeLeaseNamespace, labels };
    cluster.put(lease, parse(lease, { metadata, spec: { holderIdentity: name, renewTime } }));
  };
  return {
    clock,
    kept,
    put: (one: Node) => cluster.put(node, one),
    drop: (name: string) => cluster.drop(node, aNode(name)),
    renew: (...holders: readonly string[]) => {
      renewals += 1;
      for (const name of holders) hold(name, {});
    },
    label: (name: string) => hold(name, { a: "b" }),
  };
}

describe("the memory of nodes that are kept through the API", () => {
  test("begins when the instance does", async () => {
    const { clock, kept } = watching(["n1"]);
    expect(kept.seen("n1").silentMs).toBe(0);
    await clock.advance(40_001);
    expect(kept.seen("n1").silentMs).toBe(40_001);
  });

  test.each<{ readonly name: string; readonly node: Node; readonly silentMs: number }>([
    {
      name: "a heartbeat in its status",
      node: aNode("n1", { status: ready({ lastHeartbeatTime: "2001-01-01T00:00:00Z" }) }),
      silentMs: 0,
    },
    {
      name: "any other change of its status",
      node: aNode("n1", { status: { ...ready(), capacity: { cpu: "1" } } }),
      silentMs: 0,
    },
    {
      name: "another Node under its name",
      node: aNode("n1", { metadata: { uid: "other" }, status: ready() }),
      silentMs: 0,
    },
    {
      name: "no sign: what users change",
      node: aNode("n1", { spec: { unschedulable: true }, status: ready() }),
      silentMs: 5_000,
    },
    {
      name: "no sign: what is written here of its silence",
      node: aNode("n1", { status: ready({ status: "Unknown", reason: "NodeStatusUnknown" }) }),
      silentMs: 5_000,
    },
  ])("takes as a sign of life: $name", async ({ node: changed, silentMs }) => {
    const { clock, kept, put } = watching(["n1"]);
    await clock.advance(5_000);
    put(changed);
    expect(kept.seen("n1").silentMs).toBe(silentMs);
  });

  test("takes as a sign of life a renewal of its Lease, and no other change of that", async () => {
    const { clock, kept, renew, label } = watching(["n1", "n2"]);
    await clock.advance(5_000);
    renew("n1");
    expect(kept.seen("n1").silentMs).toBe(0);
    expect(kept.seen("n2").silentMs).toBe(5_000);
    await clock.advance(5_000);
    label("n1");
    expect(kept.seen("n1").silentMs).toBe(5_000);
  });

  test("knows nothing of nodes with an agent, nor of those that are gone", async () => {
    const { clock, kept, put, drop, renew } = watching(["n1", "n2"]);
    await clock.advance(5_000);
    put(aNode("n1", { metadata: { annotations: { [engineAnnotation]: "e" } } }));
    drop("n2");
    renew("n2", "n3");
    await clock.advance(5_000);
    expect(["n1", "n2", "n3"].map((name) => kept.seen(name).silentMs)).toEqual([0, 0, 0]);
  });

  test("goes back no further than this instance could hear (N4)", async () => {
    const { clock, kept } = watching(["n1"], () => 3_000);
    await clock.advance(60_000);
    expect(kept.seen("n1")).toEqual({ silentMs: 3_000, aloneMs: 3_000 });
  });
});

describe("a silence is a node's own (N4)", () => {
  /** Renews those every 10 s, for so long. */
  async function renewing(
    { clock, renew }: ReturnType<typeof watching>,
    names: readonly string[],
    forMs: number,
  ): Promise<void> {
    for (let ms = 0; ms < forMs; ms += 10_000) {
      renew(...names);
      await clock.advance(10_000);
    }
  }

  test.each([
    { name: "when the others are heard", all: ["a", "b", "c"], heard: ["b", "c"], aloneMs: 50_000 },
    { name: "when half of all are heard", all: ["a", "b"], heard: ["b"], aloneMs: 50_000 },
    { name: "not when fewer are", all: ["a", "b", "c"], heard: ["c"], aloneMs: 0 },
    { name: "not when it is the only one", all: ["a"], heard: [], aloneMs: 0 },
  ])("$name", async ({ all, heard, aloneMs }) => {
    const cluster = watching(all);
    await renewing(cluster, heard, 50_000);
    expect(cluster.kept.seen("a")).toEqual({ silentMs: 50_000, aloneMs });
  });

  test("from when most are heard again, not from when it was heard last", async () => {
    const cluster = watching(["a", "b", "c"]);
    await renewing(cluster, [], 60_000); // The API cannot be reached.
    await renewing(cluster, ["b"], 10_000);
    await renewing(cluster, ["b", "c"], 30_000);
    expect(cluster.kept.seen("a")).toEqual({ silentMs: 100_000, aloneMs: 30_000 });
  });

  test("from when others that were silent are deleted", async () => {
    const cluster = watching(["a", "b", "c", "d"]);
    await renewing(cluster, ["d"], 60_000);
    cluster.drop("b");
    cluster.drop("c");
    await renewing(cluster, ["d"], 20_000);
    expect(cluster.kept.seen("a")).toEqual({ silentMs: 80_000, aloneMs: 20_000 });
  });

  test("from when a new one is heard", async () => {
    const cluster = watching(["a"]);
    await cluster.clock.advance(60_000);
    cluster.put(aNode("b", { status: ready() }));
    await cluster.clock.advance(15_000);
    expect(cluster.kept.seen("a")).toEqual({ silentMs: 75_000, aloneMs: 15_000 });
  });
});
