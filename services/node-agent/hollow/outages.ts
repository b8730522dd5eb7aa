/**
 * Which hollow nodes are off, as if their power were cut: a file says it, so that whoever tries a cluster
 * can cut one, or a zone, and bring it back.
 *
 *     echo hollow-7 > .berth/hollow/off                                # its agent is silent, its containers are gone
 *     echo topology.kubernetes.io/zone=zone-2 >> .berth/hollow/off     # and all of that zone
 *     rm .berth/hollow/off                                             # all are back, and empty
 */
import type { HollowNode } from "./options.ts";

/** A line is a node's name, or a label that it has: `name=value`. */
export function isOff(lines: ReadonlySet<string>, { name, labels }: HollowNode): boolean {
  if (lines.size === 0) return false;
  if (lines.has(name)) return true;
  return Object.entries(labels).some(([label, value]) => lines.has(`${label}=${value}`));
}

export const linesIn = (text: string): ReadonlySet<string> =>
  new Set(text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()])));

/** A switch that others turn, and what waits for it. */
export type Power = {
  /** Aborts when the node goes off; a new one each time that it comes on. */
  readonly on: AbortSignal;
  isOn(): boolean;
  /** Resolves once it is on. */
  untilOn(): Promise<void>;
  turn(to: "on" | "off"): void;
};

export function power(): Power {
  let on = new AbortController();
  let waiting = Promise.withResolvers<void>();
  waiting.resolve();
  return {
    get on() {
      return on.signal;
    },
    isOn: () => !on.signal.aborted,
    untilOn: () => waiting.promise,
    turn(to) {
      if (to === "off" && !on.signal.aborted) {
        waiting = Promise.withResolvers();
        on.abort();
      } else if (to === "on" && on.signal.aborted) {
        on = new AbortController();
        waiting.resolve();
      }
    },
  };
}
