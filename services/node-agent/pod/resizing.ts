/** Gives a pod's running containers the sizes that they are to have, and remembers what failed. */
import { RuntimeFailure, type Size } from "../runtime/runtime.ts";
import { backoffMs } from "./backoff.ts";
import type { ResizeTrial } from "./facts.ts";
import { containersOf, type PodHands } from "./hands.ts";
import type { Action } from "./plan.ts";

export type Resizing = {
  resize(action: Extract<Action, { do: "resize" }>): Promise<void>;
  /** By container id, of those that are there. */
  trials(): ReadonlyMap<string, ResizeTrial>;
};

export function resizing(hands: PodHands): Resizing {
  const { context, clock } = hands;
  const { runtime } = context;
  const trials = new Map<string, ResizeTrial>();
  const failures = new Map<string, number>();

  /** A limit below what is used would end the container. */
  async function refuseBelowUse(id: string, { memoryBytes }: Size): Promise<void> {
    const had = containersOf(hands).find((one) => one.id === id)?.size.memoryBytes ?? 0;
    if (memoryBytes === 0 || (had > 0 && memoryBytes >= had)) return;
    const used = (await runtime.usage()).find((one) => one.id === id)?.memoryBytes ?? 0;
    if (used <= memoryBytes) return;
    throw new RuntimeFailure(
      `attempting to set container memory limit (${memoryBytes}) below current usage (${used})`,
    );
  }

  return {
    async resize({ id, container, size }) {
      try {
        await refuseBelowUse(id, size);
        await runtime.resize(id, size);
        trials.set(id, { size, failed: undefined });
        failures.delete(id);
        hands.event("Normal", "ResizeCompleted", `Pod resize completed: ${container}`, container);
      } catch (error) {
        if (!(error instanceof RuntimeFailure)) throw error;
        const { message } = error;
        const nth = (failures.get(id) ?? 0) + 1;
        failures.set(id, nth);
        const isNews = trials.get(id)?.failed?.message !== message;
        trials.set(id, { size, failed: { message, retryAt: clock.now() + backoffMs(nth) } });
        if (isNews)
          hands.event("Warning", "ResizeError", `Pod resize error: ${message}`, container);
      }
    },
    trials() {
      const there = new Set(containersOf(hands).map(({ id }) => id));
      for (const id of trials.keys()) if (!there.has(id)) trials.delete(id);
      for (const id of failures.keys()) if (!there.has(id)) failures.delete(id);
      return trials;
    },
  };
}
