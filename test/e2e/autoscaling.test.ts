/** Use that is measured, and pods that follow it: told with unmodified kubectl. */
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../scripts/tools/paths.ts";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await testCluster({ nodes: 2, controllers: 2 });
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

const kubectl = (line: string, input?: string) => cluster.kubectl(line.split(" "), input);
const jsonpath = (resource: string, path: string) =>
  cluster.kubectl(["get", ...resource.split(" "), "-o", `jsonpath=${path}`]);
const replicasOf = async (name: string) =>
  Number(await jsonpath(`deployment ${name}`, "{.spec.replicas}"));

const burner = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "burner" },
  spec: {
    selector: { matchLabels: { app: "burner" } },
    template: {
      metadata: { labels: { app: "burner" } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: "hello",
            image: "berth/hello:v1",
            resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "400m" } },
            readinessProbe: { httpGet: { path: "/ready", port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    },
  },
};

/** Prints how long something took since `begun`. */
function took(what: string, begun: number): void {
  console.log(`${what}: ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
}

describe("a Deployment with an autoscaler of CPU", () => {
  beforeAll(async () => {
    await kubectl("apply -f -", JSON.stringify(burner));
    await kubectl("rollout status deployment/burner --timeout=60s");
  });

  test("kubectl top tells what its pod, its container and the nodes use", async () => {
    await eventually("the pod's use is known", async () => {
      const pods = await kubectl("top pods --containers");
      expect(pods).toMatch(/POD +NAME +CPU\(cores\) +MEMORY\(bytes\)/);
      expect(pods).toMatch(/burner-\S+ +hello +\d+m +\d+Mi/);
    });
    expect(await kubectl("top pod -l app=burner")).toMatch(/burner-\S+ +\d+m +\d+Mi/);
    await eventually("the nodes' use is known", async () => {
      expect(await kubectl("top nodes")).toMatch(/\S+ +\d+m +\d+% +\d+Mi +\d+%/);
    });
  });

  test("kubectl autoscale makes it, and kubectl get shows what it goes by", async () => {
    await kubectl("autoscale deployment/burner --min=1 --max=3 --cpu=50%");
    // As a user who cannot wait five minutes for fewer pods.
    const behavior = { scaleDown: { stabilizationWindowSeconds: 5 } };
    const patch = JSON.stringify({ spec: { behavior } });
    await cluster.kubectl(["patch", "hpa", "burner", "--type=merge", "-p", patch]);
    await eventually("its metric is known", async () => {
      const table = await kubectl("get hpa");
      expect(table).toMatch(/NAME +REFERENCE +TARGETS +MINPODS +MAXPODS +REPLICAS +AGE/);
      expect(table).toMatch(/burner +Deployment\/burner +cpu: \d+%\/50% +1 +3 +1 /);
    });
    const path = "{.spec.targetCPUUtilizationPercentage}";
    expect(await jsonpath("horizontalpodautoscalers.v1.autoscaling burner", path)).toBe("50");
  });

  test("follows a load up, and down again after its window", async () => {
    const ip = await jsonpath("pods -l app=burner", "{.items[0].status.podIP}");
    const load = new AbortController();
    const burning = burn(`http://${ip}:8080/burn?ms=100`, load.signal);
    const begun = performance.now();
    await eventually("it is scaled up", async () => {
      expect(await replicasOf("burner")).toBeGreaterThan(1);
    });
    took("load → more pods wanted", begun);
    await eventually("the new pods are ready", async () => {
      const ready = await jsonpath("deployment burner", "{.status.readyReplicas}");
      expect(Number(ready)).toBeGreaterThan(1);
    });
    took("load → more pods ready", begun);
    load.abort();
    await burning;
    const ended = performance.now();
    await eventually("it is scaled down", async () => {
      expect(await replicasOf("burner")).toBe(1);
    });
    took("end of the load → one pod wanted (window 5 s)", ended);
    const story = await kubectl("describe hpa burner");
    expect(story).toMatch(/ScalingActive +True +ValidMetricFound/);
    await eventually("its Events are told", async () => {
      const told = await kubectl("describe hpa burner");
      expect(told).toMatch(/SuccessfulRescale[^\n]*New size: \d; reason: cpu resource utilization/);
      expect(told).toMatch(/SuccessfulRescale[^\n]*New size: 1; reason: All metrics below target/);
    });
  });
});

/** One request after the other until `signal` aborts. */
async function burn(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await (await fetch(url, { signal })).text();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

test("the pods of a queue's workers come with its first message, and go with the last", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = await connect({ servers: cluster.natsUrl });
  stack.defer(() => nats.close());
  const api = async (subject: string, body: object) => {
    const answer = await nats.request(`$JS.API.${subject}`, JSON.stringify(body), {
      timeout: 5_000,
    });
    expect(answer.json()).not.toHaveProperty("error");
    return answer;
  };
  await api("STREAM.CREATE.WORK", { name: "WORK", subjects: ["work.>"] });
  const config = { durable_name: "worker", name: "worker", ack_policy: "explicit" };
  await api("CONSUMER.CREATE.WORK.worker", { stream_name: "WORK", config });

  await kubectl(`apply -f ${join(root, "examples/autoscaling/worker.yaml")}`);
  await eventually("the metric is known", async () => {
    expect(await kubectl("get hpa worker")).toMatch(
      /worker +Deployment\/worker +0\/10 \(avg\) +0 +2 +0 /,
    );
  });

  const begun = performance.now();
  nats.publish("work.first", "one");
  await eventually("a pod is wanted", async () => {
    expect(await replicasOf("worker")).toBe(1);
  });
  took("first message → a pod wanted", begun);
  await eventually("a pod is ready", async () => {
    expect(await jsonpath("deployment worker", "{.status.readyReplicas}")).toBe("1");
  });
  took("first message → first pod ready", begun);

  // What a worker does.
  const next = await nats.request("$JS.API.CONSUMER.MSG.NEXT.WORK.worker", "1", {
    noMux: true, // It comes under the subject of the message.
    timeout: 5_000,
  });
  next.respond("+ACK");
  const acknowledged = performance.now();
  await eventually("no pod is wanted", async () => {
    expect(await replicasOf("worker")).toBe(0);
  });
  took("last acknowledgement → no pod wanted (window 3 s)", acknowledged);
});
