/** The machine as the Node object shows it. */
import { readFile, statfs } from "node:fs/promises";
import { availableParallelism, hostname, networkInterfaces, release, totalmem } from "node:os";
import type { NodeFacts } from "../../../libs/protocol/node.ts";
import { volumesFolder } from "../pod/folder.ts";

export type FactsOptions = {
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the machine's capacity, when several nodes share it; 1: all of it. */
  readonly share: number;
  /** What it has otherwise than the machine, by resource. */
  readonly capacity?: Readonly<Record<string, string>>;
  readonly dataDir: string;
  readonly engine: { readonly id: string; readonly version: string };
};

const podsMax = 110;
const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

export async function readFacts({
  node,
  labels,
  share,
  capacity: otherwise,
  dataDir,
  engine,
}: FactsOptions): Promise<NodeFacts> {
  const disk = await statfs(dataDir);
  const capacity = {
    cpu: `${Math.floor(availableParallelism() * 1_000 * share)}m`,
    memory: `${Math.floor((totalmem() / 1_024) * share)}Ki`,
    pods: String(podsMax),
    "ephemeral-storage": `${Math.floor(((disk.blocks * disk.bsize) / 1_024) * share)}Ki`,
    ...otherwise,
  };
  const architecture = architectures[process.arch] ?? process.arch;
  const [machineID, bootID, osRelease] = await Promise.all(
    ["/etc/machine-id", "/proc/sys/kernel/random/boot_id", "/etc/os-release"].map(readText),
  );
  return {
    engineId: engine.id,
    labels: {
      "kubernetes.io/hostname": node,
      "kubernetes.io/os": "linux",
      "kubernetes.io/arch": architecture,
      ...labels,
    },
    addresses: [
      { type: "InternalIP", address: machineAddress() },
      { type: "Hostname", address: node },
    ],
    capacity,
    allocatable: capacity,
    volumesFolder: volumesFolder(dataDir),
    nodeInfo: {
      architecture,
      bootID: bootID ?? "",
      containerRuntimeVersion: engine.version,
      kernelVersion: release(),
      kubeProxyVersion: "",
      kubeletVersion: "v1.34.0-berth",
      machineID: machineID ?? hostname(),
      operatingSystem: "linux",
      osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease ?? "")?.[1] ?? "Linux",
      systemUUID: machineID ?? "",
    },
  };
}

/** The first address of the machine that is no bridge's, loopback when it has no other. */
function machineAddress(): string {
  const bridges = /^(lo|docker|br-|bt|veth|vx)/;
  const found = Object.entries(networkInterfaces())
    .filter(([name]) => !bridges.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal);
  return found?.address ?? "127.0.0.1";
}

const readText = async (path: string) => (await readFile(path, "utf8").catch(() => "")).trim();
