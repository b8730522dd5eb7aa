import * as z from "zod";
import { addressIn } from "../model/address-range.ts";

/** How the schedulers choose between nodes that take a pod. */
const choice = z.object({
  /** Whether nodes fill evenly, or one after the other so that some stay empty. */
  strategy: z.enum(["LeastAllocated", "MostAllocated"]).default("LeastAllocated"),
  /** Labels of nodes over whose values the pods of one owner are spread, as far as it can be. */
  defaultSpread: z
    .array(z.string())
    .default(["kubernetes.io/hostname", "topology.kubernetes.io/zone"]),
});
const scheduling = choice.extend({
  /** Whether pods that do not say otherwise are moved when the cluster has drifted. */
  rebalance: z.boolean().default(false),
});
export type SchedulingSettings = z.output<typeof choice>;
export const defaultScheduling: SchedulingSettings = choice.parse({});

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
  scheduling: scheduling.prefault({}),
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
    BERTH_SCHEDULING_STRATEGY: choice.shape.strategy,
    /** Labels between commas; none: owners do not matter. */
    BERTH_DEFAULT_SPREAD: z
      .string()
      .transform((text) => text.split(",").filter((label) => label !== ""))
      .optional(),
    BERTH_REBALANCE: z.enum(["on", "off"]).default("off"),
  })
  .transform((env): ClusterSettings => ({
    id: env.BERTH_CLUSTER_ID,
    podCIDR: env.BERTH_POD_CIDR,
    serviceCIDR: env.BERTH_SERVICE_CIDR,
    dnsAddress: addressIn(env.BERTH_SERVICE_CIDR, 10),
    domain: env.BERTH_CLUSTER_DOMAIN,
    nodePorts: [30_000, 32_767],
    tolerationSeconds: 2,
    scheduling: scheduling.parse({
      strategy: env.BERTH_SCHEDULING_STRATEGY,
      defaultSpread: env.BERTH_DEFAULT_SPREAD,
      rebalance: env.BERTH_REBALANCE === "on",
    }),
  }));
