/** Ends a pod's containers: clients are led elsewhere, then hooks and signals, all within the grace. */
import { check } from "./check.ts";
import { openConnections } from "./connections.ts";
import { networkHolder } from "./facts.ts";
import { checkTarget, containersOf, type PodHands, specOf } from "./hands.ts";
import type { Launch } from "./launch.ts";
import type { Action } from "./plan.ts";
import type { PodWork } from "./spec.ts";

/** A pod that nobody knows any more has so long to end. */
const forgottenGraceSeconds = 2;
/** What is signalled late, after a hook or after the containers, has at least so long. */
const leastGraceSeconds = 2;
/** The drain question's limit: a part of the grace, at most this. */
const drainMaxMs = 10_000;
/** Open connections have so long to end, once no new ones come. */
const connectionsMaxMs = 3_000;
const connectionsPollMs = 50;
/** Where connections cannot be seen, they get this moment. */
const unseenMs = 1_000;

type Stop = Extract<Action, { do: "stop" }>;

export type Ending = {
  /** What is left of the pod's grace; undefined while it is not to end. */
  graceSeconds(): number | undefined;
  drained(): boolean;
  drain(): Promise<void>;
  end(stop: Stop): Promise<void>;
  /** The grace has become shorter, or the pod is forgotten: what is being ended is cut short. */
  hurry(): void;
};

/** @param drains whether clients are led elsewhere before a pod is signalled (N6) */
export function ending(hands: PodHands, launch: Launch, drains: boolean): Ending {
  const { context, clock, signal } = hands;
  const { runtime } = context;
  let drained = false;
  /** When the first of its containers was signalled. */
  let signalledMs: number | undefined;

  const wholeGrace = (work: PodWork): number | undefined => {
    if (hands.forgotten()) return forgottenGraceSeconds;
    if (work.deletionTimestamp === undefined) return undefined;
    return work.deletionGracePeriodSeconds ?? work.spec.terminationGracePeriodSeconds;
  };
  const elapsedMs = () => (signalledMs === undefined ? 0 : clock.monotonicMs() - signalledMs);

  async function preStop({ id, container: name, graceSeconds }: Stop): Promise<boolean> {
    const container = specOf(hands, name);
    const handler = container?.lifecycle?.preStop;
    if (container === undefined || handler === undefined || graceSeconds <= 0) return false;
    const target = checkTarget(hands, id, container, handler, graceSeconds * 1_000);
    const { ok, message } = await check(target, { runtime, clock });
    if (!ok) hands.event("Warning", "FailedPreStopHook", `PreStopHook failed: ${message}`, name);
    return true;
  }

  async function end(stop: Stop): Promise<void> {
    const { id, container, graceSeconds, why } = stop;
    hands.event("Normal", "Killing", why, container);
    const beganMs = clock.monotonicMs();
    if (wholeGrace(hands.work()) !== undefined) signalledMs ??= beganMs;
    const hooked = await preStop(stop);
    const leftMs = graceSeconds * 1_000 - (clock.monotonicMs() - beganMs);
    await runtime.stop(id, Math.max(leftMs, hooked ? leastGraceSeconds * 1_000 : 0));
  }

  /** A stop that was asked for with a longer grace goes on in the engine. */
  async function cutShort(): Promise<void> {
    const graceMs = (wholeGrace(hands.work()) ?? 0) * 1_000;
    const leftMs = hands.forgotten() ? graceMs : Math.max(graceMs - elapsedMs(), 0);
    await clock.sleep(leftMs, signal);
    if (signal.aborted) return;
    const running = containersOf(hands).filter(({ state }) => state === "running");
    if (hands.forgotten()) await Promise.all(running.map(({ id }) => runtime.remove(id)));
    else await Promise.all(running.map(({ id }) => runtime.stop(id, 0)));
  }

  /** N6: asks, then gives connections that are still open their moment. */
  async function drain(): Promise<void> {
    const graceMs = (wholeGrace(hands.work()) ?? 0) * 1_000;
    const limitMs = Math.min(graceMs, drainMaxMs);
    if (limitMs > 0) {
      await context.control.drained(hands.work(), limitMs);
      const begunMs = clock.monotonicMs();
      while (!signal.aborted && !hands.forgotten()) {
        const open = await connections();
        const maxMs = Math.min(graceMs, open === undefined ? unseenMs : connectionsMaxMs);
        if (open === 0 || clock.monotonicMs() - begunMs >= maxMs) break;
        await clock.sleep(connectionsPollMs, signal);
      }
    }
    drained = true;
  }

  /** Undefined: they cannot be seen from here. */
  async function connections(): Promise<number | undefined> {
    if (hands.work().spec.hostNetwork) return 0; // Its connections cannot be told from the machine's.
    const holder = networkHolder(containersOf(hands));
    return holder === undefined || holder.pid === 0 ? 0 : openConnections(holder.pid);
  }

  return {
    graceSeconds() {
      const whole = wholeGrace(hands.work());
      if (whole === undefined) return undefined;
      const left = Math.ceil(whole - elapsedMs() / 1_000);
      return Math.max(left, Math.min(whole, leastGraceSeconds));
    },
    drained: () =>
      drained ||
      hands.forgotten() ||
      !drains ||
      hands.work().annotations["berth.dev/drain"] === "off",
    drain,
    end,
    hurry() {
      if (launch.busy("stop:") || launch.busy("drain")) launch.run("cut short", cutShort);
    },
  };
}
