/** What `kubectl get pods` shows. */
import { durationText, type EpochMs } from "../time.ts";
import { isTerminating } from "./state.ts";
import type { PodSpec } from "./spec.ts";
import type { ContainerState, ContainerStatus, PodStatus } from "./status.ts";

type Shown = {
  readonly metadata: { readonly deletionTimestamp?: string | undefined };
  readonly spec: PodSpec;
  readonly status?: PodStatus | undefined;
};

/** Ready containers of all, sidecars included: `1/2`. */
export function readyText(pod: Shown): string {
  const { containers, initContainers = [] } = pod.spec;
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
  const names = new Set([...containers, ...sidecars].map(({ name }) => name));
  const ready = statusesOf(pod).filter((one) => names.has(one.name) && one.ready);
  return `${ready.length}/${names.size}`;
}

/**
 * The phase, or in its place what a user would want to know: why it is not scheduled, which init
 * container it is at, why a container waits or ended, that it is being deleted.
 */
export function statusText(pod: Shown): string {
  const { status } = pod;
  const phase = status?.phase ?? "Pending";
  if (isTerminating(pod)) {
    return status?.reason === "NodeLost" ? "Unknown" : "Terminating";
  }
  const base = isGated(status) ? "SchedulingGated" : (status?.reason ?? phase);
  const initializing = initText(pod);
  const initialized = hasTrue(status, "Initialized");
  if (initializing !== undefined && !initialized) return initializing;
  const containers = status?.containerStatuses ?? [];
  const said = containers
    .map(({ state }) => reasonOf(state))
    .find((reason) => reason !== undefined);
  const text = said ?? initializing ?? base;
  const running = containers.some(({ ready, state }) => ready && state.running !== undefined);
  if (text !== "Completed" || !running) return text;
  return hasTrue(status, "Ready") ? "Running" : "NotReady";
}

/** How often containers were restarted, and how long ago last: `3 (2m ago)`. */
export function restartsText(pod: Shown, now: EpochMs): string {
  const initializing = initText(pod) !== undefined && !hasTrue(pod.status, "Initialized");
  const counted = initializing
    ? (pod.status?.initContainerStatuses ?? [])
    : [...(pod.status?.containerStatuses ?? []), ...sidecarStatuses(pod)];
  const restarts = counted.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const ends = counted.flatMap(({ lastState }) => lastState.terminated?.finishedAt ?? []);
  const last = ends.map((time) => Date.parse(time)).toSorted((a, b) => b - a)[0];
  if (restarts === 0 || last === undefined) return String(restarts);
  return `${restarts} (${durationText(now - last)} ago)`;
}

/** Which init container it is at, or what stops that one; undefined once all are through. */
function initText({ spec: { initContainers = [] }, status }: Shown): string | undefined {
  const seen = status?.initContainerStatuses ?? [];
  for (const [at, one] of seen.entries()) {
    const { terminated, waiting } = one.state;
    if (terminated?.exitCode === 0) continue;
    const sidecar =
      initContainers.find(({ name }) => name === one.name)?.restartPolicy === "Always";
    if (sidecar && one.started === true) continue;
    if (terminated !== undefined) return `Init:${endText(terminated)}`;
    const reason = waiting?.reason ?? "";
    if (reason !== "" && reason !== "PodInitializing") return `Init:${reason}`;
    return `Init:${at}/${initContainers.length}`;
  }
  return undefined;
}

function reasonOf({ waiting, terminated }: ContainerState): string | undefined {
  if (waiting?.reason !== undefined && waiting.reason !== "") return waiting.reason;
  return terminated === undefined ? undefined : endText(terminated);
}

function endText({
  reason = "",
  signal = 0,
  exitCode,
}: NonNullable<ContainerState["terminated"]>): string {
  if (reason !== "") return reason;
  return signal === 0 ? `ExitCode:${exitCode}` : `Signal:${signal}`;
}

const statusesOf = ({ status }: Shown): readonly ContainerStatus[] => [
  ...(status?.containerStatuses ?? []),
  ...(status?.initContainerStatuses ?? []),
];

function sidecarStatuses({
  spec: { initContainers = [] },
  status,
}: Shown): readonly ContainerStatus[] {
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
  const names = new Set(sidecars.map(({ name }) => name));
  return (status?.initContainerStatuses ?? []).filter(({ name }) => names.has(name));
}

const isGated = (status: PodStatus | undefined): boolean =>
  status?.conditions?.some(
    ({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated",
  ) === true;

const hasTrue = (status: PodStatus | undefined, type: string): boolean =>
  status?.conditions?.some((one) => one.type === type && one.status === "True") === true;
