import type { Identity, Size } from "./runtime.ts";

const prefix = "berth.dev/";
/** On every container and network: whose it is. */
export const clusterLabel = `${prefix}cluster`;
export const nodeLabel = `${prefix}node`;

/** Whose a volume is. */
export const uidLabel = `${prefix}uid`;

type Labels = Readonly<Record<string, string>>;

export const labelsOf = (identity: Identity): Labels => ({
  [`${prefix}namespace`]: identity.namespace,
  [`${prefix}pod`]: identity.pod,
  [uidLabel]: identity.uid,
  [`${prefix}container`]: identity.container,
  [`${prefix}attempt`]: String(identity.attempt),
  [`${prefix}failures`]: String(identity.failures),
  [`${prefix}spec-hash`]: identity.specHash,
  [`${prefix}host-ports`]: identity.hostPorts.join(","),
  ...(identity.address !== undefined && { [`${prefix}address`]: identity.address }),
});

/** Undefined: not a pod's container. */
export function identityOf(labels: Labels): Identity | undefined {
  const read = (name: string) => labels[prefix + name];
  const [uid, container] = [read("uid"), read("container")];
  if (uid === undefined || container === undefined) return undefined;
  return {
    namespace: read("namespace") ?? "",
    pod: read("pod") ?? "",
    uid,
    container,
    attempt: Number(read("attempt") ?? 0),
    failures: Number(read("failures") ?? 0),
    specHash: read("spec-hash") ?? "",
    address: read("address"),
    hostPorts: (read("host-ports") ?? "").split(",").filter((port) => port !== ""),
  };
}

const memoryRequest = `${prefix}memory-request`;

/** What was requested of memory as a container was made: no engine keeps that. */
export const memoryRequestLabel = ({ memoryRequestBytes: bytes }: Size): Labels =>
  bytes === undefined ? {} : { [memoryRequest]: String(bytes) };

export const memoryRequestIn = (labels: Labels): number | undefined =>
  labels[memoryRequest] === undefined ? undefined : Number(labels[memoryRequest]);
