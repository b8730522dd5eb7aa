/** What breaks comes back. */
import Docker from "dockerode";
import * as z from "zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { fastest } from "../fastest.ts";

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
const restartsOf = (name: string) => ofPod(name, "{.status.containerStatuses[0].restartCount}");
/** Paths of examples/hello/server.mjs. */
const switchTo = (pod: string, path: "ready/off" | "ready/on" | "live/off") =>
  cluster.kubectl(["exec", pod, "--", "wget", "-q", "-O", "-", `http://127.0.0.1:8080/${path}`]);

/** A pod of one container with such probes. */
const podWith = (name: string, ...probes: readonly string[]) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: berth/hello:v1
      ${probes.join("\n      ")}
`;

/** How often an event whose message begins so was seen. */
async function eventsOf(pod: string, begins: string): Promise<number> {
  const args = ["get", "events", `--field-selector=involvedObject.name=${pod}`, "-o", "json"];
  const { items } = events.parse(JSON.parse(await cluster.kubectl(args)));
  return items
    .filter(({ message }) => message.startsWith(begins))
    .reduce((sum, { count }) => sum + count, 0);
}
const events = z.object({ items: z.array(z.object({ message: z.string(), count: z.int() })) });

/** The pod that answers a request to the node port, on a connection of its own. */
async function answerer(port: string): Promise<string> {
  const reply = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { connection: "close" },
    signal: AbortSignal.timeout(5_000),
  });
  return ((await reply.json()) as { pod: string }).pod; // examples/hello/server.mjs
}

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
    await switchTo(pod, "live/off");
    await eventually("the container was restarted", async () => {
      expect(await ofPod(pod, "{.status.containerStatuses[0].restartCount}")).toBe("1");
      expect(await ofPod(pod, "{.status.containerStatuses[0].ready}")).toBe("true");
    });
  });

  test("a liveness probe that goes on failing restarts its container with back-off", async () => {
    await cluster.kubectl(
      ["apply", "-f", "-"],
      podWith(
        "backs-off",
        "livenessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 }",
      ),
    );
    const state = ".status.containerStatuses[0].state.waiting";
    const waiting = (shown: string) =>
      eventually(`it shows ${shown}`, async () =>
        expect(await ofPod("backs-off", `{${state}.reason}: {${state}.message}`)).toContain(shown),
      );
    // The first restart comes at once, the second after 10 s, the third after 20 s.
    await waiting("CrashLoopBackOff: back-off 10s");
    expect(await restartsOf("backs-off")).toBe("1");
    const ended = await ofPod(
      "backs-off",
      "{.status.containerStatuses[0].lastState.terminated.finishedAt}",
    );
    await waiting("CrashLoopBackOff: back-off 20s");
    const begun = await ofPod(
      "backs-off",
      "{.status.containerStatuses[0].lastState.terminated.startedAt}",
    );
    const delayMs = Date.parse(begun) - Date.parse(ended);
    console.log(`the second restart came ${delayMs} ms after the container's end`);
    expect(delayMs).toBeGreaterThanOrEqual(9_000); // 10 s, of times that are whole seconds.
    expect(await restartsOf("backs-off")).toBe("2");
    const described = await cluster.kubectl(["describe", "pod", "backs-off"]);
    expect(described).toMatch(/Unhealthy.*Liveness probe failed/);
    expect(described).toMatch(/Warning\s+BackOff/);
    await cluster.kubectl(["delete", "pod", "backs-off", "--wait=false"]);
  });

  test("a startup probe holds the others off until it succeeds", async () => {
    const probes = [
      "startupProbe: { exec: { command: [test, -f, /tmp/started] }, periodSeconds: 1, failureThreshold: 600 }",
      "livenessProbe: { exec: { command: [test, -f, /tmp/alive] }, periodSeconds: 1, failureThreshold: 1 }",
      "readinessProbe: { exec: { command: ['true'] }, periodSeconds: 1 }",
    ];
    await cluster.kubectl(["apply", "-f", "-"], podWith("starts", ...probes));
    await eventually("the startup probe has failed three times", async () =>
      expect(await eventsOf("starts", "Startup probe failed")).toBeGreaterThanOrEqual(3),
    );
    // Either of the others would have had its say by now.
    expect(await eventsOf("starts", "Liveness probe failed")).toBe(0);
    expect(await ofPod("starts", "{.status.containerStatuses[0].started}")).toBe("false");
    expect(await ofPod("starts", "{.status.containerStatuses[0].ready}")).toBe("false");
    expect(await restartsOf("starts")).toBe("0");
    await cluster.kubectl(["exec", "starts", "--", "touch", "/tmp/started"]);
    await eventually("the liveness probe has its say", async () => {
      expect(await eventsOf("starts", "Liveness probe failed")).toBeGreaterThanOrEqual(1);
      expect(await restartsOf("starts")).toBe("1");
    });
    await eventually("the new container starts well", async () => {
      await cluster.kubectl(["exec", "starts", "--", "touch", "/tmp/alive", "/tmp/started"]);
      expect(await ofPod("starts", "{.status.containerStatuses[0].ready}")).toBe("true");
    });
    await cluster.kubectl(["delete", "pod", "starts", "--wait=false"]);
  });

  test("a failing readiness probe takes its pod out of the Service within its timing, and back", async () => {
    const [pod = "", other = ""] = await deploy("unready", 2);
    await cluster.kubectl([
      "expose",
      "deployment",
      "unready",
      "--type=NodePort",
      "--port=80",
      "--target-port=8080",
    ]);
    const port = await cluster.kubectl([
      "get",
      "service",
      "unready",
      "-o",
      "jsonpath={.spec.ports[0].nodePort}",
    ]);
    const answering = async () => {
      const pods = new Set<string>();
      for (let nth = 0; nth < 12; nth += 1) pods.add(await answerer(port));
      return [...pods].toSorted();
    };
    await eventually("both pods answer", async () =>
      expect(await answering()).toEqual([pod, other].toSorted()),
    );
    await switchTo(pod, "ready/off");
    const offMs = performance.now();
    // Its period is 1 s and one failure is enough; the rest of the deadline is a busy machine's.
    await eventually(
      "only the other pod answers",
      async () => expect(await answering()).toEqual([other]),
      8_000,
    );
    console.log(
      `an unready pod was out of its Service after ${Math.round(performance.now() - offMs)} ms`,
    );
    expect(await restartsOf(pod)).toBe("0");
    await switchTo(pod, "ready/on");
    const onMs = performance.now();
    await eventually(
      "both answer again",
      async () => expect(await answering()).toEqual([pod, other].toSorted()),
      8_000,
    );
    console.log(
      `a ready pod was back in its Service after ${Math.round(performance.now() - onMs)} ms`,
    );
  });

  test("pods of a node that is lost run elsewhere within 10 s", async () => {
    const tookMs = await fastest("a lost node's pods ran elsewhere after", 10_000, loseNode);
    expect(tookMs).toBeLessThan(10_000);
  });
});

/** @returns how long after the loss of node-2 all pods of a Deployment were ready on node-1, in ms */
async function loseNode(attempt: number): Promise<number> {
  const name = `lost-${attempt}`;
  const readyOn = async (node: string) => {
    const path = `{range .items[?(@.spec.nodeName=="${node}")]}{.status.containerStatuses[0].ready} {end}`;
    const states = await read("pods", path, `app=${name}`);
    return states.split(" ").filter((one) => one === "true").length;
  };
  await cluster.kubectl(["wait", "--for=condition=Ready", "node/node-2", "--timeout=60s"]);
  await deploy(name, 4);
  expect(await readyOn("node-2")).toBeGreaterThan(0);
  const agent = cluster.processes.get("node-2");
  await agent?.stop("SIGKILL");
  const begunMs = performance.now();
  const containers = await docker.listContainers({
    filters: { label: [`berth.dev/cluster=${cluster.id}`, "berth.dev/node=node-2"] },
  });
  await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true })));
  await eventually("four pods are ready on node-1", async () =>
    expect(await readyOn("node-1")).toBeGreaterThanOrEqual(4),
  );
  const tookMs = performance.now() - begunMs;
  agent?.start();
  return tookMs;
}
