/** Kubernetes' probe semantics for one running container: pure, driven with results and times. */
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import type { ProbeVerdict } from "./facts.ts";
import type { Container, Probe } from "./spec.ts";

export type ProbeKind = "startup" | "liveness" | "readiness";
const kinds = ["startup", "liveness", "readiness"] as const;

type Run = {
  readonly probe: Probe;
  readonly dueAt: EpochMs;
  readonly successes: number;
  readonly failures: number;
  /** Undefined until it has succeeded or failed as often in a row as its threshold asks for. */
  readonly verdict: boolean | undefined;
};
/** What the probes of one container have seen since it started. */
export type ProbeRuns = Readonly<Partial<Record<ProbeKind, Run>>>;

export function beginProbes(container: Container, startedAt: EpochMs): ProbeRuns {
  const begun = kinds.flatMap((kind) => {
    const probe = container[`${kind}Probe`];
    if (probe === undefined) return [];
    const dueAt = startedAt + probe.initialDelaySeconds * 1_000;
    return [[kind, { probe, dueAt, successes: 0, failures: 0, verdict: undefined }] as const];
  });
  return Object.fromEntries(begun);
}

/** Those to run now, and when the next one is due. The startup probe holds the others off. */
export function dueProbes(
  runs: ProbeRuns,
  now: EpochMs,
): { readonly due: readonly ProbeKind[]; readonly nextAt: EpochMs | undefined } {
  const active = activeKinds(runs);
  const due = active.filter((kind) => (runs[kind]?.dueAt ?? Infinity) <= now);
  const later = active.flatMap((kind) => runs[kind]?.dueAt ?? []).filter((at) => at > now);
  return { due, nextAt: later.length === 0 ? undefined : Math.min(...later) };
}

export function tookProbe(runs: ProbeRuns, kind: ProbeKind, ok: boolean, now: EpochMs): ProbeRuns {
  const run = runs[kind];
  if (run === undefined) return runs;
  const successes = ok ? run.successes + 1 : 0;
  const failures = ok ? 0 : run.failures + 1;
  const { successThreshold, failureThreshold, periodSeconds } = run.probe;
  const settled = ok ? successes >= successThreshold : failures >= failureThreshold;
  const verdict = settled ? ok : run.verdict;
  const dueAt = Math.max(run.dueAt + periodSeconds * 1_000, now);
  const next = { ...runs, [kind]: { ...run, successes, failures, verdict, dueAt } };
  return kind === "startup" && verdict === true ? released(next, now) : next;
}

export function verdictOf(runs: ProbeRuns, name: string): ProbeVerdict {
  const { startup, liveness, readiness } = runs;
  const started = startup === undefined || startup.verdict === true;
  const failing =
    startup?.verdict === false ? startup : liveness?.verdict === false ? liveness : undefined;
  const kind = failing === startup ? "startup" : "liveness";
  return {
    started,
    ready: started && (readiness === undefined || readiness.verdict === true),
    failed: failing && {
      message: `Container ${name} failed ${kind} probe, will be restarted`,
      graceSeconds: failing.probe.terminationGracePeriodSeconds,
    },
  };
}

/** Whether they have said yet if the container has started and is ready. */
export function isSettled({ startup, readiness }: ProbeRuns): boolean {
  if (startup !== undefined && startup.verdict !== true) return startup.verdict === false;
  return readiness === undefined || readiness.verdict !== undefined;
}

function activeKinds({ startup, liveness, readiness }: ProbeRuns): readonly ProbeKind[] {
  if (startup !== undefined && startup.verdict !== true) {
    return startup.verdict === undefined ? ["startup"] : [];
  }
  const alive = liveness !== undefined && liveness.verdict !== false;
  return [
    ...(alive ? (["liveness"] as const) : []),
    ...(readiness ? (["readiness"] as const) : []),
  ];
}

/** Once it has started, the others are due as their own delays say, at the earliest now. */
function released(runs: ProbeRuns, now: EpochMs): ProbeRuns {
  const { liveness, readiness } = runs;
  return {
    ...runs,
    ...(liveness && { liveness: { ...liveness, dueAt: Math.max(liveness.dueAt, now) } }),
    ...(readiness && { readiness: { ...readiness, dueAt: Math.max(readiness.dueAt, now) } }),
  };
}
