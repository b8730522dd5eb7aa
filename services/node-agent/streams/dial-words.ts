/** Why a port could not be dialled, in the words of Kubernetes' own components. */
export function dialFailure(
  network: "tcp" | "tcp4" | "tcp6",
  { host, port }: { readonly host: string; readonly port: number },
  error: unknown,
): string {
  const { code, message } = error as NodeJS.ErrnoException; // As net's errors are.
  const place = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const why = code === undefined ? undefined : words[code];
  return `dial ${network} ${place}: ${why ?? message}`;
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  EADDRNOTAVAIL: "connect: cannot assign requested address",
  ETIMEDOUT: "i/o timeout",
};
