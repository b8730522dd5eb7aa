import type { Pod } from "../../../libs/model/kinds/pod.ts";
import { timeOf } from "../../../libs/model/time.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";

/** What a node says of a pod. */
export type Report = {
  readonly phase: "Pending" | "Running" | "Succeeded" | "Failed";
  readonly ready?: boolean;
  /** Of all containers, or of each. */
  readonly restarts?: number | readonly number[];
  /** Of all containers that have ended, or of each; 0 of a pod that succeeded, else 1. */
  readonly exitCode?: number | readonly number[];
  /** Types of conditions that are true beside Ready. */
  readonly conditions?: readonly string[];
};

export const ready: Report = { phase: "Running", ready: true };
export const running: Report = { phase: "Running" };
export const pulling: Report = { phase: "Pending" };
export const succeeded: Report = { phase: "Succeeded" };
export const failed: Report = { phase: "Failed" };

/** The pod's status with what is said now; a readiness that stays keeps its time. */
export function podStatus(pod: Pod, said: Report, now: EpochMs): unknown {
  const { phase, ready: isReady = false, restarts = 0, conditions = [] } = said;
  const before = pod.status?.conditions ?? [];
  const status = isReady ? "True" : "False";
  const was = before.find(({ type }) => type === "Ready");
  const stays = was?.status === status && phase === pod.status?.phase;
  const since = stays ? was.lastTransitionTime : timeOf(now);
  const told = ["Ready", ...conditions];
  const over = phase === "Succeeded" || phase === "Failed";
  const exitCode = said.exitCode ?? (phase === "Succeeded" ? 0 : 1);
  return {
    ...pod.status,
    phase,
    conditions: [
      ...before.filter(({ type }) => !told.includes(type)),
      { type: "Ready", status, lastTransitionTime: since },
      ...conditions.map((type) => ({ type, status: "True" })),
    ],
    containerStatuses: pod.spec.containers.map(({ name, image }, nth) => ({
      name,
      image,
      imageID: "",
      ready: isReady,
      restartCount: numberOf(restarts, nth),
      state: over
        ? { terminated: { exitCode: numberOf(exitCode, nth) } }
        : phase === "Running"
          ? { running: {} }
          : {},
    })),
  };
}

const numberOf = (numbers: number | readonly number[], nth: number): number =>
  typeof numbers === "number" ? numbers : (numbers[nth] ?? 0);
