/** Ports of its node that a pod takes up, and when two of them collide. */
type Port = {
  readonly containerPort?: number | undefined;
  readonly hostPort?: number | undefined;
  readonly hostIP?: string | undefined;
  readonly protocol?: string | undefined;
};
type Container = {
  readonly restartPolicy?: string | undefined;
  readonly ports?: readonly Port[] | undefined;
};
type Porting = {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[] | undefined;
  readonly hostNetwork?: boolean | undefined;
};

const everywhere = "0.0.0.0";

/**
 * `<protocol>/<port>/<address>` each, as labels and keys hold them; of init containers only those of
 * sidecars. On the node's own network every port that is declared is the node's.
 */
export function hostPortsOf({
  containers,
  initContainers = [],
  hostNetwork,
}: Porting): readonly string[] {
  const kept = initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...containers, ...kept].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, containerPort, hostIP, protocol = "TCP" }) => {
      const port = hostNetwork === true ? (hostPort ?? containerPort) : hostPort;
      if (port === undefined || port === 0) return [];
      return [`${protocol}/${port}/${hostIP === undefined || hostIP === "" ? everywhere : hostIP}`];
    }),
  );
}

/** An address is free unless all or the same are taken. */
export function portsCollide(one: string, other: string): boolean {
  const [protocol, port, address] = one.split("/");
  const [otherProtocol, otherPort, otherAddress] = other.split("/");
  if (protocol !== otherProtocol || port !== otherPort) return false;
  return address === otherAddress || address === everywhere || otherAddress === everywhere;
}
