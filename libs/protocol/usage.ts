/**
 * What a node's containers use: plain messages on `berth.ctl.<node>.usage`, every `usagePeriodMs`.
 * Nobody answers, none is kept on disk; every instance of whatever decides or shows hears them all.
 */
import * as z from "zod";

export const usagePeriodMs = 2_000;
/** What was not heard again for so long is not known any more (N1). */
export const usageMaxAgeMs = 15_000;
/** A node with more sends several messages. */
export const usagePodsMax = 100;
export const usageContainersMax = 500;

const amount = z.number().min(0);

const containerUsage = z.object({
  name: z.string(),
  /** Billionths of a CPU, the mean of the last `windowMs`. */
  cpuNanoCores: amount,
  windowMs: amount,
  /** The working set: what cannot be given back at once. */
  memoryBytes: amount,
});
export type ContainerUsage = z.output<typeof containerUsage>;

const podUsage = z.object({
  namespace: z.string(),
  name: z.string(),
  uid: z.string(),
  containers: z.array(containerUsage),
});
export type PodUsage = z.output<typeof podUsage>;

export const nodeUsage = z.object({
  node: z.string(),
  /** New at each start of the agent. */
  boot: z.string(),
  /** Rises by one with each message of a boot: a later one is never undone by an earlier one. */
  sequence: z.int().min(1),
  /** Of the node as a whole, in one message of each round. */
  whole: containerUsage.omit({ name: true }).optional(),
  pods: z.array(podUsage).max(usagePodsMax),
});
export type NodeUsage = z.output<typeof nodeUsage>;

/** The pods in as many parts as messages must bear them. */
export function usageParts(pods: readonly PodUsage[]): readonly (readonly PodUsage[])[] {
  const parts: PodUsage[][] = [[]];
  let containers = 0;
  for (const pod of pods) {
    const part = parts.at(-1) ?? [];
    const full = part.length >= usagePodsMax;
    const wide = containers + pod.containers.length > usageContainersMax && part.length > 0;
    if (full || wide) {
      parts.push([pod]);
      containers = pod.containers.length;
    } else {
      part.push(pod);
      containers += pod.containers.length;
    }
  }
  return parts;
}
