/** What is told of a container that cannot start, in the kubelet's words. Pure. */
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import type { Waiting } from "./facts.ts";

export type Told = {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
};

/** Why a pull failed is shown so long, before it is shown as backed off. */
export const failureShownMs = 1_000;

const failed = (message: string): Told => ({ type: "Warning", reason: "Failed", message });

/**
 * Of a start that was refused: an image that cannot be had is told with its reason, and by its name;
 * a volume that cannot be had is the pod's trouble.
 */
export function refusalEvents(reason: string, message: string): readonly Told[] {
  if (reason === "ErrImagePull") return [failed(message), failed(`Error: ${reason}`)];
  if (reason === "FailedMount") return [{ type: "Warning", reason, message }];
  return [failed(`Error: ${message}`)];
}

/** Of a container that comes to wait for its next attempt; nothing of one that waits for something else. */
export function backOffEvents(reason: string, message: string, image: string): readonly Told[] {
  if (reason === "ImagePullBackOff") {
    const told = { type: "Normal", reason: "BackOff", message: backingOff(image) } as const;
    return [told, failed(`Error: ${reason}`)];
  }
  return reason.endsWith("BackOff") ? [{ type: "Warning", reason: "BackOff", message }] : [];
}

/** Kubernetes shows a failed pull first as it failed, then, while it waits, as backed off. */
export function asShown(held: Waiting, image: string, now: EpochMs): Waiting {
  const shown = held.since !== undefined && now - held.since >= failureShownMs;
  if (held.reason !== "ErrImagePull" || !shown) return held;
  const message = `${backingOff(image)}: ErrImagePull: ${held.message}`;
  return { ...held, reason: "ImagePullBackOff", message };
}

const backingOff = (image: string) => `Back-off pulling image "${image}"`;
