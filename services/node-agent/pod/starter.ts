/** Makes and starts one container of a pod: image, configuration, volumes, network. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ClusterFacts } from "../../../libs/protocol/node.ts";
import { apiAddressIn } from "../../../libs/model/address-range.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { resolvConf } from "../network/resolv-conf.ts";
import {
  type ContainerRuntime,
  ImageMissing,
  InvalidImage,
  type Mount,
  RuntimeFailure,
  sandboxName,
} from "../runtime/runtime.ts";
import type { ControlPlane } from "../session/session.ts";
import { joinedBy, NothingToJoin } from "./joined.ts";
import { withClaimed } from "./claimed-volumes.ts";
import { containerSpec, sandboxSpec } from "./container-spec.ts";
import { ConfigMissing, environmentOf, type PodFields, Unanswered } from "./environment.ts";
import { podFolder } from "./folder.ts";
import type { InTurn } from "./in-turn.ts";
import { memoryMounts, mountsOf } from "./mounts.ts";
import type { Held, PodSources } from "./sources.ts";
import { allContainers, type Container, type PodWork } from "./spec.ts";
import { terminationMount } from "./termination-message.ts";
import { makeVolumes, refreshFiles, VolumeFailed } from "./volumes.ts";

/** What the pods of a node share. */
export type NodeContext = {
  readonly node: string;
  readonly hostAddress: string;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
  /** Where pods' files are. The engine must see it under the same path. */
  readonly dataDir: string;
  readonly runtime: ContainerRuntime;
  readonly control: ControlPlane;
  /** Undefined until the node has its pod range. */
  readonly network: () =>
    | { readonly name: string; readonly cluster: ClusterFacts; hairpin(): Promise<void> }
    | undefined;
  /** The pod's address; undefined when none is left. */
  readonly takeAddress: (uid: string) => string | undefined;
  /** Ends what has the pod's name or host ports (N5). @returns whether the way is clear */
  readonly clearWay: (work: PodWork) => Promise<boolean>;
};

/** Why a container does not run, as Kubernetes names it. */
export class StartRefused extends Error {
  override readonly name = "StartRefused";
  readonly reason: string;
  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export type StartRequest = {
  readonly work: PodWork;
  readonly container: string;
  readonly attempt: number;
  readonly failures: number;
  readonly event: (type: "Normal" | "Warning", reason: string, message: string) => void;
  readonly now: () => EpochMs;
  /** What its volumes and its environment are made of. */
  readonly sources: PodSources;
  /** Writes to the pod's volumes. */
  readonly inTurn: InTurn;
  readonly signal: AbortSignal;
};

/** @throws {StartRefused} */
export async function startContainer(context: NodeContext, request: StartRequest): Promise<void> {
  const { runtime } = context;
  const { work, attempt, failures, event } = request;
  const { spec } = work;
  const network = context.network();
  if (network === undefined)
    throw new StartRefused("ContainerCreating", "the node has no pod network yet");
  if (!(await context.clearWay(work))) {
    throw new StartRefused("ContainerCreating", "a predecessor is being ended");
  }
  const address = spec.hostNetwork ? undefined : context.takeAddress(work.uid);
  if (address === undefined && !spec.hostNetwork) {
    throw new StartRefused("ContainerCreating", "the node's pod range has no free address");
  }
  const placed = {
    work,
    address,
    network: network.name,
    attempt,
    failures,
    nodeMemoryBytes: context.memoryBytes,
  };
  const folder = podFolder(context.dataDir, work.uid);
  const resolving = await writeResolvConf(folder, work, network.cluster);
  if (request.container === sandboxName) {
    const image = await runtime.sandboxImage();
    await launch(
      context,
      sandboxSpec(placed, image, [resolving, ...memoryMounts(spec.volumes)]),
      () => undefined,
    );
    await network.hairpin();
    return;
  }
  const container = allContainers(spec).find(({ name }) => name === request.container);
  if (container === undefined) return;
  await bringImage(runtime, container, request);
  try {
    // What was read first is not written last: a refresh may be under way.
    const { env, volumes: made } = await request.inTurn(async () => {
      const held = await request.sources.readOrKept(work);
      const { read } = held;
      const fields = fieldsIn(context, {
        work: await withClaimed(work, held.claims),
        podAddress: address ?? context.hostAddress,
        held,
      });
      await makeVolumes(folder, fields, read);
      return { env: environmentOf(container, fields, read), volumes: fields.work.spec.volumes };
    });
    const saying = await terminationMount(folder, container, attempt);
    const volumes = await mountsOf(folder, container, made, env);
    const mounts = [...volumes, resolving, ...saying];
    const joined = joinedBy(container.name, spec, runtime.containers(work.uid));
    await launch(context, containerSpec(container, { ...placed, ...joined }, env, mounts), () =>
      event("Normal", "Created", `Created container: ${container.name}`),
    );
    event("Normal", "Started", `Started container ${container.name}`);
    if (joined.sandboxId === undefined && !spec.hostNetwork) await network.hairpin();
  } catch (error) {
    if (error instanceof NothingToJoin)
      throw new StartRefused(error.reason, error.message, { cause: error });
    if (error instanceof ConfigMissing) {
      throw new StartRefused("CreateContainerConfigError", error.message, { cause: error });
    }
    if (error instanceof Unanswered)
      throw new StartRefused("ContainerCreating", error.message, { cause: error });
    if (error instanceof VolumeFailed)
      throw new StartRefused("FailedMount", error.message, { cause: error });
    throw error;
  }
}

async function launch(
  { runtime }: NodeContext,
  spec: Parameters<ContainerRuntime["create"]>[0],
  created: () => void,
): Promise<void> {
  const at = { reason: "CreateContainerError" };
  try {
    const id = await runtime.create(spec);
    created();
    at.reason = "RunContainerError";
    await runtime.start(id);
  } catch (error) {
    if (error instanceof ImageMissing)
      throw new StartRefused("ErrImagePull", error.message, { cause: error });
    if (error instanceof RuntimeFailure)
      throw new StartRefused(at.reason, error.message, { cause: error });
    throw error;
  }
}

async function bringImage(
  runtime: ContainerRuntime,
  { image, imagePullPolicy }: Container,
  { event, now, signal }: StartRequest,
): Promise<void> {
  try {
    if (imagePullPolicy !== "Always" && (await runtime.hasImage(image))) {
      event("Normal", "Pulled", `Container image "${image}" already present on machine`);
      return;
    }
    if (imagePullPolicy === "Never") {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      throw new StartRefused("ErrImageNeverPull", message);
    }
    event("Normal", "Pulling", `Pulling image "${image}"`);
    const began = now();
    await runtime.pull(image, signal);
    event("Normal", "Pulled", `Successfully pulled image "${image}" in ${now() - began}ms`);
  } catch (error) {
    if (error instanceof ImageMissing) {
      const message = `Failed to pull image "${image}": ${error.message}`;
      throw new StartRefused("ErrImagePull", message, { cause: error });
    }
    if (error instanceof InvalidImage)
      throw new StartRefused("InvalidImageName", error.message, { cause: error });
    if (error instanceof RuntimeFailure)
      throw new StartRefused("CreateContainerError", error.message, { cause: error });
    throw error;
  }
}

/** Writes the pod's files anew where a ConfigMap or Secret that it mounts, or a token, has changed. */
export async function refreshVolumes(
  context: NodeContext,
  {
    work,
    address,
    sources,
  }: Pick<StartRequest, "work" | "sources"> & { address?: string | undefined },
): Promise<void> {
  const held = await sources.read(work);
  const fields = fieldsIn(context, { work, podAddress: address, held });
  await refreshFiles(podFolder(context.dataDir, work.uid), fields, held.read);
}

function fieldsIn(
  { node, hostAddress, allocatable, network }: NodeContext,
  {
    work,
    podAddress,
    held,
  }: { work: PodWork; podAddress: string | undefined; held: Pick<Held, "readToken"> },
): PodFields {
  const serviceCIDR = network()?.cluster.serviceCIDR;
  const apiAddress = serviceCIDR === undefined ? "" : apiAddressIn(serviceCIDR);
  const { readToken } = held;
  return { work, node, hostAddress, podAddress, allocatable, apiAddress, readToken };
}

async function writeResolvConf(
  folder: string,
  work: PodWork,
  cluster: ClusterFacts,
): Promise<Mount> {
  const source = join(folder, "resolv.conf");
  await mkdir(folder, { recursive: true, mode: 0o700 }); // Secrets come to lie below it.
  const host = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  await writeFile(source, resolvConf(work, cluster, host));
  return { kind: "bind", source, target: "/etc/resolv.conf", readOnly: false };
}
