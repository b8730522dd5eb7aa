/** `kubectl debug` and `kubectl patch --subresource resize`, as their users type them, on real pods. */
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { kubectlProcess } from "../kubectl-process.ts";

const docker = new Docker();
const image = "berth/hello:v1";

const manifest = `
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: web
      image: ${image}
      resources: { requests: { cpu: 50m, memory: 32Mi }, limits: { cpu: 100m, memory: 64Mi } }
      readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Pod
metadata: { name: policy }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: web
      image: ${image}
      command: [sleep, "3600"]
      resources: { requests: { cpu: 50m, memory: 32Mi } }
      resizePolicy: [{ resourceName: memory, restartPolicy: RestartContainer }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: shop }
spec:
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: shop, image: ${image} }]
`;

let cluster: TestCluster;
const kubectl = (...args: string[]) => cluster.kubectl(args);
const shown = (pod: string, path: string) => kubectl("get", "pod", pod, "-o", `jsonpath={${path}}`);

beforeAll(async () => {
  cluster = await testCluster({ nodes: 1 });
  await cluster.kubectl(["apply", "-f", "-"], manifest);
  await kubectl("wait", "--for=condition=Ready", "pod/web", "pod/policy", "--timeout=120s");
  await kubectl("rollout", "status", "deployment/shop", "--timeout=120s");
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

/** What a command prints that somebody types into. */
async function typed(args: readonly string[], text: string): Promise<string> {
  await using running = await kubectlProcess(cluster, args);
  running.write(text);
  const { code } = await running.ended;
  expect([code, running.stderr()]).toEqual([0, running.stderr()]);
  return running.stdout();
}

describe("kubectl debug", () => {
  test("adds a container to a pod that runs, whose log says what it did", async () => {
    const ready = await shown("web", ".status.conditions[?(@.type=='Ready')]");
    const inside = "wget -q -O - http://127.0.0.1:8080/ready > /dev/null && echo reached";
    await kubectl("debug", "web", `--image=${image}`, "-c", "curl", "--", "sh", "-c", inside);
    await eventually("it has ended", async () =>
      expect(await kubectl("logs", "web", "-c", "curl")).toBe("reached\n"),
    );
    expect(await shown("web", ".status.conditions[?(@.type=='Ready')]")).toBe(ready);
    expect(await shown("web", ".status.containerStatuses[0].restartCount")).toBe("0");
  });

  test("-it --target gives a shell among the target's processes", async () => {
    const args = ["debug", "-it", "web", `--image=${image}`, "-c", "shell", "--target=web"];
    const said = await typed([...args, "--", "sh"], "ps -o pid,args; exit 0\n");
    expect(said).toMatch(/^\s*1 \S+/m);
    expect(said).toMatch(/ sh\s*$/m);
    expect(said).toContain("ps -o pid,args");
    const path = ".spec.ephemeralContainers[?(@.name=='shell')].targetContainerName";
    expect(await shown("web", path)).toBe("web");
  });

  test("can be attached to later", async () => {
    const args = ["debug", "web", "-i", `--image=${image}`, "-c", "later", "--attach=false"];
    await kubectl(...args, "--", "sh");
    await eventually("it runs", async () =>
      expect(
        await shown("web", ".status.ephemeralContainerStatuses[?(@.name=='later')].state.running"),
      ).not.toBe(""),
    );
    const said = await typed(
      ["attach", "web", "-c", "later", "-i"],
      "echo attached $((40 + 2)); exit 0\n",
    );
    expect(said).toBe("attached 42\n");
  });

  test("runs commands in what was added, and lists it", async () => {
    const args = ["debug", "web", `--image=${image}`, "-c", "stays", "--", "sleep", "3600"];
    await kubectl(...args);
    await eventually("it runs", async () =>
      expect(await kubectl("exec", "web", "-c", "stays", "--", "echo", "within")).toBe("within\n"),
    );
    const described = await kubectl("describe", "pod", "web");
    expect(described).toContain("Ephemeral Containers:");
    expect(described).toMatch(/ {2}stays:\n[^]*State: +Running/);
  });

  test("is refused a target that is not there", async () => {
    const args = ["debug", "web", `--image=${image}`, "--target=other", "--", "true"];
    await expect(kubectl(...args)).rejects.toThrow(
      'spec.ephemeralContainers[4].targetContainerName: Not found: "other"',
    );
  });

  test("works on a Deployment's pod, which stays what it was", async () => {
    const pod = await kubectl(
      "get",
      "pod",
      "-l",
      "app=shop",
      "-o",
      "jsonpath={.items[0].metadata.name}",
    );
    await kubectl("debug", pod, `--image=${image}`, "-c", "look", "--", "sh", "-c", "echo looked");
    await eventually("it has ended", async () =>
      expect(await kubectl("logs", pod, "-c", "look")).toBe("looked\n"),
    );
    expect(
      await kubectl("get", "deployment", "shop", "-o", "jsonpath={.status.readyReplicas}"),
    ).toBe("1");
    expect(
      await kubectl("get", "pod", "-l", "app=shop", "-o", "jsonpath={.items[*].metadata.name}"),
    ).toBe(pod);
  });

  test("--copy-to makes a pod like it, with one container more that sees all processes", async () => {
    const copy = ["debug", "policy", `--image=${image}`, "-c", "helper", "--copy-to=copy"];
    await kubectl(...copy, "--share-processes", "--attach=false", "--", "sleep", "7200");
    await kubectl("wait", "--for=condition=Ready", "pod/copy", "--timeout=60s");
    expect(await shown("copy", ".spec.containers[*].name")).toBe("web helper");
    const processes = await kubectl("exec", "copy", "-c", "helper", "--", "ps", "-o", "args");
    expect(processes).toContain("sleep 3600");
    await kubectl("delete", "pod", "copy", "--now");
  });

  test("node/NAME gives a pod on the node: its processes, its network, its files", async () => {
    const node = await kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}");
    const look = "ls -d /host/etc /host/proc; ps -o args; sleep 3600";
    const args = ["debug", `node/${node}`, `--image=${image}`, "--attach=false"];
    const said = await kubectl(...args, "--", "sh", "-c", look);
    const [, pod = ""] = /Creating debugging pod (\S+)/.exec(said) ?? [];
    expect(pod).toMatch(new RegExp(`^node-debugger-${node}-`));
    await kubectl("wait", "--for=condition=Ready", `pod/${pod}`, "--timeout=60s");
    await eventually("it has looked", async () => {
      const log = await kubectl("logs", pod);
      expect(log).toContain("/host/etc\n/host/proc\n");
      expect(log).toContain("dockerd");
    });
    expect(await shown(pod, ".spec.nodeName")).toBe(node);
    await kubectl("delete", "pod", pod, "--now");
  });
});

describe("a resize", () => {
  type Size = { readonly requests?: object; readonly limits?: object };
  const patch = (pod: string, resources: Size) =>
    kubectl(
      "patch",
      "pod",
      pod,
      "--subresource=resize",
      "--patch",
      JSON.stringify({ spec: { containers: [{ name: "web", resources }] } }),
    );
  const container = async (pod: string) => {
    const label = [`berth.dev/pod=${pod}`, "berth.dev/container=web"];
    const [found] = await docker.listContainers({ filters: { label } });
    return docker.getContainer(found?.Id ?? "").inspect();
  };
  const pending = (pod: string) =>
    shown(pod, ".status.conditions[?(@.type=='PodResizePending')].reason");

  test("changes a container that runs, as the engine shows", async () => {
    const before = await container("web");
    expect(
      await patch("web", { requests: { cpu: "200m" }, limits: { cpu: "250m", memory: "96Mi" } }),
    ).toBe("pod/web patched\n");
    await eventually("it has that", async () => {
      const { HostConfig } = await container("web");
      expect(HostConfig).toMatchObject({
        CpuShares: 204,
        CpuQuota: 25_000,
        Memory: 96 * 2 ** 20,
      });
    });
    expect((await container("web")).Id).toBe(before.Id);
    await eventually("its status says so", async () =>
      expect(
        JSON.parse(await shown("web", ".status.containerStatuses[0].resources")) as unknown,
      ).toEqual({
        requests: { cpu: "200m", memory: "32Mi" },
        limits: { cpu: "250m", memory: "96Mi" },
      }),
    );
    expect(await shown("web", ".status.containerStatuses[0].restartCount")).toBe("0");
    expect(await shown("web", ".status.observedGeneration")).toBe(
      await shown("web", ".metadata.generation"),
    );
  });

  test("restarts a container where its policy says so", async () => {
    await patch("policy", { requests: { memory: "48Mi" } });
    await eventually("it is restarted", async () =>
      expect(await shown("policy", ".status.containerStatuses[0].restartCount")).toBe("1"),
    );
    await patch("policy", { requests: { cpu: "60m" } });
    await eventually("it has that", async () =>
      expect((await container("policy")).HostConfig).toMatchObject({ CpuShares: 61 }),
    );
    expect(await shown("policy", ".status.containerStatuses[0].restartCount")).toBe("1");
  });

  test("that its node has no room for waits, and is told why", async () => {
    const before = await container("policy");
    await patch("policy", { requests: { cpu: "1000" } });
    await eventually("it waits", async () => expect(await pending("policy")).toBe("Infeasible"));
    expect(await shown("policy", ".spec.containers[0].resources.requests.cpu")).toBe("1k");
    expect(await shown("policy", ".status.containerStatuses[0].allocatedResources.cpu")).toBe(
      "60m",
    );
    expect((await container("policy")).HostConfig.CpuShares).toBe(before.HostConfig.CpuShares);
    const events = await kubectl("get", "events", "--field-selector=reason=ResizeInfeasible");
    expect(events).toContain("Node didn't have enough capacity: cpu, requested: 1000000");
    await patch("policy", { requests: { cpu: "70m" } });
    await eventually("it waits no more", async () => expect(await pending("policy")).toBe(""));
    await eventually("it has that", async () =>
      expect((await container("policy")).HostConfig).toMatchObject({ CpuShares: 71 }),
    );
  });

  test("is taken up when others leave room", async () => {
    const node = JSON.parse(await kubectl("get", "nodes", "-o", "json")) as {
      items: { status: { allocatable: { cpu: string } } }[];
    };
    const cpu = node.items[0]?.status.allocatable.cpu ?? "";
    const most = cpu.endsWith("m") ? Number(cpu.slice(0, -1)) : Number(cpu) * 1_000;
    await patch("web", { requests: { cpu: `${most - 500}m` }, limits: { cpu: `${most}m` } });
    await eventually("it has that", async () =>
      expect(await shown("web", ".status.containerStatuses[0].allocatedResources.cpu")).toBe(
        await shown("web", ".spec.containers[0].resources.requests.cpu"),
      ),
    );
    await patch("policy", { requests: { cpu: "600m" } });
    await eventually("it waits", async () => expect(await pending("policy")).toBe("Deferred"));
    await patch("web", { requests: { cpu: "50m" } });
    await eventually("it has that", async () =>
      expect((await container("policy")).HostConfig).toMatchObject({ CpuShares: 614 }),
    );
    expect(await pending("policy")).toBe("");
  });

  test("that Kubernetes does not allow is refused in its words", async () => {
    await expect(patch("web", { limits: { cpu: null } })).rejects.toThrow(
      "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed",
    );
    await expect(
      kubectl(
        "patch",
        "pod",
        "web",
        "--patch",
        '{"spec":{"containers":[{"name":"web","resources":{"requests":{"cpu":"60m"}}}]}}',
      ),
    ).rejects.toThrow("pod updates may not change fields other than");
    await expect(patch("shop", {})).rejects.toThrow('pods "shop" not found');
  });
});
