/** Nodes that have no containers, and nodes that are only written down: both as kubectl knows nodes. */
import { rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";

const zone = "topology.kubernetes.io/zone";
const nodes = 20;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster({
    hollow: nodes,
    "hollow-zones": 3,
    "hollow-labels": "example.com/disk=ssd",
    "hollow-memory": "16Gi",
    "hollow-start-ms": 20,
  });
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

const kubectl = (line: string, input?: string) => cluster.kubectl(line.split(" "), input);
const jsonpath = (resource: string, path: string) =>
  cluster.kubectl(["get", ...resource.split(" "), "-o", `jsonpath=${path}`]);

/** How many rows of a table have each of the values in `column`. */
function counted(table: string, column: number): Record<string, number> {
  const rows = table.trim().split("\n").slice(1);
  const values = rows.map((row) => row.split(/ {2,}/)[column] ?? "");
  return Object.fromEntries(
    [...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length]),
  );
}

const spread = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: spread }
spec:
  replicas: 60
  selector: { matchLabels: { app: spread } }
  template:
    metadata: { labels: { app: spread } }
    spec:
      nodeSelector: { example.com/disk: ssd }
      tolerations:
        - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 0 }
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: ${zone}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector: { matchLabels: { app: spread } }
      containers:
        - name: app
          image: example.com/any:v1
          readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 1 }
`;

describe("hollow nodes", () => {
  test("are ready, in their zones, and of the size that was asked for", async () => {
    await eventually("all are ready", async () => {
      expect(counted(await kubectl("get nodes"), 1)).toEqual({ Ready: nodes });
    });
    const table = await kubectl(`get nodes -L ${zone}`);
    expect(table).toMatch(/NAME +STATUS +ROLES +AGE +VERSION +ZONE/);
    expect(counted(table, 5)).toEqual({ "zone-1": 7, "zone-2": 7, "zone-3": 6 });
    expect(await jsonpath("node hollow-20", "{.status.allocatable.memory}")).toBe("16Gi");
    expect(await kubectl("describe node hollow-1")).toContain("hollow://1");
  });

  test("run a Deployment whose pods are spread over the zones", async () => {
    await kubectl("apply -f -", spread);
    await kubectl("rollout status deployment/spread --timeout=60s");
    expect(await jsonpath("deployment spread", "{.status.availableReplicas}")).toBe("60");
    const zoneOf = new Map(
      (
        await jsonpath(
          "nodes",
          `{range .items[*]}{.metadata.name} {.metadata.labels.topology\\.kubernetes\\.io/zone}{"\\n"}{end}`,
        )
      )
        .trim()
        .split("\n")
        .map((line) => line.split(" ") as [string, string]),
    );
    const homes = (await jsonpath("pods -l app=spread", "{.items[*].spec.nodeName}")).split(" ");
    const zones = Map.groupBy(homes, (home) => zoneOf.get(home));
    expect([...zones.values()].map((all) => all.length)).toEqual([20, 20, 20]);
    expect(await kubectl("logs deployment/spread")).toBe("");
  });

  test("are lost with a zone, whose pods run elsewhere, and come back", async () => {
    const off = join(dirname(cluster.logs), "hollow", "off");
    await writeFile(off, `${zone}=zone-2\n`);
    await eventually("the zone is gone", async () => {
      expect(counted(await kubectl(`get nodes -L ${zone} -l ${zone}=zone-2`), 1)).toEqual({
        NotReady: 7,
      });
    });
    await eventually("its pods run in the others", async () => {
      expect(await jsonpath("deployment spread", "{.status.availableReplicas}")).toBe("60");
      // Those that are lost stay, Terminating, until their node is heard.
      const wide = await kubectl("get pods -l app=spread -o wide");
      const running = wide.split("\n").flatMap((row) => {
        const [, , status, , , , home = ""] = row.split(/ {2,}/);
        return status === "Running" ? [home] : [];
      });
      expect(running).toHaveLength(60);
      const lost = await jsonpath(`nodes -l ${zone}=zone-2`, "{.items[*].metadata.name}");
      expect(lost.split(" ").filter((name) => running.includes(name))).toEqual([]);
    });
    await rm(off);
    await eventually("all are back", async () => {
      expect(counted(await kubectl("get nodes"), 1)).toEqual({ Ready: nodes });
    });
  });
});

describe("a Node that is created through the API alone", () => {
  const heartbeat = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");

  test("gets pods once its status says that it is ready", async () => {
    const written = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "written", labels: { "example.com/written": "yes" } },
    };
    await kubectl("create -f -", JSON.stringify(written));
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "there" },
      spec: {
        nodeSelector: { "example.com/written": "yes" },
        containers: [{ name: "app", image: "example.com/any:v1" }],
      },
    };
    await kubectl("create -f -", JSON.stringify(pod));
    await eventually("it waits: the node never said that it is ready", async () => {
      const why = await jsonpath("pod there", "{.status.conditions[*].message}");
      expect(why).toContain("1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }");
    });
    const status = {
      allocatable: { cpu: "2", memory: "4Gi", pods: "10" },
      capacity: { cpu: "2", memory: "4Gi", pods: "10" },
      conditions: [
        { type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime: heartbeat() },
      ],
    };
    await cluster.kubectl([
      ..."patch node written --subresource=status --type=merge -p".split(" "),
      JSON.stringify({ status }),
    ]);
    await eventually("it is bound there", async () => {
      expect(await jsonpath("pod there", "{.spec.nodeName}")).toBe("written");
    });
    const taints = "{.spec.taints[*].key}";
    await eventually("no taint is left", async () => {
      expect(await jsonpath("node written", taints)).toBe("");
    });
  });
});
