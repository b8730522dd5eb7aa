/** What a pod that is to live needs next: its sandbox, its init containers in order, its containers. Pure. */
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { type Observed, sandboxName, type Size } from "../runtime/runtime.ts";
import { backoffMs, failuresAfter } from "./backoff.ts";
import { hasBegun, lostAttempt, newestOf, type PodFacts, type Waiting } from "./facts.ts";
import { resizeDue, triedFor } from "./size.ts";
import { isOutdated } from "./spec-hash.ts";
import { allContainers, type Container, isEphemeral, isSidecar, needsSandbox } from "./spec.ts";

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
      /** Another takes its place, whatever the restart policy says. */
      readonly replace: boolean;
    }
  | { readonly do: "remove"; readonly id: string }
  | {
      readonly do: "resize";
      readonly id: string;
      readonly container: string;
      readonly size: Size;
    }
  /** Ask that clients be led elsewhere before anything is signalled (N6). */
  | { readonly do: "drain" };

export type Plan = {
  readonly actions: readonly Action[];
  readonly waiting: ReadonlyMap<string, Waiting>;
  readonly wakeAt: EpochMs | undefined;
};
type Policy = "Always" | "OnFailure" | "Never";

const nothing: Plan = { actions: [], waiting: new Map(), wakeAt: undefined };

export function planLife(facts: PodFacts): Plan {
  const { work, containers } = facts;
  const { spec } = work;
  const names = allContainers(spec).map(({ name }) => name);
  const outdated = names.flatMap((name) => newestOf(containers, name).older.slice(1));
  const tidy = outdated.map(({ id }): Action => ({ do: "remove", id }));

  const { newest: sandbox } = newestOf(containers, sandboxName);
  // One that a pod did not need at first is there for as long as the pod is.
  if ((needsSandbox(spec) || sandbox !== undefined) && sandbox?.state !== "running") {
    return planSandbox(facts, sandbox, tidy);
  }
  const inits = planInits(facts);
  const apps = inits.through
    ? spec.containers.map((one) => planContainer(facts, one, spec.restartPolicy))
    : [];
  const own = [...inits.plans, ...apps];
  const added = spec.ephemeralContainers.map((one) => planEphemeral(facts, one));
  const isStranded = added.some(starts) && !hasNetwork(facts);
  // What is about to start has a network to join in a moment; where nothing is, a sandbox has.
  if (isStranded && !own.some(starts)) return planSandbox(facts, undefined, tidy);
  const plans = isStranded ? own : [...own, ...added];
  const wakes = plans.flatMap(({ wakeAt }) => wakeAt ?? []);
  return {
    actions: [...tidy, ...plans.flatMap(({ actions }) => actions)],
    waiting: new Map(plans.flatMap(({ waiting }) => [...waiting])),
    wakeAt: wakes.length === 0 ? undefined : Math.min(...wakes),
  };
}

/**
 * Init containers one after the other: one that runs to its end blocks the next until it has
 * succeeded, a sidecar until it has started. Sidecars are kept up as long as the pod lives; the
 * others are through once any of the pod's containers has run.
 */
function planInits(facts: PodFacts): { readonly plans: Plan[]; readonly through: boolean } {
  const { restartPolicy, initContainers } = facts.work.spec;
  const begun = hasBegun(facts);
  const plans: Plan[] = [];
  for (const one of initContainers) {
    const { newest } = newestOf(facts.containers, one.name);
    if (isSidecar(one)) {
      plans.push(planContainer(facts, one, "Always"));
      if (!begun && !hasStarted(facts, newest)) return { plans, through: false };
    } else if (!begun && !hasSucceeded(newest)) {
      const policy = restartPolicy === "Never" ? "Never" : "OnFailure";
      plans.push(planContainer(facts, one, policy));
      return { plans, through: false };
    }
  }
  return { plans, through: true };
}

/** Started once, whatever becomes of it; only while it could not be begun is that tried again. */
function planEphemeral({ containers, waiting, started, now }: PodFacts, { name }: Container): Plan {
  const { newest } = newestOf(containers, name);
  if (started.has(name) || (newest !== undefined && newest.state !== "created")) return nothing;
  const held = waiting.get(name);
  if (held !== undefined && held.retryAt > now) return { ...nothing, wakeAt: held.retryAt };
  const start: Action = { do: "start", container: name, attempt: 0, failures: 0 };
  return { ...nothing, actions: [start] };
}

const starts = ({ actions }: Plan) => actions.some((action) => action.do === "start");

/** Whether there is a network namespace of the pod that one more container can be put into. */
const hasNetwork = ({ work: { spec }, containers }: PodFacts) =>
  spec.hostNetwork ||
  containers.some(({ state, container }) => state === "running" && !isEphemeral(spec, container));

/** Without its sandbox a pod has no network: what still runs is ended before there is a new one. */
function planSandbox(facts: PodFacts, newest: Observed | undefined, tidy: readonly Action[]): Plan {
  if (newest?.state === "exited") {
    return {
      ...nothing,
      actions: facts.containers
        .filter((one) => one.state === "running" || one === newest)
        .map(({ id }) => ({ do: "remove", id })),
    };
  }
  const held = facts.waiting.get(sandboxName);
  if (held !== undefined && held.retryAt > facts.now)
    return { ...nothing, actions: tidy, wakeAt: held.retryAt };
  const start: Action = { do: "start", container: sandboxName, attempt: 0, failures: 0 };
  return { ...nothing, actions: [...tidy, start] };
}

function planContainer(facts: PodFacts, container: Container, policy: Policy): Plan {
  const { containers, waiting, started, now } = facts;
  const { name } = container;
  const { newest } = newestOf(containers, name);
  if (newest?.state === "running") return planRunning(facts, container, newest);
  const held = waiting.get(name);
  if (held !== undefined && held.retryAt > now) return { ...nothing, wakeAt: held.retryAt };
  const start = (attempt: number, failures: number): Plan => ({
    ...nothing,
    actions: [{ do: "start", container: name, attempt, failures }],
  });
  const next = Math.max(newest?.attempt ?? -1, started.get(name) ?? -1) + 1;
  if (lostAttempt(facts, name) !== undefined) {
    const isInit = !facts.work.spec.containers.includes(container);
    return policy === "Never" && !isInit ? nothing : start(next, newest?.failures ?? 0);
  }
  if (newest === undefined) return start(0, 0);
  if (newest.state === "created") {
    // Made from what the manifest said before: the runtime would give it again for the same attempt.
    if (isOutdated(newest, container))
      return { ...nothing, actions: [{ do: "remove", id: newest.id }] };
    return start(newest.attempt, newest.failures);
  }
  if (facts.replaced.has(newest.id)) {
    const shown = held ?? { reason: "ContainerCreating", message: "", retryAt: now };
    return { ...start(next, 0), waiting: new Map([[name, shown]]) };
  }
  if (policy === "Never" || (policy === "OnFailure" && newest.exitCode === 0)) return nothing;
  if (isOutdated(newest, container)) return start(next, 0); // What failed is not what is tried now.
  return planRestart(facts, name, newest, start);
}

function planRunning(facts: PodFacts, container: Container, running: Observed): Plan {
  const { probes, work } = facts;
  const { id, specHash, image } = running;
  const { name } = container;
  const { terminationGracePeriodSeconds: graceSeconds, initContainers } = work.spec;
  const isInit = initContainers.includes(container);
  const stop = { do: "stop", id, container: name } as const;
  if (isOutdated({ specHash, image }, container) && (!isInit || isSidecar(container))) {
    const why = `${isInit ? "Init container" : "Container"} ${name} definition changed, will be restarted`;
    return { ...nothing, actions: [{ ...stop, graceSeconds, why, replace: true }] };
  }
  const failed = probes.get(id)?.failed;
  if (failed === undefined) return planSize(facts, container, running);
  const grace = failed.graceSeconds ?? graceSeconds;
  const action: Action = { ...stop, graceSeconds: grace, why: failed.message, replace: false };
  return { ...nothing, actions: [action] };
}

/** In place where its policy allows; else by a restart. What the engine took is not asked for again. */
function planSize(
  { resizes, work, now }: PodFacts,
  container: Container,
  { id, size: had }: Observed,
): Plan {
  const { name } = container;
  const { terminationGracePeriodSeconds: graceSeconds, initContainers } = work.spec;
  const due = resizeDue(container, had);
  if (due === undefined || (initContainers.includes(container) && !isSidecar(container)))
    return nothing;
  if (due.restarts) {
    const why = `Container ${name} resize requires restart`;
    const stop: Action = { do: "stop", id, container: name, graceSeconds, why, replace: true };
    return { ...nothing, actions: [stop] };
  }
  const tried = triedFor(resizes.get(id), due.size);
  if (tried !== undefined && tried.failed === undefined) return nothing;
  if (tried?.failed !== undefined && tried.failed.retryAt > now)
    return { ...nothing, wakeAt: tried.failed.retryAt };
  return { ...nothing, actions: [{ do: "resize", id, container: name, size: due.size }] };
}

function planRestart(
  { now, work }: PodFacts,
  name: string,
  ended: Observed,
  start: (attempt: number, failures: number) => Plan,
): Plan {
  const endedAt = ended.finishedAt ?? now;
  const failures = failuresAfter(ended.failures, endedAt - (ended.startedAt ?? endedAt));
  const delayMs = backoffMs(failures);
  const retryAt = endedAt + delayMs;
  if (retryAt <= now) return start(ended.attempt + 1, failures + 1);
  const message = `back-off ${delayMs / 1_000}s restarting failed container=${name} pod=${work.name}`;
  return {
    actions: [],
    waiting: new Map([[name, { reason: "CrashLoopBackOff", message, retryAt }]]),
    wakeAt: retryAt,
  };
}

const hasSucceeded = (one: Observed | undefined) => one?.state === "exited" && one.exitCode === 0;
const hasStarted = ({ probes }: PodFacts, one: Observed | undefined) =>
  one?.state === "running" && probes.get(one.id)?.started === true;
