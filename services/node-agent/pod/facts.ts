import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { type Observed, sandboxName, type Size } from "../runtime/runtime.ts";
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

/** The last try to give a running container another size. */
export type ResizeTrial = {
  readonly size: Size;
  /** Why it failed, and when to try again; undefined: the engine took it. */
  readonly failed: { readonly message: string; readonly retryAt: EpochMs } | undefined;
};

/** Everything that a decision about one pod rests on. */
export type PodFacts = {
  readonly work: PodWork;
  readonly startTime: EpochMs;
  /** The pod is to end: within `graceSeconds` from now; drained: its clients have been told (N6). */
  readonly ending: { readonly graceSeconds: number; readonly drained: boolean } | undefined;
  /** This uid's containers as observed. */
  readonly containers: readonly Observed[];
  /** By container, the highest attempt that was ever started: its container may be lost. */
  readonly started: ReadonlyMap<string, number>;
  /** Ids of what was ended to be started anew, whatever the restart policy says. */
  readonly replaced: ReadonlySet<string>;
  readonly probes: ReadonlyMap<string, ProbeVerdict>;
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** By container id. */
  readonly resizes: ReadonlyMap<string, ResizeTrial>;
  /** What containers that have ended left as their termination message, by id. */
  readonly messages: ReadonlyMap<string, string>;
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

/** Whose network namespace is the pod's: its sandbox, or what was started last. */
export function networkHolder(containers: readonly Observed[]): Observed | undefined {
  const running = containers.filter(({ state }) => state === "running");
  return (
    running.find(({ container }) => container === sandboxName) ??
    running.toSorted((a, b) => (b.startedAt ?? 0) - (a.startedAt ?? 0))[0]
  );
}

/**
 * The attempt of the newest run of a container, if that run's container is there no more: somebody
 * removed it.
 */
export function lostAttempt(
  { containers, started }: Pick<PodFacts, "containers" | "started">,
  name: string,
): number | undefined {
  const last = started.get(name);
  const { newest } = newestOf(containers, name);
  return last !== undefined && last > (newest?.attempt ?? -1) ? last : undefined;
}

/** Whether any of the pod's own containers has ever run: its init containers are then done. */
export const hasBegun = ({ work, containers, started }: PodFacts): boolean =>
  work.spec.containers.some(
    ({ name }) => newestOf(containers, name).newest !== undefined || started.has(name),
  );
