/** What a machine's lb and the controllers say to each other, over `berth.ctl._<machine>.*`. JSON. */
import * as z from "zod";
import { clusterFacts } from "./node.ts";

const revision = z.int().min(0);

/**
 * Sent every second, and at once after each change that was applied: it is the acknowledgement that
 * drains wait for (N6). Every controllers instance hears it; one answers.
 */
export const lbHeartbeat = z.object({
  machine: z.string(),
  /** New at each start. */
  boot: z.string(),
  /** The machine's rules equal Services and slices as of this revision; 0 before the first full sync. */
  applied: revision,
  /**
   * The `ServiceDigest` of what the rules were made of. It proves `applied`: a hint that was lost
   * before a later one arrived would otherwise go unnoticed, and a drain be answered too early.
   */
  digest: z.string(),
});
export type LbHeartbeat = z.output<typeof lbHeartbeat>;

export const lbHeartbeatReply = z.object({
  /** The last revision of any Service or EndpointSlice; above `applied`: ask for a snapshot. */
  lastRevision: revision,
  /** The digest was not that of `applied`: something was lost, ask for a snapshot. */
  differs: z.boolean(),
  cluster: clusterFacts,
});
export type LbHeartbeatReply = z.output<typeof lbHeartbeatReply>;

export const lbSnapshotRequest = z.object({ machine: z.string(), applied: revision });
export type LbSnapshotRequest = z.output<typeof lbSnapshotRequest>;
/** Objects in storage form, each with the revision of its key. */
const held = z.object({ revision, object: z.looseObject({}) });
export const lbSnapshot = z.object({
  cut: revision,
  services: z.array(held),
  slices: z.array(held),
  /** Name, addresses and pod CIDR of every node. */
  nodes: z.array(
    z.object({ name: z.string(), addresses: z.array(z.string()), podCIDR: z.string().optional() }),
  ),
});
export type LbSnapshot = z.output<typeof lbSnapshot>;
