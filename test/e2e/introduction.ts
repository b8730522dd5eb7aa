/** The story of a Kubernetes introduction, told with unmodified kubectl, on whatever cluster. */
import { expect, test } from "vitest";
import { rolloutBounds } from "../../libs/model/rollout.ts";
import { eventually, type TestCluster } from "../cluster.ts";
import { watchPods } from "../watch-pods.ts";

const namespace = "introduction";
const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: { name: web }
data: { GREETING: Ahoy }
---
apiVersion: v1
kind: Secret
metadata: { name: web }
stringData: { PASSWORD: open-sesame }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: berth/hello:v1
          ports: [{ containerPort: 8080 }]
          envFrom: [{ configMapRef: { name: web } }, { secretRef: { name: web } }]
          readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: NodePort
  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080 }]
`;

/** Pods that the Deployment has while it is updated. */
const replicas = 4;

type Answer = {
  readonly version: string;
  readonly pod: string;
  readonly env: Record<string, string>;
};

/** Defines the story's tests, in their order, on a cluster with a node or more. */
export function introductionStory(
  cluster: () => Pick<TestCluster, "kubectl" | "kubeconfig">,
): void {
  const inNamespace = (...args: string[]) => cluster().kubectl(["-n", namespace, ...args]);
  const rolledOut = () => inNamespace("rollout", "status", "deployment/web", "--timeout=90s");
  const jsonpath = (resource: string, path: string) =>
    inNamespace("get", ...resource.split(" "), "-o", `jsonpath=${path}`);

  const nodePort = () => jsonpath("service web", "{.spec.ports[0].nodePort}");
  const podNames = async () =>
    (await inNamespace("get", "pods", "-o", "name")).split("\n").filter((line) => line !== "");

  /** Answers of `count` requests to the Service's node port, each on a connection of its own. */
  async function answers(count: number): Promise<readonly Answer[]> {
    const port = await nodePort();
    const ask = async () => {
      const reply = await fetch(`http://127.0.0.1:${port}/`, {
        headers: { connection: "close" },
        signal: AbortSignal.timeout(5_000),
      });
      return (await reply.json()) as Answer; // What examples/hello/server.mjs answers.
    };
    const all: Answer[] = [];
    for (let nth = 0; nth < count; nth += 1) all.push(await ask());
    return all;
  }
  const versions = async () => [...new Set((await answers(12)).map(({ version }) => version))];
  const greetings = async () => [...new Set((await answers(12)).map(({ env }) => env["GREETING"]))];

  /** Runs a kubectl command that begins an update; at no event of a watch are its bounds exceeded. */
  async function watchedUpdate(...args: readonly string[]): Promise<void> {
    const bounds = rolloutBounds({ maxSurge: "25%", maxUnavailable: "25%" }, replicas);
    await using pods = await watchPods(cluster(), namespace, "app=web", { replicas, ...bounds });
    pods.settled();
    const before = pods.live().map(({ metadata }) => metadata.name);
    await inNamespace(...args);
    await rolledOut();
    await eventually("the old pods are gone", async () => {
      const names = await podNames();
      expect(before.filter((name) => names.includes(`pod/${name}`))).toEqual([]);
    });
    await pods.caughtUp();
    const report = pods.report();
    console.log(`${args.slice(0, 2).join(" ")}: ${JSON.stringify(report)}`);
    expect(report).toMatchObject({ broken: [], lost: [] });
    expect(report.events).toBeGreaterThanOrEqual(4 * replicas); // It has seen the update.
  }
  test("a Deployment, its Service and its configuration are applied and answer", async () => {
    await cluster().kubectl(["create", "namespace", namespace]);
    await cluster().kubectl(["-n", namespace, "apply", "-f", "-"], manifest);
    expect(await rolledOut()).toContain("successfully rolled out");
    const all = await eventually("the node port answers", () => answers(30));
    expect(new Set(all.map(({ pod }) => pod)).size).toBe(3);
    expect(all[0]).toMatchObject({
      version: "v1",
      env: { GREETING: "Ahoy", PASSWORD: "open-sesame" },
    });
  });

  test("get and describe show it", async () => {
    expect(await inNamespace("get", "deployments")).toMatch(
      /NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\nweb\s+3\/3/,
    );
    expect(await inNamespace("get", "pods")).toMatch(/web-\S+\s+1\/1\s+Running\s+0/);
    expect(await inNamespace("describe", "deployment", "web")).toContain("ScalingReplicaSet");
  });

  test("logs and exec reach a container", async () => {
    const pod = await jsonpath("pods", "{.items[0].metadata.name}");
    expect(await inNamespace("exec", pod, "--", "sh", "-c", "echo $GREETING")).toBe("Ahoy\n");
    expect(await inNamespace("logs", pod)).not.toBe("");
  });

  test("scale adds pods and takes them away", async () => {
    await inNamespace("scale", "deployment/web", "--replicas=6");
    await rolledOut();
    expect(await podNames()).toHaveLength(6);
    await inNamespace("scale", "deployment/web", `--replicas=${replicas}`);
    await eventually("two pods are gone", async () => {
      expect(await podNames()).toHaveLength(replicas);
    });
  });

  test("a new image rolls out within its bounds, and shows in the history", async () => {
    await watchedUpdate("set", "image", "deployment/web", "web=berth/hello:v2");
    await eventually("only v2 answers", async () => expect(await versions()).toEqual(["v2"]));
    expect(await inNamespace("rollout", "history", "deployment/web")).toMatch(/^1\s[\s\S]*^2\s/m);
    expect(await inNamespace("rollout", "history", "deployment/web", "--revision=2")).toContain(
      "berth/hello:v2",
    );
  });

  test("the update is undone within its bounds", async () => {
    await watchedUpdate("rollout", "undo", "deployment/web");
    await eventually("only v1 answers", async () => expect(await versions()).toEqual(["v1"]));
    const history = await inNamespace("rollout", "history", "deployment/web");
    expect(history).toMatch(/^2\s[\s\S]*^3\s/m);
    expect(history).not.toMatch(/^1\s/m);
  });

  test("an edited ConfigMap is given to pods that start after it", async () => {
    const args = ["-n", namespace, "edit", "configmap", "web"];
    await cluster().kubectl(args, undefined, { KUBE_EDITOR: "sed -i s/Ahoy/Moin/" });
    expect(await jsonpath("configmap web", "{.data.GREETING}")).toBe("Moin");
    expect(await greetings()).toEqual(["Ahoy"]); // An environment is what it was at the start.
    await watchedUpdate("rollout", "restart", "deployment/web");
    await eventually("the new value is everywhere", async () =>
      expect(await greetings()).toEqual(["Moin"]),
    );
  });

  test("what was applied is deleted, and its pods with it", async () => {
    const port = await nodePort();
    await cluster().kubectl(["-n", namespace, "delete", "--timeout=100s", "-f", "-"], manifest);
    await eventually("its pods are gone", async () => expect(await podNames()).toEqual([]));
    expect(await inNamespace("get", "deployments,replicasets,services", "-o", "name")).toBe("");
    await eventually("nobody answers on the node port", () =>
      expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow("fetch failed"),
    );
  });

  test("a deleted namespace takes everything with it", async () => {
    await cluster().kubectl(["-n", namespace, "apply", "-f", "-"], manifest);
    await rolledOut();
    await cluster().kubectl(["delete", "namespace", namespace, "--timeout=100s"]);
    await expect(inNamespace("get", "deployment", "web")).rejects.toThrow("not found");
  });
}
