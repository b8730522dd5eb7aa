import * as z from "zod";

/** What holds for the whole cluster; recorded at `meta.cluster` by whichever service starts first. */
export const clusterSettings = z.object({
  /** Marks everything that the cluster makes on a machine. */
  id: z.string().regex(/^[a-z0-9]{1,8}$/),
  podCIDR: z.string(),
  serviceCIDR: z.string(),
  /** Where cluster DNS answers: the tenth address of the service CIDR. */
  dnsAddress: z.string(),
  domain: z.string(),
  /** First and last port for Services of type NodePort. */
  nodePorts: z.tuple([z.int(), z.int()]),
  /** How long pods stay on a node that is not ready or unreachable when they say nothing. */
  tolerationSeconds: z.number().min(0),
});
export type ClusterSettings = z.output<typeof clusterSettings>;

/** What a service's environment says of a cluster that does not exist yet. */
export const settingsFromEnvironment = z
  .object({
    BERTH_CLUSTER_ID: z
      .string()
      .regex(/^[a-z0-9]{1,8}$/)
      .default("berth"),
    BERTH_POD_CIDR: z.cidrv4().default("10.244.0.0/16"),
    BERTH_SERVICE_CIDR: z.cidrv4().default("10.96.0.0/16"),
    BERTH_CLUSTER_DOMAIN: z.string().default("cluster.local"),
  })
  .transform((env): ClusterSettings => ({
    id: env.BERTH_CLUSTER_ID,
    podCIDR: env.BERTH_POD_CIDR,
    serviceCIDR: env.BERTH_SERVICE_CIDR,
    dnsAddress: addressIn(env.BERTH_SERVICE_CIDR, 10),
    domain: env.BERTH_CLUSTER_DOMAIN,
    nodePorts: [30_000, 32_767],
    tolerationSeconds: 2,
  }));

/** The `nth` address of an IPv4 range; `addressIn("10.96.0.0/16", 10)` is `10.96.0.10`. */
export function addressIn(cidr: string, nth: number): string {
  const { first } = rangeOf(cidr);
  const value = first + nth;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** An IPv4 range as its first address (a number) and how many it holds. */
export function rangeOf(cidr: string): { readonly first: number; readonly size: number } {
  const [address = "", bits = "32"] = cidr.split("/");
  const value = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - Number(bits));
  return { first: value - (value % size), size };
}
