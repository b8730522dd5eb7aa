/** How long a node goes without a daemon whose pods keep failing there. */
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";

const firstMs = 1_000;
const longestMs = 15 * 60_000;

/**
 * When a failed pod was last ended on a node, and how long its successor stays if that fails too. An
 * instance remembers it, and no other: where it is lost, a pod is made again too soon (N1).
 */
export type Failures = ReadonlyMap<string, { readonly endedAt: EpochMs; readonly waitMs: number }>;
export type Memory = { readonly generation: number | undefined; readonly failures: Failures };

/** What is remembered of this generation; another one may fail or not for reasons of its own. */
export function failuresIn(remembered: unknown, generation: number | undefined): Failures {
  const memory = remembered as Memory | undefined; // What `decide` gave to remember.
  return memory?.generation === generation ? (memory?.failures ?? none) : none;
}
const none: Failures = new Map();

/** Until when a failed pod stays on the node. */
export function keptUntil(failures: Failures, node: string): EpochMs {
  const known = failures.get(node);
  return known === undefined ? 0 : known.endedAt + known.waitMs;
}

/**
 * With failed pods ended now: at once the first time, then after 1 s, 2 s … 15 min. What is long past
 * is forgotten.
 *
 * @param nodes where they were
 * @see https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/daemon/daemon_controller.go
 */
export function withEnded(failures: Failures, nodes: readonly string[], now: EpochMs): Failures {
  const recent = [...failures].filter(([, { endedAt }]) => now - endedAt <= 2 * longestMs);
  const next = new Map(recent);
  for (const node of nodes) {
    const known = next.get(node);
    const waitMs = known === undefined ? firstMs : Math.min(known.waitMs * 2, longestMs);
    next.set(node, { endedAt: now, waitMs });
  }
  return next;
}
