/** Runs the probes of a pod's running containers, and keeps what they have said. */
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { sandboxName } from "../runtime/runtime.ts";
import { check } from "./check.ts";
import type { ProbeVerdict } from "./facts.ts";
import { checkTarget, containersOf, type PodHands, specOf } from "./hands.ts";
import type { Launch } from "./launch.ts";
import {
  beginProbes,
  dueProbes,
  type ProbeKind,
  type ProbeRuns,
  tookProbe,
  verdictOf,
} from "./probe.ts";
import type { Container } from "./spec.ts";

export type Probing = {
  /** Runs those that are due. @returns when the next one is */
  runDue(now: EpochMs): EpochMs | undefined;
  /** What the probes of each running container have seen. */
  runs(): readonly ProbeRuns[];
  /** By container id. */
  verdicts(): ReadonlyMap<string, ProbeVerdict>;
};

type Held = { readonly name: string; runs: ProbeRuns };

export function probing(hands: PodHands, launch: Launch): Probing {
  const { context, clock, signal } = hands;
  const held = new Map<string, Held>();

  async function run(id: string, container: Container, kind: ProbeKind): Promise<void> {
    const probe = container[`${kind}Probe`];
    if (probe === undefined) return;
    const target = checkTarget(hands, id, container, probe, probe.timeoutSeconds * 1_000);
    const { ok, message } = await check(target, { runtime: context.runtime, clock });
    const state = held.get(id);
    if (state === undefined || signal.aborted) return;
    state.runs = tookProbe(state.runs, kind, ok, clock.now());
    if (ok) return;
    const what = `${kind[0]?.toUpperCase()}${kind.slice(1)}`;
    hands.event("Warning", "Unhealthy", `${what} probe failed: ${message}`, container.name);
  }

  return {
    runDue(now) {
      const running = containersOf(hands).filter(
        ({ state, container }) => state === "running" && container !== sandboxName,
      );
      const ids = new Set(running.map(({ id }) => id));
      for (const id of held.keys()) if (!ids.has(id)) held.delete(id);
      const wakes: EpochMs[] = [];
      for (const { id, container: name, startedAt } of running) {
        const container = specOf(hands, name);
        if (container === undefined) continue;
        const state = held.get(id) ?? { name, runs: beginProbes(container, startedAt ?? now) };
        held.set(id, state);
        const { due, nextAt } = dueProbes(state.runs, now);
        if (nextAt !== undefined) wakes.push(nextAt);
        for (const kind of due) launch.run(`probe:${kind}:${id}`, () => run(id, container, kind));
      }
      return wakes.length === 0 ? undefined : Math.min(...wakes);
    },
    runs: () => [...held.values()].map(({ runs }) => runs),
    verdicts: () =>
      new Map([...held].map(([id, { name, runs }]) => [id, verdictOf(runs, name)] as const)),
  };
}
