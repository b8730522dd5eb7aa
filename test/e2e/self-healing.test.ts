/** What breaks comes back. */
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 2, controllers: 2 });
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

const docker = new Docker();
const labelled = (pod: string) => ({
  all: true,
  filters: { label: [`berth.dev/cluster=${cluster.id}`, `berth.dev/pod=${pod}`] },
});

const manifest = (name: string, replicas: number) => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: berth/hello:v1
          readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 1, failureThreshold: 1 }
          livenessProbe: { httpGet: { path: /live, port: 8080 }, periodSeconds: 1, failureThreshold: 2, timeoutSeconds: 10 }
`;

/** Applies a Deployment and gives its pods' names once all are available. */
async function deploy(name: string, replicas: number): Promise<readonly string[]> {
  await cluster.kubectl(["apply", "-f", "-"], manifest(name, replicas));
  await cluster.kubectl(["rollout", "status", `deployment/${name}`, "--timeout=60s"]);
  return (await read("pods", "{.items[*].metadata.name}", `app=${name}`)).split(" ");
}
const read = (resource: string, path: string, selector: string) =>
  cluster.kubectl(["get", resource, "-l", selector, "-o", `jsonpath=${path}`]);
const ofPod = (name: string, path: string) =>
  cluster.kubectl(["get", "pod", name, "-o", `jsonpath=${path}`]);
const switchOff = (pod: string, probe: "ready" | "live") =>
  cluster.kubectl([
    "exec",
    pod,
    "--",
    "wget",
    "-q",
    "-O",
    "-",
    `http://127.0.0.1:8080/${probe}/off`,
  ]);

describe("self-healing", () => {
  test("a container that was removed is made again", async () => {
    const [pod = ""] = await deploy("removed", 1);
    const [container] = await docker.listContainers(labelled(pod));
    await docker.getContainer(container?.Id ?? "").remove({ force: true });
    await eventually("the pod runs again, and counts it", async () => {
      expect(await ofPod(pod, "{.status.containerStatuses[0].restartCount}")).toBe("1");
      expect(await ofPod(pod, "{.status.containerStatuses[0].ready}")).toBe("true");
    });
  });

  test("a failing liveness probe restarts its container, and is counted", async () => {
    const [pod = ""] = await deploy("unhealthy", 1);
    await switchOff(pod, "live");
    await eventually("the container was restarted", async () => {
      expect(await ofPod(pod, "{.status.containerStatuses[0].restartCount}")).toBe("1");
      expect(await ofPod(pod, "{.status.containerStatuses[0].ready}")).toBe("true");
    });
  });

  test("a failing readiness probe takes its pod out of the Service, and back", async () => {
    const [pod = ""] = await deploy("unready", 1);
    await cluster.kubectl(["expose", "deployment", "unready", "--port=80", "--target-port=8080"]);
    const ready = () =>
      read(
        "endpointslices",
        "{.items[0].endpoints[0].conditions.ready}",
        "kubernetes.io/service-name=unready",
      );
    await eventually("the pod is an endpoint", async () => expect(await ready()).toBe("true"));
    await switchOff(pod, "ready");
    await eventually(
      "the pod is no ready endpoint",
      async () => expect(await ready()).toBe("false"),
      10_000,
    );
    await cluster.kubectl([
      "exec",
      pod,
      "--",
      "wget",
      "-q",
      "-O",
      "-",
      "http://127.0.0.1:8080/ready/on",
    ]);
    await eventually("the pod is back", async () => expect(await ready()).toBe("true"), 10_000);
  });

  test("pods of a node that is lost run elsewhere within 10 s", async () => {
    await deploy("lost", 4);
    const onNode2 = () =>
      read(
        "pods",
        '{range .items[?(@.spec.nodeName=="node-2")]}{.metadata.name} {end}',
        "app=lost",
      );
    expect((await onNode2()).trim()).not.toBe("");
    const agent = cluster.processes.get("node-2");
    await agent?.stop();
    const begun = performance.now();
    const containers = await docker.listContainers({
      filters: { label: [`berth.dev/cluster=${cluster.id}`, "berth.dev/node=node-2"] },
    });
    await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true })));
    await eventually(
      "four pods are ready on node-1",
      async () => {
        const path =
          '{range .items[?(@.spec.nodeName=="node-1")]}{.status.containerStatuses[0].ready} {end}';
        const states = (await read("pods", path, "app=lost"))
          .split(" ")
          .filter((one) => one === "true");
        expect(states.length).toBeGreaterThanOrEqual(4);
      },
      10_000,
    );
    console.log(
      `a lost node's pods ran elsewhere after ${Math.round(performance.now() - begun)} ms`,
    );
    agent?.start();
  });
});
