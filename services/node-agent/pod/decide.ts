/** What to do about a pod, from the assignment and from what is observed: level-triggered and pure. */
import { isTerminalPhase } from "../../../libs/model/pod/state.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { type Observed, sandboxName } from "../runtime/runtime.ts";
import { backoffMs, failuresAfter } from "./backoff.ts";
import { newestOf, type PodFacts, type Waiting } from "./facts.ts";
import { type Container, needsSandbox } from "./spec.ts";
import { type PodStatus, statusOf } from "./status.ts";

export type Action =
  | {
      readonly do: "start";
      readonly container: string;
      readonly attempt: number;
      readonly failures: number;
    }
  | {
      readonly do: "stop";
      readonly id: string;
      readonly container: string;
      readonly graceSeconds: number;
      readonly why: string;
    }
  | { readonly do: "remove"; readonly id: string }
  /** Ask that clients be led elsewhere before anything is signalled (N6). */
  | { readonly do: "drain" };

export type PodDecision = {
  readonly actions: readonly Action[];
  readonly status: PodStatus;
  /** When to decide again though nothing changes. */
  readonly wakeAt: EpochMs | undefined;
  /** Nothing of the pod is left, and nothing will be started (O6). */
  readonly gone: boolean;
};

export function decidePod(facts: PodFacts): PodDecision {
  if (facts.ending !== undefined) return decideEnd(facts, facts.ending);
  const plan = isOver(facts) ? planRest(facts) : planLife(facts);
  const waiting = new Map([...facts.waiting, ...plan.waiting]);
  return {
    actions: plan.actions,
    status: statusOf({ ...facts, waiting }),
    wakeAt: plan.wakeAt,
    gone: false,
  };
}

type Plan = {
  readonly actions: readonly Action[];
  readonly waiting: ReadonlyMap<string, Waiting>;
  readonly wakeAt: EpochMs | undefined;
};

/** O2: a pod that has ended stays ended. */
const isOver = ({ last }: PodFacts) => isTerminalPhase(last?.phase);

function decideEnd(facts: PodFacts, ending: NonNullable<PodFacts["ending"]>): PodDecision {
  const status = statusOf(facts);
  const rest = { status, wakeAt: undefined, gone: false };
  const apps = facts.containers.filter(({ container }) => container !== sandboxName);
  const running = apps.filter(isRunning);
  if (running.length > 0 && !ending.drained) return { ...rest, actions: [{ do: "drain" }] };
  if (running.length > 0) {
    return {
      ...rest,
      actions: running.map(({ id, container }) => ({
        do: "stop",
        id,
        container,
        graceSeconds: ending.graceSeconds,
        why: `Stopping container ${container}`,
      })),
    };
  }
  return {
    ...rest,
    actions: facts.containers.map(({ id }) => ({ do: "remove", id })),
    gone: facts.containers.length === 0,
  };
}

/** A pod that has ended keeps its containers, for their logs, until it is deleted. */
function planRest({ containers }: PodFacts): Plan {
  const left = containers.filter(
    ({ state, container }) => state === "running" || container === sandboxName,
  );
  return {
    actions: left.map(({ id }) => ({ do: "remove", id })),
    waiting: new Map(),
    wakeAt: undefined,
  };
}

function planLife(facts: PodFacts): Plan {
  const { work, containers } = facts;
  const { spec } = work;
  const names = [...spec.initContainers, ...spec.containers].map(({ name }) => name);
  const outdated = names.flatMap((name) => newestOf(containers, name).older.slice(1));
  const tidy = outdated.map(({ id }): Action => ({ do: "remove", id }));

  if (needsSandbox(spec)) {
    const { newest } = newestOf(containers, sandboxName);
    if (newest?.state !== "running") return planSandbox(facts, newest, tidy);
  }
  const begun = spec.containers.some(({ name }) => newestOf(containers, name).newest !== undefined);
  const inits = begun ? [] : spec.initContainers;
  const blocking = inits.find(({ name }) => !hasSucceeded(newestOf(containers, name).newest));
  const due = blocking === undefined ? spec.containers : [blocking];
  const policy =
    blocking === undefined || spec.restartPolicy === "Never" ? spec.restartPolicy : "OnFailure";
  const plans = due.map((container) => planContainer(facts, container, policy));
  const wakes = plans.flatMap(({ wakeAt }) => wakeAt ?? []);
  return {
    actions: [...tidy, ...plans.flatMap(({ actions }) => actions)],
    waiting: new Map(plans.flatMap(({ waiting }) => [...waiting])),
    wakeAt: wakes.length === 0 ? undefined : Math.min(...wakes),
  };
}

/** Without its sandbox a pod has no network: what still runs is ended before there is a new one. */
function planSandbox(facts: PodFacts, newest: Observed | undefined, tidy: readonly Action[]): Plan {
  const rest = { waiting: new Map<string, Waiting>(), wakeAt: undefined };
  if (newest?.state === "exited") {
    return {
      ...rest,
      actions: facts.containers
        .filter((one) => isRunning(one) || one === newest)
        .map(({ id }) => ({ do: "remove", id })),
    };
  }
  const held = facts.waiting.get(sandboxName);
  if (held !== undefined && held.retryAt > facts.now)
    return { ...rest, actions: tidy, wakeAt: held.retryAt };
  const start: Action = { do: "start", container: sandboxName, attempt: 0, failures: 0 };
  return { ...rest, actions: [...tidy, start] };
}

function planContainer(
  { containers, waiting, probes, now, work }: PodFacts,
  { name }: Container,
  policy: "Always" | "OnFailure" | "Never",
): Plan {
  const nothing: Plan = { actions: [], waiting: new Map(), wakeAt: undefined };
  const { newest } = newestOf(containers, name);
  if (newest?.state === "running") {
    const failed = probes.get(newest.id)?.failed;
    if (failed === undefined) return nothing;
    const graceSeconds = failed.graceSeconds ?? work.spec.terminationGracePeriodSeconds;
    const stop: Action = {
      do: "stop",
      id: newest.id,
      container: name,
      graceSeconds,
      why: failed.message,
    };
    return { ...nothing, actions: [stop] };
  }
  const held = waiting.get(name);
  if (held !== undefined && held.retryAt > now) return { ...nothing, wakeAt: held.retryAt };
  if (newest === undefined || newest.state === "created") {
    const { attempt, failures } = newest ?? { attempt: 0, failures: 0 };
    return { ...nothing, actions: [{ do: "start", container: name, attempt, failures }] };
  }
  if (policy === "Never" || (policy === "OnFailure" && newest.exitCode === 0)) return nothing;
  const endedAt = newest.finishedAt ?? now;
  const failures = failuresAfter(newest.failures, endedAt - (newest.startedAt ?? endedAt));
  const delayMs = backoffMs(failures);
  const retryAt = endedAt + delayMs;
  if (retryAt <= now) {
    const attempt = newest.attempt + 1;
    return {
      ...nothing,
      actions: [{ do: "start", container: name, attempt, failures: failures + 1 }],
    };
  }
  const message = `back-off ${delayMs / 1_000}s restarting failed container=${name} pod=${work.name}`;
  return {
    actions: [],
    waiting: new Map([[name, { reason: "CrashLoopBackOff", message, retryAt }]]),
    wakeAt: retryAt,
  };
}

const isRunning = ({ state }: Observed) => state === "running";
const hasSucceeded = (one: Observed | undefined) => one?.state === "exited" && one.exitCode === 0;
