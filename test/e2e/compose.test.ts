import { existsSync } from "node:fs";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../scripts/tools/run.ts";
import { eventually } from "../cluster.ts";
import { type ComposeCluster, composeCluster } from "../compose-cluster.ts";
import { asksTheApi } from "../in-pod-client.ts";
import { introductionStory } from "./introduction.ts";

const scale = { controllers: 3, scheduler: 2 };
const services = ["api", "controllers", "lb", "nats", "node-agent", "scheduler"];

let cluster: ComposeCluster;
beforeAll(async () => {
  const scales = Object.entries(scale).flatMap(([name, count]) => ["--scale", `${name}=${count}`]);
  cluster = await composeCluster(scales);
});
afterAll(async () => cluster?.[Symbol.asyncDispose]());

describe("docker compose brings up a cluster of several controllers and schedulers", () => {
  introductionStory(() => cluster);

  test("every container is healthy, and none was ever restarted", async () => {
    const containers = await eventually("all are healthy", async () => {
      const found = await serviceContainers();
      const states = found.map(({ State, Name }) => `${Name}: ${State.Health?.Status}`);
      expect(states.filter((state) => !state.endsWith(": healthy"))).toEqual([]);
      return found;
    });
    const names = containers.map(({ Config }) => Config.Labels["com.docker.compose.service"] ?? "");
    expect([...new Set(names)].toSorted()).toEqual(services);
    for (const [name, count] of Object.entries(scale)) {
      expect(names.filter((other) => other === name)).toHaveLength(count);
    }
    expect(containers.map(({ RestartCount }) => RestartCount)).toEqual(names.map(() => 0));
  });

  test("a pod calls the API with its own token", async () => {
    const image = "--image=berth/hello:v1";
    await cluster.kubectl(["run", "asks", image]);
    await cluster.kubectl(["wait", "--for=condition=Ready", "pod/asks", "--timeout=60s"]);
    const script = asksTheApi('"kubernetes.default.svc"');
    await eventually("the API answers", async () => {
      const said = await cluster.kubectl(["exec", "asks", "--", "node", "-e", script]);
      expect(said).toContain('"username":"system:serviceaccount:default:default"');
    });
  });

  test("the agent sees connections in other network namespaces", async () => {
    const nats = (await serviceContainers()).find(({ Name }) => Name.includes("nats"));
    const file = `/proc/${nats?.State.Pid}/net/tcp6`;
    const table = await cluster.compose(["exec", "-T", "node-agent", "cat", file]);
    expect(table).toMatch(/:107E \S+ 0A/); // It listens on 4222.
  });

  test("the agent sees the machine's cgroups", async () => {
    const nats = (await serviceContainers()).find(({ Name }) => Name.includes("nats"));
    const one = JSON.stringify({ id: nats?.Id, pid: nats?.State.Pid });
    const roots = '{ proc: "/proc", cgroup: process.env.BERTH_CGROUP_DIR }';
    const script = `
      import { locateCgroup, readCgroup } from "./services/node-agent/usage/cgroup.ts";
      console.log(JSON.stringify(await readCgroup(await locateCgroup(${one}, ${roots}))));
    `;
    const node = ["node", "--input-type=module", "-e", script];
    const used: unknown = JSON.parse(await cluster.compose(["exec", "-T", "node-agent", ...node]));
    expect(used).toMatchObject({
      cpuNanoseconds: expect.any(Number),
      memoryBytes: expect.any(Number),
    });
  });

  test("a service that is cut off from NATS is unhealthy", async () => {
    await cluster.compose(["stop", "--timeout", "5", "nats"]);
    await eventually("they notice", async () => {
      const others = (await serviceContainers()).filter(({ State }) => State.Running);
      expect(others.filter(({ State }) => State.Health?.Status !== "unhealthy")).toEqual([]);
    });
    await cluster.compose(["start", "nats"]);
    await eventually("they recover", async () => {
      const found = await serviceContainers();
      expect(found.filter(({ State }) => State.Health?.Status !== "healthy")).toEqual([]);
    });
  });

  test("taken down, nothing of it is left on the machine", async () => {
    await cluster[Symbol.asyncDispose]();
    expect(await serviceContainers()).toEqual([]);
    const docker = new Docker();
    const ours = { label: [`berth.dev/cluster=${cluster.id}`] };
    expect(await docker.listContainers({ all: true, filters: ours })).toEqual([]);
    expect(await docker.listNetworks({ filters: ours })).toEqual([]);
    const project = { label: [`com.docker.compose.project=${cluster.project}`] };
    expect(await docker.listNetworks({ filters: project })).toEqual([]);
    expect((await docker.listVolumes({ filters: project })).Volumes ?? []).toEqual([]);
    expect(await run("nft", ["list", "tables"])).not.toContain(`berth_${cluster.id}`);
    expect(await run("ip", ["-o", "address"])).not.toContain(`lo:${cluster.id}`);
    for (const range of [cluster.ranges.podCIDR, cluster.ranges.serviceCIDR]) {
      expect(await run("ip", ["route", "show", "table", "all"])).not.toContain(range);
    }
    expect(await run("iptables", ["-w", "-S"])).not.toContain(`berth-${cluster.id}`);
    expect(existsSync(`/var/lib/berth/${cluster.id}`)).toBe(false);
  });
});

async function serviceContainers(): Promise<Docker.ContainerInspectInfo[]> {
  const docker = new Docker();
  const filters = { label: [`com.docker.compose.project=${cluster.project}`] };
  const listed = await docker.listContainers({ all: true, filters });
  return Promise.all(listed.map(({ Id }) => docker.getContainer(Id).inspect()));
}
