import type { Bus } from "../../../libs/bus/bus.ts";
import { controlSubject } from "../../../libs/protocol/subjects.ts";
import {
  type NodeUsage,
  type PodUsage,
  usageParts,
  usagePeriodMs,
} from "../../../libs/protocol/usage.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { type ContainerRuntime, sandboxName } from "../runtime/runtime.ts";
import { type Rate, rates } from "./rates.ts";

export type UsageOptions = {
  readonly node: string;
  readonly boot: string;
  readonly runtime: Pick<ContainerRuntime, "containers" | "usage">;
  /** Of the whole machine, when it is one node; otherwise the node is what its containers are. */
  readonly machine:
    | (() => Promise<{ readonly cpuNanoseconds: number; readonly memoryBytes: number }>)
    | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** No container's id. */
const wholeId = "";

/** Tells what the node's containers use, until disposed. What is not known is not told (N1). */
export function reportUsage(bus: Bus, options: UsageOptions): AsyncDisposable {
  const { node, boot, runtime, clock, log } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, options.signal]);
  const measured = rates();
  let sequence = 0;

  async function round(): Promise<void> {
    const [used, whole] = await Promise.all([runtime.usage(), options.machine?.()]);
    const atMs = clock.monotonicMs();
    const known = new Map<string, Rate>();
    for (const { id, ...sample } of used) {
      const rate = measured.next(id, sample);
      if (rate !== undefined) known.set(id, rate);
    }
    const machine = whole && measured.next(wholeId, { ...whole, atMs });
    measured.keep(new Set([wholeId, ...used.map(({ id }) => id)]));
    const total = options.machine === undefined ? sumOf([...known.values()]) : machine;
    for (const [nth, pods] of usageParts(podsOf(runtime, known)).entries()) {
      if (pods.length === 0 && total === undefined) return;
      sequence += 1;
      const ofAll = nth === 0 && total !== undefined ? { whole: total } : {};
      const message: NodeUsage = { node, boot, sequence, ...ofAll, pods: [...pods] };
      bus.publish(controlSubject(node, "usage"), new TextEncoder().encode(JSON.stringify(message)));
    }
  }

  async function rounds(): Promise<void> {
    while (!signal.aborted) {
      const begunMs = clock.monotonicMs();
      try {
        await round();
      } catch (error) {
        log.debug({ err: error }, "what the containers use could not be read");
      }
      const tookMs = clock.monotonicMs() - begunMs;
      await clock.sleep(Math.max(usagePeriodMs - tookMs, usagePeriodMs / 4), signal);
    }
  }
  const running = rounds();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

/** What is known of each pod. A container without a rate is left out; the reader sees it missing. */
function podsOf(
  runtime: Pick<ContainerRuntime, "containers">,
  known: ReadonlyMap<string, Rate>,
): readonly PodUsage[] {
  const pods = new Map<string, PodUsage>();
  for (const { id, uid, namespace, pod: name, container } of runtime.containers()) {
    const rate = known.get(id);
    if (rate === undefined || container === sandboxName) continue;
    const pod = pods.get(uid) ?? { namespace, name, uid, containers: [] };
    pods.set(uid, pod);
    pod.containers.push({ name: container, ...rate });
  }
  return [...pods.values()];
}

/** The whole of a node that is a part of its machine; undefined while nothing runs there. */
function sumOf(all: readonly Rate[]): Rate | undefined {
  if (all.length === 0) return undefined;
  return all.reduce((sum, one) => ({
    cpuNanoCores: sum.cpuNanoCores + one.cpuNanoCores,
    memoryBytes: sum.memoryBytes + one.memoryBytes,
    windowMs: Math.max(sum.windowMs, one.windowMs),
  }));
}
