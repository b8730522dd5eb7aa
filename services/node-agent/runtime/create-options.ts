import type Docker from "dockerode";
import { labelsOf, memoryRequestLabel, uidLabel } from "./labels.ts";
import {
  type ContainerSpec,
  type Identity,
  type Mount,
  sandboxName,
  type Size,
} from "./runtime.ts";

/** Unique on an engine: the cluster, the pod's uid, the container and its attempt. */
export const containerName = (
  cluster: string,
  { namespace, pod, container, uid, attempt }: Identity,
) =>
  `berth-${cluster}_${container === sandboxName ? "sandbox" : container}_${pod}_${namespace}_${uid}_${attempt}`;

/** Logs kept of one container: two files of 10 MiB. */
const logConfig = { Type: "json-file", Config: { "max-size": "10m", "max-file": "2" } };

/** A volume of the engine: it is there while a container that mounts it runs. */
const memoryMount = (
  { name, sizeBytes, target, readOnly }: Extract<Mount, { kind: "memory" }>,
  cluster: string,
  uid: string,
  owner: Readonly<Record<string, string>>,
): Docker.MountSettings => ({
  Type: "volume",
  Source: `berth-${cluster}_${uid}_${name}`,
  Target: target,
  ReadOnly: readOnly,
  VolumeOptions: {
    NoCopy: true,
    Labels: { ...owner, [uidLabel]: uid },
    DriverConfig: {
      Name: "local",
      Options: {
        type: "tmpfs",
        device: "tmpfs",
        o: sizeBytes > 0 ? `mode=777,size=${sizeBytes}` : "mode=777",
      },
    },
  },
});

/** As an engine makes a container of a size, and as it changes one: what is 0 stays as it is. */
export const sizeOptions = ({ cpuShares, cpuQuota, memoryBytes }: Size) => ({
  CpuShares: cpuShares,
  ...(cpuQuota > 0 && { CpuPeriod: 100_000, CpuQuota: cpuQuota }),
  ...(memoryBytes > 0 && { Memory: memoryBytes, MemorySwap: memoryBytes }),
});

export function createOptions(
  spec: ContainerSpec,
  cluster: string,
  owner: Readonly<Record<string, string>>,
): Docker.ContainerCreateOptions {
  const { network, identity, processes } = spec;
  const joins = network.mode === "join";
  const exposed = spec.ports.map(
    ({ containerPort, protocol }) => `${containerPort}/${protocol.toLowerCase()}`,
  );
  const published = spec.ports.map(({ hostPort, hostIP }, nth) => [
    exposed[nth] ?? "",
    [{ HostPort: String(hostPort), HostIp: hostIP }],
  ]);
  return {
    name: containerName(cluster, identity),
    Image: spec.image,
    Labels: { ...labelsOf(identity), ...memoryRequestLabel(spec.size), ...owner },
    Env: [...spec.env],
    ...(spec.command && { Entrypoint: [...spec.command] }),
    ...(spec.args && { Cmd: [...spec.args] }),
    ...(spec.workingDir !== undefined && { WorkingDir: spec.workingDir }),
    ...(spec.user !== undefined && { User: spec.user }),
    ...(spec.hostname !== undefined && !joins && { Hostname: spec.hostname }),
    ...(exposed.length > 0 && {
      ExposedPorts: Object.fromEntries(exposed.map((port) => [port, {}])),
    }),
    Tty: spec.tty,
    OpenStdin: spec.stdin,
    StdinOnce: spec.stdinOnce,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    HostConfig: {
      NetworkMode:
        network.mode === "pod"
          ? network.network
          : network.mode === "join"
            ? `container:${network.sandboxId}`
            : "host",
      ...(processes.mode === "host" && { PidMode: "host" }),
      ...(processes.mode === "join" && { PidMode: `container:${processes.id}` }),
      ...(spec.hostIpc && { IpcMode: "host" }),
      Binds: spec.mounts.flatMap((mount) =>
        mount.kind === "bind"
          ? [`${mount.source}:${mount.target}${mount.readOnly ? ":ro" : ""}`]
          : [],
      ),
      Mounts: spec.mounts.flatMap((mount) =>
        mount.kind === "memory" ? [memoryMount(mount, cluster, identity.uid, owner)] : [],
      ),
      ...(published.length > 0 && { PortBindings: Object.fromEntries(published) as object }),
      ...(spec.extraHosts.length > 0 && !joins && { ExtraHosts: [...spec.extraHosts] }),
      ...sizeOptions(spec.size),
      OomScoreAdj: spec.oomScoreAdj,
      Privileged: spec.privileged,
      ReadonlyRootfs: spec.readOnly,
      CapAdd: [...spec.capAdd],
      CapDrop: [...spec.capDrop],
      GroupAdd: [...spec.groups],
      ...(spec.noNewPrivileges && { SecurityOpt: ["no-new-privileges"] }),
      ...(!joins && { Sysctls: { ...spec.sysctls } }),
      RestartPolicy: { Name: "no" },
      LogConfig: logConfig,
    },
    ...(network.mode === "pod" && {
      NetworkingConfig: {
        EndpointsConfig: {
          [network.network]: { IPAMConfig: { IPv4Address: network.address } },
        },
      },
    }),
  };
}
