import type { Bus, Served } from "../bus/bus.ts";
import { readMessage } from "../protocol/read-message.ts";
import { controlSubjects, senderOf } from "../protocol/subjects.ts";
import {
  type ContainerUsage,
  nodeUsage,
  type NodeUsage,
  usageMaxAgeMs,
} from "../protocol/usage.ts";
import type { Clock } from "../telemetry/clock.ts";

/** What a pod's containers use, as it was last heard. */
export type ObservedPod = {
  readonly ageMs: number;
  readonly containers: readonly ContainerUsage[];
};
export type ObservedWhole = Omit<ContainerUsage, "name"> & { readonly ageMs: number };

/** Use as this process heard it, each with its age (N1). What is absent is unknown, never zero. */
export interface ObservedUsage {
  /** By the node that the pod is bound to: what another says of it does not count. */
  pod(node: string, uid: string): ObservedPod | undefined;
  node(name: string): ObservedWhole | undefined;
}

/** Remembered a node; the rest of what one tells is dropped. */
const podsMax = 2_000;
const nodesMax = 20_000;

type Told = { readonly atMs: number; readonly containers: readonly ContainerUsage[] };
type Heard = {
  readonly boot: string;
  readonly sequence: number;
  readonly atMs: number;
  readonly whole: (NonNullable<NodeUsage["whole"]> & { readonly atMs: number }) | undefined;
  readonly pods: Map<string, Told>;
};

/** The newest of what nodes tell, for as long as it counts. */
export function observeUsage(
  clock: Clock,
): ObservedUsage & { hear(sender: string, message: NodeUsage): void } {
  const heard = new Map<string, Heard>();
  const isFresh = ({ atMs }: { readonly atMs: number }) =>
    clock.monotonicMs() - atMs <= usageMaxAgeMs;

  /** What is too old goes; a round costs a look at each node, so there is one for each lifetime. */
  let sweptAtMs = clock.monotonicMs();
  function sweep(): void {
    if (clock.monotonicMs() - sweptAtMs < usageMaxAgeMs) return;
    sweptAtMs = clock.monotonicMs();
    for (const [node, one] of heard) {
      if (!isFresh(one)) heard.delete(node);
      for (const [uid, pod] of one.pods) if (!isFresh(pod)) one.pods.delete(uid);
    }
  }

  return {
    hear(sender, { node, boot, sequence, whole, pods }) {
      if (sender !== node) return; // A node speaks for itself alone.
      sweep();
      const known = heard.get(node);
      if (known === undefined && heard.size >= nodesMax) return;
      if (known?.boot === boot && sequence <= known.sequence) return;
      const atMs = clock.monotonicMs();
      const told = known?.pods ?? new Map<string, Told>();
      for (const { uid, containers } of pods) {
        if (told.size < podsMax || told.has(uid)) told.set(uid, { atMs, containers });
      }
      const newest = whole === undefined ? known?.whole : { ...whole, atMs };
      heard.set(node, { boot, sequence, atMs, whole: newest, pods: told });
    },
    pod(node, uid) {
      const told = heard.get(node)?.pods.get(uid);
      if (told === undefined || !isFresh(told)) return undefined;
      return { ageMs: clock.monotonicMs() - told.atMs, containers: told.containers };
    },
    node(name) {
      const whole = heard.get(name)?.whole;
      if (whole === undefined || !isFresh(whole)) return undefined;
      const { atMs, ...used } = whole;
      return { ...used, ageMs: clock.monotonicMs() - atMs };
    },
  };
}

/** Listens to every node; what cannot be read counts as not heard. */
export async function listenToUsage(
  bus: Bus,
  observed: ReturnType<typeof observeUsage>,
): Promise<Served> {
  return bus.subscribe(controlSubjects("usage"), ({ subject, data }) => {
    const message = readMessage(nodeUsage, data);
    if (message !== undefined) observed.hear(senderOf(subject), message);
  });
}
