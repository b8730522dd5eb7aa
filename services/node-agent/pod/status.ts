/** A pod's status, as Kubernetes describes it, from what is observed. Pure. */
import { isTerminalPhase } from "../../../libs/model/pod/state.ts";
import { timeOf } from "../../../libs/model/time.ts";
import { type Observed, sandboxName } from "../runtime/runtime.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { newestOf, type PodFacts, type Waiting } from "./facts.ts";
import { qosOf } from "./qos.ts";
import type { Container } from "./spec.ts";

type Terminated = {
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly containerID: string;
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
  readonly started: boolean;
  readonly restartCount: number;
  readonly image: string;
  readonly imageID: string;
  readonly containerID?: string;
};
type Condition = {
  readonly type: string;
  readonly status: "True" | "False";
  readonly lastTransitionTime: string;
  readonly reason?: string;
  readonly message?: string;
};
export type PodStatus = {
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed";
  readonly conditions: readonly Condition[];
  readonly hostIP: string;
  readonly hostIPs: readonly { readonly ip: string }[];
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip: string }[];
  readonly startTime: string;
  readonly qosClass: string;
  readonly initContainerStatuses?: readonly ContainerStatus[];
  readonly containerStatuses: readonly ContainerStatus[];
};

export function statusOf(facts: PodFacts): PodStatus {
  const { work, containers, ending, last, hostAddress, now } = facts;
  // Ended and removed: what is known of it is what was last seen.
  const vanished = ending !== undefined && appsOf(containers).length === 0;
  if (vanished && last !== undefined) return ended(last, now);
  const { spec } = work;
  const inits = spec.initContainers.map((container) => containerStatus(facts, container, "init"));
  const begun = spec.containers.some(({ name }) => newestOf(containers, name).newest !== undefined);
  const initialized = begun || inits.every(hasSucceeded);
  const statuses = spec.containers.map((container) =>
    containerStatus(facts, container, initialized ? "app" : "uninitialized"),
  );
  const phase = phaseOf(facts, inits, statuses, initialized);
  const over = isTerminalPhase(phase);
  const ready = !over && statuses.every((one) => one.ready);
  const unready = statuses.filter((one) => !one.ready).map(({ name }) => name);
  const why = over
    ? { reason: "PodCompleted" }
    : {
        reason: "ContainersNotReady",
        message: `containers with unready status: [${unready.join(" ")}]`,
      };
  const waitingForInit = inits.filter((one) => !hasSucceeded(one)).map(({ name }) => name);
  const uninitialized = {
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: [${waitingForInit.join(" ")}]`,
  };
  const condition = (type: string, isTrue: boolean, details: object = {}): Condition => {
    const status = isTrue ? "True" : "False";
    const before = last?.conditions.find((one) => one.type === type);
    const since = before?.status === status ? before.lastTransitionTime : timeOf(now);
    return { type, status, lastTransitionTime: since, ...(!isTrue && details) };
  };
  const address = spec.hostNetwork ? hostAddress : facts.address;
  const hasNetwork = address !== undefined && containers.some(({ state }) => state === "running");
  return {
    phase,
    conditions: [
      condition("PodReadyToStartContainers", hasNetwork),
      condition("Initialized", initialized, uninitialized),
      condition("Ready", ready, why),
      condition("ContainersReady", ready, why),
    ],
    hostIP: hostAddress,
    hostIPs: [{ ip: hostAddress }],
    ...(address !== undefined && { podIP: address, podIPs: [{ ip: address }] }),
    startTime: timeOf(facts.startTime),
    qosClass: qosOf(spec),
    ...(inits.length > 0 && { initContainerStatuses: inits }),
    containerStatuses: statuses,
  };
}

/** A pod that was ended: Succeeded if every container ended well, else Failed. */
function ended(last: PodStatus, now: EpochMs): PodStatus {
  const well = last.containerStatuses.every(({ state }) => state.terminated?.exitCode === 0);
  const conditions = last.conditions.map((condition): Condition => {
    if (!condition.type.endsWith("Ready") || condition.status === "False") return condition;
    const lastTransitionTime = timeOf(now);
    return { type: condition.type, status: "False", reason: "PodCompleted", lastTransitionTime };
  });
  const containerStatuses = last.containerStatuses.map((one) => ({ ...one, ready: false }));
  return { ...last, phase: well ? "Succeeded" : "Failed", conditions, containerStatuses };
}

function phaseOf(
  { work, last, ending }: PodFacts,
  inits: readonly ContainerStatus[],
  statuses: readonly ContainerStatus[],
  initialized: boolean,
): PodStatus["phase"] {
  if (isTerminalPhase(last?.phase)) return last.phase; // O2
  const { restartPolicy } = work.spec;
  const initFailed = inits.some(({ state }) => (state.terminated?.exitCode ?? 0) !== 0);
  if (!initialized) return initFailed && restartPolicy === "Never" ? "Failed" : "Pending";
  const codes = statuses.map(
    ({ state, lastState }) =>
      (state.terminated ?? (state.waiting && lastState.terminated))?.exitCode,
  );
  const allEnded = statuses.every(({ state }) => state.terminated !== undefined);
  const final = restartPolicy !== "Always" || ending !== undefined;
  if (allEnded && final) {
    if (codes.every((code) => code === 0)) return "Succeeded";
    if (restartPolicy === "Never" || ending !== undefined) return "Failed";
  }
  const neverRan = statuses.some(
    ({ state, lastState }) => state.waiting !== undefined && lastState.terminated === undefined,
  );
  return neverRan ? "Pending" : "Running";
}

function containerStatus(
  { containers, waiting, probes, work, ending }: PodFacts,
  { name, image }: Container,
  role: "init" | "app" | "uninitialized",
): ContainerStatus {
  const { newest, older } = newestOf(containers, name);
  const previous = older[0];
  const held = waiting.get(name);
  const verdict = newest === undefined ? undefined : probes.get(newest.id);
  const running = newest?.state === "running";
  const ready = role === "init" ? hasExitedWell(newest) : running && (verdict?.ready ?? false);
  const shared = {
    name,
    ready,
    started: running && (verdict?.started ?? false),
    restartCount: newest?.attempt ?? 0,
    image,
    imageID: newest?.imageId ?? "",
    ...(newest !== undefined && { containerID: `docker://${newest.id}` }),
  };
  const lastState = previous?.state === "exited" ? { terminated: terminated(previous) } : {};
  if (newest?.state === "running") return { ...shared, state: runningState(newest), lastState };
  if (newest?.state === "exited") {
    const again = held !== undefined && ending === undefined;
    const end = { terminated: terminated(newest) };
    return again
      ? { ...shared, state: waitingState(held), lastState: end }
      : { ...shared, state: end, lastState };
  }
  const initializing = role === "uninitialized" || work.spec.initContainers.length > 0;
  const idle = { reason: initializing ? "PodInitializing" : "ContainerCreating" };
  const blocked = role === "uninitialized" ? undefined : (held ?? waiting.get(sandboxName));
  return { ...shared, state: blocked ? waitingState(blocked) : { waiting: idle }, lastState };
}

const runningState = ({ startedAt }: Observed): State => ({
  running: { ...(startedAt !== undefined && { startedAt: timeOf(startedAt) }) },
});
const waitingState = ({ reason, message }: Waiting): State => ({
  waiting: { reason, ...(message !== "" && { message }) },
});
const terminated = (one: Observed): Terminated => ({
  exitCode: one.exitCode,
  reason: one.oomKilled ? "OOMKilled" : one.exitCode === 0 ? "Completed" : "Error",
  ...(one.error !== "" && { message: one.error }),
  ...(one.startedAt !== undefined && { startedAt: timeOf(one.startedAt) }),
  ...(one.finishedAt !== undefined && { finishedAt: timeOf(one.finishedAt) }),
  containerID: `docker://${one.id}`,
});

const hasExitedWell = (one: Observed | undefined) => one?.state === "exited" && one.exitCode === 0;
const hasSucceeded = ({ state }: ContainerStatus) => state.terminated?.exitCode === 0;
const appsOf = (containers: readonly Observed[]) =>
  containers.filter(({ container }) => container !== sandboxName);
