import * as z from "zod";

/** What the environment tells a service of the control plane of NATS. */
export const natsEnvironment = {
  /** Servers' URLs, separated by commas. */
  BERTH_NATS_URL: z.string().default("nats://127.0.0.1:4222"),
  /** Copies of each stream, where it is made: 3 in a cluster of three servers. */
  BERTH_NATS_REPLICAS: z.coerce.number().int().min(1).max(5).default(1),
};
