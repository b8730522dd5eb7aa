/** What the parts of a pod's actor share: the pod as it is now, and the ports to act on it. */
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { Observed } from "../runtime/runtime.ts";
import type { CheckTarget } from "./check.ts";
import { allContainers, type Container, type Handler, type PodWork } from "./spec.ts";
import type { NodeContext } from "./starter.ts";

export type PodEvent = {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly fieldPath?: string;
};

export type PodHands = {
  readonly uid: string;
  readonly context: NodeContext;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the actor stops acting. */
  readonly signal: AbortSignal;
  work(): PodWork;
  /** The control plane does not know the pod any more. */
  forgotten(): boolean;
  /** @param container whose it is; absent or the sandbox's: the pod's */
  event(type: PodEvent["type"], reason: string, message: string, container?: string): void;
};

export const containersOf = ({ uid, context }: PodHands): readonly Observed[] =>
  context.runtime.containers(uid);

export const specOf = (hands: PodHands, name: string): Container | undefined =>
  allContainers(hands.work().spec).find((one) => one.name === name);

/** The pod's address; undefined while it has none. */
export const addressOf = (hands: PodHands): string | undefined =>
  hands.work().spec.hostNetwork
    ? hands.context.hostAddress
    : containersOf(hands).find(({ address }) => address !== undefined)?.address;

export const checkTarget = (
  hands: PodHands,
  id: string,
  container: Container,
  handler: Handler,
  timeoutMs: number,
): CheckTarget => ({ handler, container, id, address: addressOf(hands) ?? "", timeoutMs });

/** As Events name the part of a pod that they are about. */
export function fieldPath({ spec }: PodWork, name: string): string | undefined {
  const lists = ["initContainers", "containers", "ephemeralContainers"] as const;
  const list = lists.find((one) => spec[one].some((container) => container.name === name));
  return list === undefined ? undefined : `spec.${list}{${name}}`;
}
