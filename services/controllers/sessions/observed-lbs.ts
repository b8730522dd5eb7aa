import type { LbHeartbeat } from "../../../libs/protocol/lb.ts";
import type { Revision } from "../../../libs/store/store.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";

/** An lb that is silent for so long does not count any more (N6). */
export const lbSilenceMs = 3_000;

/** What this instance has heard of the machines' lbs: observations, with their age (N1). */
export interface ObservedLbs {
  /** The lbs heard within `lbSilenceMs`. */
  alive(): readonly { readonly machine: string; readonly applied: Revision }[];
  /** Whether this instance has listened for long enough to know all that are alive (N6). */
  settled(): boolean;
  /** Calls `listener` when an lb appears or has applied more. */
  onChange(listener: () => void): Disposable;
}

type Heard = { readonly boot: string; readonly atMs: number; readonly applied: Revision };

/** @param heardForMs for how long this instance has listened without a break */
export function observeLbs(
  clock: Clock,
  heardForMs: () => number,
): ObservedLbs & {
  /** It is alive; a new boot has applied nothing until that is proven (N6). */
  hear(heartbeat: Pick<LbHeartbeat, "machine" | "boot">): void;
  /** That boot of it has applied all up to `applied`. */
  acknowledge(heartbeat: Pick<LbHeartbeat, "machine" | "boot">, applied: Revision): void;
} {
  const heard = new Map<string, Heard>();
  const listeners = new Set<() => void>();
  const changed = () => {
    for (const listener of listeners) listener();
  };
  return {
    hear({ machine, boot }) {
      const known = heard.get(machine);
      const applied = known?.boot === boot ? known.applied : 0;
      heard.set(machine, { boot, applied, atMs: clock.monotonicMs() });
      for (const [name, { atMs }] of heard) {
        if (clock.monotonicMs() - atMs > lbSilenceMs) heard.delete(name);
      }
      if (known?.boot !== boot) changed();
    },
    acknowledge({ machine, boot }, applied) {
      const known = heard.get(machine);
      if (known?.boot !== boot || known.applied >= applied) return;
      heard.set(machine, { ...known, applied });
      changed();
    },
    alive: () =>
      [...heard]
        .filter(([, { atMs }]) => clock.monotonicMs() - atMs <= lbSilenceMs)
        .map(([machine, { applied }]) => ({ machine, applied })),
    settled: () => heardForMs() >= lbSilenceMs,
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
}
