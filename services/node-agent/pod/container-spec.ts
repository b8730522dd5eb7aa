/** What the runtime is asked to make of a container of a pod. Pure. */
import { hostPortsOf } from "../../../libs/model/pod/host-ports.ts";
import { type ContainerSpec, type Identity, type Mount, sandboxName } from "../runtime/runtime.ts";
import { expand } from "./environment.ts";
import { qosOf } from "../../../libs/model/pod/qos.ts";
import { quantityNumber } from "../../../libs/model/quantity.ts";
import { type Container, lasting, type PodSpec, type PodWork } from "./spec.ts";
import { sizeOf } from "./size.ts";
import { hashOf } from "./spec-hash.ts";

export type Placed = {
  readonly work: PodWork;
  readonly address: string | undefined;
  readonly network: string;
  /** The container whose network it joins: the sandbox, or for an ephemeral one what there is. */
  readonly sandboxId: string | undefined;
  /** The container whose processes it sees beside its own. */
  readonly processesOf?: string | undefined;
  readonly attempt: number;
  readonly failures: number;
  /** Bytes of the node's memory, which the kernel's choice of victims is scaled by. */
  readonly nodeMemoryBytes: number;
};

export function containerSpec(
  container: Container,
  placed: Placed,
  env: ReadonlyMap<string, string>,
  mounts: readonly Mount[],
): ContainerSpec {
  const { work } = placed;
  const { spec } = work;
  const own = container.securityContext ?? {};
  const pod = spec.securityContext ?? {};
  const user = own.runAsUser ?? pod.runAsUser;
  const group = own.runAsGroup ?? pod.runAsGroup;
  const groups = [
    ...(pod.supplementalGroups ?? []),
    ...(pod.fsGroup === undefined ? [] : [pod.fsGroup]),
  ];
  const expanded = (texts: readonly string[] | undefined) =>
    texts?.map((text) => expand(text, env));
  return {
    ...shared(placed, container.name, hashOf(container)),
    image: container.image,
    command: expanded(container.command),
    args: expanded(container.args),
    env: [...env].map(([name, value]) => `${name}=${value}`),
    workingDir: container.workingDir,
    mounts,
    ports: placed.sandboxId === undefined && !spec.hostNetwork ? portsOf([container]) : [],
    size: sizeOf(container),
    oomScoreAdj: oomScoreAdj(container, placed),
    user: user === undefined ? undefined : group === undefined ? `${user}` : `${user}:${group}`,
    groups: groups.map(String),
    privileged: own.privileged ?? false,
    readOnly: own.readOnlyRootFilesystem ?? false,
    noNewPrivileges: own.allowPrivilegeEscalation === false,
    capAdd: own.capabilities?.add ?? [],
    capDrop: own.capabilities?.drop ?? [],
    stdin: container.stdin,
    stdinOnce: container.stdinOnce,
    tty: container.tty,
  };
}

/** Holds a pod's network namespace while its containers come and go. */
export const sandboxSpec = (
  placed: Omit<Placed, "sandboxId">,
  image: string,
  mounts: readonly Mount[],
): ContainerSpec => ({
  ...shared({ ...placed, sandboxId: undefined }, sandboxName, "1"),
  image,
  command: undefined,
  args: undefined,
  env: [],
  workingDir: undefined,
  mounts,
  ports: portsOf(lasting(placed.work.spec)),
  size: sizeOf({ resources: {} }),
  oomScoreAdj: 0,
  user: undefined,
  groups: [],
  privileged: false,
  readOnly: true,
  noNewPrivileges: true,
  capAdd: [],
  capDrop: ["ALL"],
  stdin: false,
  stdinOnce: false,
  tty: false,
});

function shared(
  { work, address, network, sandboxId, processesOf, attempt, failures }: Placed,
  name: string,
  specHash: string,
) {
  const { spec } = work;
  const identity: Identity = {
    namespace: work.namespace,
    pod: work.name,
    uid: work.uid,
    container: name,
    attempt,
    failures,
    specHash,
    address: spec.hostNetwork ? undefined : address,
    hostPorts: hostPortsOf(spec),
  };
  return {
    identity,
    network: networkOf(spec.hostNetwork, sandboxId, network, address),
    processes: processesIn(spec, processesOf),
    hostIpc: spec.hostIPC,
    hostname: spec.hostNetwork ? undefined : (spec.hostname ?? work.name).slice(0, 63),
    extraHosts: spec.hostAliases.flatMap(({ ip, hostnames }) =>
      hostnames.map((one) => `${one}:${ip}`),
    ),
    sysctls: Object.fromEntries(
      (spec.securityContext?.sysctls ?? []).map((one) => [one.name, one.value]),
    ),
  };
}

function networkOf(
  onHost: boolean,
  sandboxId: string | undefined,
  network: string,
  address: string | undefined,
): ContainerSpec["network"] {
  if (onHost || address === undefined) return { mode: "host" };
  if (sandboxId !== undefined) return { mode: "join", sandboxId };
  return { mode: "pod", network, address };
}

function processesIn({ hostPID }: PodSpec, of: string | undefined): ContainerSpec["processes"] {
  if (of !== undefined) return { mode: "join", id: of };
  return { mode: hostPID ? "host" : "own" };
}

const portsOf = (containers: readonly Container[]): ContainerSpec["ports"] =>
  containers.flatMap(({ ports }) =>
    ports.flatMap(({ containerPort, hostPort, hostIP, protocol }) =>
      hostPort === undefined || hostPort === 0
        ? []
        : [{ containerPort, hostPort, protocol, hostIP: hostIP ?? "" }],
    ),
  );

/**
 * As the kubelet's, but never below 0: lowering it takes a capability that engines in containers lack.
 *
 * @see https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#node-out-of-memory-behavior
 */
function oomScoreAdj({ resources }: Container, { work, nodeMemoryBytes }: Placed): number {
  const qos = qosOf(work.spec);
  if (qos === "Guaranteed") return 0;
  if (qos === "BestEffort") return 1_000;
  const asked = quantityNumber(resources.requests?.["memory"]) / Math.max(nodeMemoryBytes, 1);
  return Math.min(Math.max(Math.floor(1_000 - 1_000 * asked), 3), 999);
}
