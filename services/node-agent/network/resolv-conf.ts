import type { ClusterFacts } from "../../../libs/protocol/node.ts";
import type { PodWork } from "../pod/spec.ts";

/** The kernel's libraries read no more. */
const nameserversMax = 3;

/**
 * A pod's `/etc/resolv.conf`.
 *
 * @param host the machine's own
 * @see https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy
 */
export function resolvConf(
  { namespace, spec }: PodWork,
  cluster: ClusterFacts,
  host: string,
): string {
  const inCluster =
    spec.dnsPolicy === "ClusterFirstWithHostNet" ||
    (spec.dnsPolicy === "ClusterFirst" && !spec.hostNetwork);
  const base = inCluster
    ? inClusterBase(namespace, cluster, host)
    : spec.dnsPolicy === "None"
      ? { nameservers: [], searches: [], options: [] }
      : {
          nameservers: read(host, "nameserver"),
          searches: read(host, "search"),
          options: read(host, "options"),
        };
  const own = spec.dnsConfig ?? {};
  const options = new Map(
    [
      ...base.options,
      ...(own.options ?? []).map(({ name, value }) =>
        value === undefined ? name : `${name}:${value}`,
      ),
    ].map((option) => [option.split(":")[0], option] as const),
  );
  const nameservers = [...new Set([...base.nameservers, ...(own.nameservers ?? [])])];
  const searches = [...new Set([...base.searches, ...(own.searches ?? [])])];
  return [
    ...nameservers.slice(0, nameserversMax).map((address) => `nameserver ${address}`),
    ...(searches.length > 0 ? [`search ${searches.join(" ")}`] : []),
    ...(options.size > 0 ? [`options ${[...options.values()].join(" ")}`] : []),
    "",
  ].join("\n");
}

const inClusterBase = (namespace: string, { dnsAddress, domain }: ClusterFacts, host: string) => ({
  nameservers: [dnsAddress],
  searches: [`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...read(host, "search")],
  options: ["ndots:5"],
});

const read = (text: string, word: string): string[] =>
  text.split("\n").flatMap((line) => {
    const [first, ...rest] = line.trim().split(/\s+/);
    return first === word ? rest : [];
  });
