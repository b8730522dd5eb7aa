/** A cluster of docker-compose.yml for tests, a project of its own beside whatever else runs here. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { composeBaseImage, ensureComposeBaseImage } from "../scripts/images/compose-base.ts";
import { ensureHelloImages } from "../scripts/images/hello.ts";
import { takeDown } from "../scripts/compose/take-down.ts";
import { freePort } from "../scripts/supervisor/identity.ts";
import { registerOnMachine } from "../scripts/supervisor/machine-registry.ts";
import type { Ranges } from "../scripts/supervisor/ranges.ts";
import { root } from "../scripts/tools/paths.ts";
import { run } from "../scripts/tools/run.ts";
import { ensureCompose } from "../scripts/tools/tools.ts";
import { eventually, inFreeRanges, type Kubectl, kubectlOf } from "./cluster.ts";

export type ComposeCluster = AsyncDisposable & {
  readonly id: string;
  readonly project: string;
  readonly ranges: Ranges;
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  /** `docker compose` on this project. */
  compose(args: readonly string[]): Promise<string>;
};

/** Kept between runs for its layers; what a new build made superfluous is removed. */
const image = "berth/berth:test";
const projectPrefix = "berth-test-";
const idOf = (pid: number) => `t${pid.toString(36)}`;

/** `docker compose up` with `args`, such as `--scale`; resolves when the gateway answers. */
export async function composeCluster(args: readonly string[]): Promise<ComposeCluster> {
  const docker = new Docker();
  const dir = mkdtempSync(join(tmpdir(), "berth-compose-"));
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(dir, { recursive: true, force: true }));
  await removeAbandoned(docker);
  await ensureHelloImages(docker);
  await ensureComposeBaseImage(docker);

  const id = idOf(process.pid);
  const port = await freePort();
  const { ranges, registration } = await inFreeRanges(async (ranges) => {
    const mine = { id, pid: process.pid, dir, port, ...ranges };
    return { ranges, registration: registerOnMachine(mine) };
  });
  undo.use(registration);
  const project = `${projectPrefix}${process.pid}`;
  const env = {
    BASE_IMAGE: composeBaseImage,
    BERTH_COMPOSE_PROJECT: project,
    BERTH_CLUSTER_ID: id,
    BERTH_IMAGE: image,
    BERTH_MACHINE: `machine-${id}`,
    BERTH_NATS_PORT: String(await freePort()),
    BERTH_POD_CIDR: ranges.podCIDR,
    BERTH_PORT: String(port),
    BERTH_SERVICE_CIDR: ranges.serviceCIDR,
    BERTH_STATE: dir,
  };
  const command = await ensureCompose();
  const compose = (all: readonly string[]) =>
    run(command, all, { cwd: root, env: { ...process.env, ...env }, timeoutMs: 200_000 });

  undo.defer(() => takeDown(["--volumes", "--timeout", "5"], env));
  const before = await imageId(docker);
  await compose(["up", "--build", "--detach", ...args]);
  if (before !== undefined && before !== (await imageId(docker))) await removeImage(docker, before);

  const kubeconfig = join(dir, "kubeconfig");
  const kubectl = await kubectlOf(kubeconfig, dir);
  await eventually("the gateway answers", () => kubectl(["get", "namespace", "default"]));
  const down = undo.move();
  return {
    id,
    project,
    ranges,
    kubeconfig,
    kubectl,
    compose,
    [Symbol.asyncDispose]: () => down.disposeAsync(),
  };
}

/** What a test that was killed left: its process, which its project is named after, is gone. */
async function removeAbandoned(docker: Docker): Promise<void> {
  const label = "com.docker.compose.project";
  const containers = await docker.listContainers({ all: true, filters: { label: [label] } });
  const newest = new Map(containers.map((one) => [one.Labels[label] ?? "", one.Id]));
  for (const [project, container] of newest) {
    const pid = Number(new RegExp(`^${projectPrefix}(\\d+)$`).exec(project)?.[1]);
    if (Number.isNaN(pid) || existsSync(`/proc/${pid}`)) continue;
    const { Config } = await docker.getContainer(container).inspect();
    const pairs = Config.Env.filter((pair) => pair.startsWith("BERTH_POD_CIDR=")).map((pair) =>
      pair.split("="),
    );
    const env = { BERTH_COMPOSE_PROJECT: project, BERTH_CLUSTER_ID: idOf(pid) };
    await takeDown(["--volumes"], { ...env, ...Object.fromEntries(pairs) });
  }
}

async function imageId(docker: Docker): Promise<string | undefined> {
  const found = await docker.listImages({ filters: { reference: [image] } });
  return found[0]?.Id;
}

async function removeImage(docker: Docker, id: string): Promise<void> {
  // Another test's containers may still run on it.
  await docker
    .getImage(id)
    .remove()
    .catch(() => "in use");
}
