import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import type { Observed } from "../runtime/runtime.ts";
import type { PodStatus } from "./status.ts";
import type { PodWork } from "./spec.ts";

/** Why a container could not be started, and when to try again. */
export type Waiting = {
  readonly reason: string;
  readonly message: string;
  readonly retryAt: EpochMs;
  /** When it was refused; undefined where that does not matter. */
  readonly since?: EpochMs;
};

/** What the probes of one running container have said so far. */
export type ProbeVerdict = {
  readonly started: boolean;
  readonly ready: boolean;
  /** Set: it is to be ended, with this grace where the probe names one. */
  readonly failed:
    | { readonly message: string; readonly graceSeconds: number | undefined }
    | undefined;
};

/** Everything that a decision about one pod rests on. */
export type PodFacts = {
  readonly work: PodWork;
  readonly startTime: EpochMs;
  /** The pod is to end: within `graceSeconds` of SIGTERM; drained: its clients have been told (N6). */
  readonly ending: { readonly graceSeconds: number; readonly drained: boolean } | undefined;
  /** This uid's containers as observed. */
  readonly containers: readonly Observed[];
  readonly probes: ReadonlyMap<string, ProbeVerdict>;
  readonly waiting: ReadonlyMap<string, Waiting>;
  readonly address: string | undefined;
  readonly hostAddress: string;
  readonly last: PodStatus | undefined;
  readonly now: EpochMs;
};

/** The newest container of a name, and what ran before it. */
export function newestOf(
  containers: readonly Observed[],
  name: string,
): { readonly newest: Observed | undefined; readonly older: readonly Observed[] } {
  const [newest, ...older] = containers
    .filter(({ container }) => container === name)
    .toSorted((a, b) => b.attempt - a.attempt);
  return { newest, older };
}
