/** A pod's status, as Kubernetes describes it, from what is observed. Pure. */
import { isTerminalPhase } from "../../../libs/model/pod/state.ts";
import { timeOf } from "../../../libs/model/time.ts";
import { type Observed, sandboxName } from "../runtime/runtime.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { hasBegun, lostAttempt, newestOf, type PodFacts, type Waiting } from "./facts.ts";
import { lostExitCode, type Outcome, outcomeOf } from "./outcome.ts";
import { qosOf } from "../../../libs/model/pod/qos.ts";
import type { ResourceList } from "../../../libs/model/quantity.ts";
import { resizeDue, resourcesIn, triedFor } from "./size.ts";
import { type Container, isSidecar, lasting } from "./spec.ts";

type Terminated = {
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly containerID?: string;
};
type State = {
  readonly running?: { readonly startedAt?: string };
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly terminated?: Terminated;
};
export type ContainerStatus = {
  readonly name: string;
  readonly state: State;
  readonly lastState: State;
  readonly ready: boolean;
  /** Not told of an ephemeral one. */
  readonly started?: boolean;
  readonly restartCount: number;
  readonly image: string;
  readonly imageID: string;
  readonly containerID?: string;
  /** What is kept for it on the node. */
  readonly allocatedResources?: ResourceList;
  /** What it has. */
  readonly resources?: Container["resources"];
};
type Condition = {
  readonly type: string;
  readonly status: "True" | "False";
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
  readonly reason?: string;
  readonly message?: string;
};
export type PodStatus = {
  /** The generation of the pod that the node acts on. */
  readonly observedGeneration?: number;
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed";
  readonly conditions: readonly Condition[];
  readonly reason?: string;
  readonly message?: string;
  readonly hostIP: string;
  readonly hostIPs: readonly { readonly ip: string }[];
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly startTime: string;
  readonly qosClass: string;
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
  readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
};

export function statusOf(facts: PodFacts): PodStatus {
  const { work, containers, ending, last, hostAddress, now } = facts;
  // Ended and removed: what is known of it is what was last seen.
  const vanished = ending !== undefined && appsOf(containers).length === 0;
  if (vanished && last !== undefined) return ended(last, now);
  // O2: it stays as it ended, though somebody removes what is left of it.
  if (ending === undefined && last !== undefined && isTerminalPhase(last.phase)) return last;
  const { spec } = work;
  const inits = spec.initContainers.map((one) => ({
    sidecar: isSidecar(one),
    status: containerStatus(facts, one, isSidecar(one) ? "sidecar" : "init"),
  }));
  const incomplete = inits.filter(({ sidecar, status }) =>
    sidecar ? status.started !== true : !hasSucceeded(status),
  );
  const initialized = hasBegun(facts) || incomplete.length === 0;
  const statuses = spec.containers.map((one) =>
    containerStatus(facts, one, initialized ? "app" : "uninitialized"),
  );
  const outcome = outcomeOf(facts);
  const phase = phaseOf(facts, outcome, statuses, initialized);
  const over = isTerminalPhase(phase);
  const lasting = [
    ...inits.filter(({ sidecar }) => sidecar).map(({ status }) => status),
    ...statuses,
  ];
  const unready = lasting.filter((one) => !one.ready).map(({ name }) => name);
  const ready = !over && unready.length === 0;
  const why =
    over || outcome !== undefined
      ? { reason: "PodCompleted" }
      : {
          reason: "ContainersNotReady",
          message: `containers with unready status: [${unready.join(" ")}]`,
        };
  const uninitialized = {
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: [${incomplete.map(({ status }) => status.name).join(" ")}]`,
  };
  const condition = (type: string, isTrue: boolean, details: object = {}): Condition => {
    const status = isTrue ? "True" : "False";
    const before = last?.conditions.find((one) => one.type === type);
    const since = before?.status === status ? before.lastTransitionTime : timeOf(now);
    return { type, status, lastTransitionTime: since, ...(!isTrue && details) };
  };
  const address = spec.hostNetwork ? hostAddress : facts.address;
  const hasNetwork = address !== undefined && containers.some(({ state }) => state === "running");
  const { reason = last?.reason, message = last?.message } = outcome ?? {};
  // That a pod is to end raises its generation, and is told by how it ends.
  const observedGeneration =
    (ending === undefined ? undefined : last?.observedGeneration) ?? work.generation;
  const resize = over ? undefined : resizeOf(facts);
  return {
    ...(observedGeneration !== undefined && { observedGeneration }),
    phase,
    conditions: [
      condition("PodReadyToStartContainers", hasNetwork),
      condition("Initialized", initialized, uninitialized),
      condition("Ready", ready, why),
      condition("ContainersReady", ready, why),
      ...(resize === undefined
        ? []
        : [
            {
              ...condition("PodResizeInProgress", true),
              ...resize,
              ...(observedGeneration !== undefined && { observedGeneration }),
            },
          ]),
    ],
    ...(over && reason !== undefined && { reason }),
    ...(over && message !== undefined && { message }),
    hostIP: hostAddress,
    hostIPs: [{ ip: hostAddress }],
    ...(address !== undefined && { podIP: address, podIPs: [{ ip: address }] }),
    startTime: timeOf(facts.startTime),
    qosClass: qosOf(spec),
    ...(inits.length > 0 && { initContainerStatuses: inits.map(({ status }) => status) }),
    containerStatuses: statuses,
    ...(spec.ephemeralContainers.length > 0 && {
      ephemeralContainerStatuses: spec.ephemeralContainers.map((one) =>
        containerStatus(facts, one, "ephemeral"),
      ),
    }),
  };
}

/** Why its containers have not yet the sizes that they are to have; undefined when they do. */
function resizeOf({
  work,
  containers,
  replaced,
  resizes,
}: PodFacts): { readonly reason?: string; readonly message?: string } | undefined {
  const due = lasting(work.spec).flatMap((one) => {
    const { newest } = newestOf(containers, one.name);
    const counts = newest !== undefined && (newest.state === "running" || replaced.has(newest.id));
    const wanted = counts ? resizeDue(one, newest.size) : undefined;
    if (newest === undefined || wanted === undefined) return [];
    const tried = triedFor(resizes.get(newest.id), wanted.size);
    // What the engine took, and does not tell of, it cannot do better.
    return tried !== undefined && tried.failed === undefined ? [] : [newest.id];
  });
  if (due.length === 0) return undefined;
  const failed = due.map((id) => resizes.get(id)?.failed).find((one) => one !== undefined);
  return failed === undefined ? {} : { reason: "Error", message: failed.message };
}

/** A pod that was ended: Succeeded if every container ended well, else Failed. */
function ended(last: PodStatus, now: EpochMs): PodStatus {
  const well = last.containerStatuses.every(({ state }) => state.terminated?.exitCode === 0);
  const phase = isTerminalPhase(last.phase) ? last.phase : well ? "Succeeded" : "Failed"; // O2
  const conditions = last.conditions.map((condition): Condition => {
    if (!condition.type.endsWith("Ready") || condition.status === "False") return condition;
    const lastTransitionTime = timeOf(now);
    return { type: condition.type, status: "False", reason: "PodCompleted", lastTransitionTime };
  });
  const containerStatuses = last.containerStatuses.map((one) => ({ ...one, ready: false }));
  return { ...last, phase, conditions, containerStatuses };
}

/** Terminal only once nothing runs any more: who sees it may count on that. */
function phaseOf(
  { last, containers }: PodFacts,
  outcome: Outcome | undefined,
  statuses: readonly ContainerStatus[],
  initialized: boolean,
): PodStatus["phase"] {
  if (isTerminalPhase(last?.phase)) return last.phase; // O2
  const quiet = appsOf(containers).every(({ state }) => state !== "running");
  if (outcome !== undefined && quiet) return outcome.phase;
  const neverRan = statuses.some(
    ({ state, lastState }) => state.waiting !== undefined && lastState.terminated === undefined,
  );
  return !initialized || neverRan ? "Pending" : "Running";
}

type Role = "init" | "sidecar" | "app" | "uninitialized" | "ephemeral";

function containerStatus(facts: PodFacts, container: Container, role: Role): ContainerStatus {
  const { containers, waiting, probes, work, ending, started, last } = facts;
  const { name, image } = container;
  const { newest, older } = newestOf(containers, name);
  const lost = lostAttempt(facts, name);
  const verdict = newest === undefined ? undefined : probes.get(newest.id);
  const running = newest?.state === "running" && lost === undefined;
  const isAdded = role === "ephemeral";
  const ready =
    role === "init" ? hasExitedWell(newest) : running && !isAdded && (verdict?.ready ?? false);
  const before = statusesIn(last).find((one) => one.name === name);
  const restartCount = Math.max(newest?.attempt ?? 0, started.get(name) ?? 0);
  const shared = {
    name,
    ready,
    ...(!isAdded && { started: running && (verdict?.started ?? false) }),
    restartCount,
    image,
    imageID: newest?.imageId ?? "",
    ...(newest !== undefined && { containerID: `docker://${newest.id}` }),
    ...(!isAdded && sizeTold(container, newest)),
  };
  const [previous] = older;
  const lastState =
    previous?.state === "exited" && previous.attempt === restartCount - 1
      ? { terminated: terminated(facts, previous) }
      : (before?.lastState ?? {});
  const initializing = role === "uninitialized" || work.spec.initContainers.length > 0;
  const idle = { reason: initializing ? "PodInitializing" : "ContainerCreating" };
  const held = waiting.get(name);
  const blocked = role === "uninitialized" ? undefined : (held ?? waiting.get(sandboxName));
  const idleState = blocked ? waitingState(blocked) : { waiting: idle };
  if (lost !== undefined) {
    const end = { terminated: unknownEnd };
    const final =
      isAdded || (work.spec.restartPolicy === "Never" && (role === "app" || ending !== undefined));
    return final
      ? { ...shared, state: end, lastState }
      : { ...shared, state: idleState, lastState: end };
  }
  if (newest?.state === "running") return { ...shared, state: runningState(newest), lastState };
  if (newest?.state === "exited") {
    const end = { terminated: terminated(facts, newest) };
    return held !== undefined && ending === undefined
      ? { ...shared, state: waitingState(held), lastState: end }
      : { ...shared, state: end, lastState };
  }
  return { ...shared, state: idleState, lastState };
}

function sizeTold(container: Container, newest: Observed | undefined) {
  const { requests = {} } = container.resources;
  const resources =
    newest?.state === "running" ? resourcesIn(container, newest.size) : container.resources;
  return { ...(Object.keys(requests).length > 0 && { allocatedResources: requests }), resources };
}

export const statusesIn = (status: PodStatus | undefined): readonly ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
  ...(status?.ephemeralContainerStatuses ?? []),
];

/** Of a run whose container somebody removed. */
const unknownEnd: Terminated = {
  exitCode: lostExitCode,
  reason: "ContainerStatusUnknown",
  message: "The container could not be located when the pod was terminated",
};

const runningState = ({ startedAt }: Observed): State => ({
  running: { ...(startedAt !== undefined && { startedAt: timeOf(startedAt) }) },
});
const waitingState = ({ reason, message }: Waiting): State => ({
  waiting: { reason, ...(message !== "" && { message }) },
});
const terminated = ({ messages }: PodFacts, one: Observed): Terminated => ({
  exitCode: one.exitCode,
  reason: reasonOf(one),
  ...said(messages.get(one.id) ?? one.error),
  ...(one.startedAt !== undefined && { startedAt: timeOf(one.startedAt) }),
  ...(one.finishedAt !== undefined && { finishedAt: timeOf(one.finishedAt) }),
  containerID: `docker://${one.id}`,
});

function reasonOf({ oomKilled, exitCode, error }: Observed): string {
  if (oomKilled) return "OOMKilled";
  if (exitCode === 0) return "Completed";
  return error === "" ? "Error" : "StartError";
}

const said = (message: string) => (message === "" ? {} : { message });
const hasExitedWell = (one: Observed | undefined) => one?.state === "exited" && one.exitCode === 0;
const hasSucceeded = ({ state }: ContainerStatus) => state.terminated?.exitCode === 0;
const appsOf = (containers: readonly Observed[]) =>
  containers.filter(({ container }) => container !== sandboxName);
