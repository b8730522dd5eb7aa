/** What to do about a pod, from the assignment and from what is observed: level-triggered and pure. */
import { isTerminalPhase } from "../../../libs/model/pod/state.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { sandboxName } from "../runtime/runtime.ts";
import { newestOf, type PodFacts } from "./facts.ts";
import { deadlineOf, outcomeOf } from "./outcome.ts";
import { type Action, type Plan, planLife } from "./plan.ts";
import { isSidecar, type PodSpec } from "./spec.ts";
import { type PodStatus, statusOf } from "./status.ts";

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
  const plan = planFor(facts);
  const waiting = new Map([...facts.waiting, ...plan.waiting]);
  return {
    actions: plan.actions,
    status: statusOf({ ...facts, waiting }),
    wakeAt: plan.wakeAt,
    gone: false,
  };
}

function planFor(facts: PodFacts): Plan {
  // O2: what has ended stays ended, whoever knows of it.
  if (isTerminalPhase(facts.last?.phase) || facts.work.phase !== undefined) return planRest(facts);
  if (outcomeOf(facts) !== undefined) {
    const { terminationGracePeriodSeconds } = facts.work.spec;
    const actions = endInOrder(facts, terminationGracePeriodSeconds);
    return { actions, waiting: new Map(), wakeAt: undefined };
  }
  const plan = planLife(facts);
  const wakes = [plan.wakeAt, deadlineOf(facts)].filter((at) => at !== undefined);
  return { ...plan, wakeAt: wakes.length === 0 ? undefined : Math.min(...wakes) };
}

function decideEnd(facts: PodFacts, ending: NonNullable<PodFacts["ending"]>): PodDecision {
  const rest = { status: statusOf(facts), wakeAt: undefined, gone: false };
  const stops = endInOrder(facts, ending.graceSeconds);
  if (stops.length > 0) return { ...rest, actions: ending.drained ? stops : [{ do: "drain" }] };
  return {
    ...rest,
    actions: facts.containers.map(({ id }) => ({ do: "remove", id })),
    gone: facts.containers.length === 0,
  };
}

/**
 * What runs, the containers first and together, then the sidecars one by one, the last started first.
 *
 * @see https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#termination-with-sidecars
 */
function endInOrder({ work, containers }: PodFacts, graceSeconds: number): readonly Action[] {
  const running = containers.filter(
    ({ state, container }) => state === "running" && container !== sandboxName,
  );
  const sidecars = sidecarsOf(work.spec);
  const apps = running.filter(({ container }) => !sidecars.includes(container));
  const lastSidecar = sidecars.findLast(
    (name) => newestOf(running, name).newest?.state === "running",
  );
  const due = apps.length > 0 ? apps : running.filter(({ container }) => container === lastSidecar);
  return due.map(({ id, container }) => ({
    do: "stop",
    id,
    container,
    graceSeconds,
    why: `Stopping container ${container}`,
    replace: false,
  }));
}

const sidecarsOf = ({ initContainers }: PodSpec) =>
  initContainers.filter(isSidecar).map(({ name }) => name);

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
