/** Starts a pod's containers, and remembers what was refused, and what ever ran. */
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { sandboxName } from "../runtime/runtime.ts";
import { backoffMs } from "./backoff.ts";
import { check } from "./check.ts";
import type { Waiting } from "./facts.ts";
import { checkTarget, containersOf, type PodHands, specOf } from "./hands.ts";
import type { InTurn } from "./in-turn.ts";
import type { Action } from "./plan.ts";
import { asShown, failureShownMs, refusalEvents } from "./refusal-events.ts";
import { podFolder } from "./folder.ts";
import { VolumePending } from "./volumes.ts";
import { startContainer, StartRefused } from "./starter.ts";
import type { PodSources } from "./sources.ts";
import { noteStarted, startedAttempts } from "./started.ts";

/** Reasons that pass soon by themselves. */
const soonMs = 500;
const refusalMaxMs = 60_000;

export type Starting = {
  /** Reads what ran before this agent did. */
  load(): Promise<void>;
  start(action: Extract<Action, { do: "start" }>): Promise<void>;
  waiting(now: EpochMs): ReadonlyMap<string, Waiting>;
  /** By container, the highest attempt that was ever started. */
  started(): ReadonlyMap<string, number>;
  /** When something is to be shown otherwise though nothing changes. */
  nextShownAt(now: EpochMs): readonly EpochMs[];
  /** What was missing may be there now. */
  configChanged(): void;
  /** Its definition is another: what was refused is not what is tried next. */
  definitionChanged(container: string): void;
};

/**
 * @param startSlot starts of the node that run at once are few: more only hinder one another
 * @param volumes what the pod's volumes are made of, and whose turn it is to write them
 */
export function starting(
  hands: PodHands,
  startSlot: (run: () => Promise<void>) => Promise<void>,
  { sources, inTurn }: { readonly sources: PodSources; readonly inTurn: InTurn },
): Starting {
  const { uid, context, clock, log, signal } = hands;
  const waiting = new Map<string, Waiting>();
  const refusals = new Map<string, number>();
  const started = new Map<string, number>();
  /** Refused for what a ConfigMap, a Secret or the machine lacked. */
  const lacking = new Set<string>();
  const folder = podFolder(context.dataDir, uid);

  const imageOf = (name: string) => specOf(hands, name)?.image ?? "";
  const raise = (container: string, attempt: number) =>
    started.set(container, Math.max(attempt, started.get(container) ?? 0));

  async function start({ container, attempt, failures }: Extract<Action, { do: "start" }>) {
    try {
      await startSlot(async () => {
        const work = hands.work();
        if (signal.aborted || hands.forgotten() || work.deletionTimestamp !== undefined) return;
        await startContainer(context, {
          work,
          container,
          attempt,
          failures,
          event: (type, reason, message) => hands.event(type, reason, message, container),
          now: () => clock.now(),
          sources,
          inTurn,
          signal,
        });
        if (container !== sandboxName) await note(container, attempt);
      });
      waiting.delete(container);
      refusals.delete(container);
      await postStart(container);
    } catch (error) {
      if (!(error instanceof StartRefused)) throw error;
      refuse(container, error);
    }
  }

  async function note(container: string, attempt: number): Promise<void> {
    raise(container, attempt);
    try {
      await noteStarted(folder, container, attempt);
    } catch (error) {
      log.warn({ err: error, uid }, "a container's attempt could not be kept on disk");
    }
  }

  function refuse(container: string, { reason, message, cause }: StartRefused): void {
    const now = clock.now();
    // Made but not started: it is observed as ended, and that has its own back-off.
    const begun = containersOf(hands).some(
      (one) => one.container === container && one.state === "exited",
    );
    if (begun && reason === "RunContainerError")
      return hands.event("Warning", "Failed", `Error: ${message}`, container);
    if (reason === "ContainerCreating") {
      waiting.set(container, { reason, message, retryAt: now + soonMs });
      return;
    }
    const nth = (refusals.get(container) ?? 0) + 1;
    refusals.set(container, nth);
    const delayMs = reason.startsWith("ErrImage")
      ? backoffMs(nth)
      : Math.min(soonMs * 2 ** nth, refusalMaxMs);
    const mount = reason === "FailedMount";
    const isNews = waiting.get(container)?.message !== message || nth <= 2;
    if (isNews && !(nth === 1 && cause instanceof VolumePending)) {
      for (const told of refusalEvents(reason, message))
        hands.event(told.type, told.reason, told.message, mount ? undefined : container);
    }
    // A volume that cannot be had shows as an Event alone, as in Kubernetes.
    const shown = mount ? { reason: "ContainerCreating", message: "" } : { reason, message };
    waiting.set(container, { ...shown, retryAt: now + delayMs, since: now });
    if (mount || reason === "CreateContainerConfigError") lacking.add(container);
    else lacking.delete(container);
  }

  async function postStart(name: string): Promise<void> {
    const container = specOf(hands, name);
    const handler = container?.lifecycle?.postStart;
    const running = containersOf(hands).find(
      (one) => one.container === name && one.state === "running",
    );
    if (container === undefined || handler === undefined || running === undefined) return;
    const timeoutMs = hands.work().spec.terminationGracePeriodSeconds * 1_000;
    const target = checkTarget(hands, running.id, container, handler, timeoutMs);
    const { ok, message } = await check(target, { runtime: context.runtime, clock });
    if (ok) return;
    hands.event("Warning", "FailedPostStartHook", `PostStartHook failed: ${message}`, name);
    await context.runtime.stop(running.id, timeoutMs);
  }

  return {
    async load() {
      for (const [container, attempt] of await startedAttempts(folder)) raise(container, attempt);
      for (const { container, attempt, state } of containersOf(hands))
        if (state !== "created" && container !== sandboxName) raise(container, attempt);
    },
    start,
    waiting: (now) =>
      new Map([...waiting].map(([name, held]) => [name, asShown(held, imageOf(name), now)])),
    started: () => started,
    nextShownAt: (now) =>
      [...waiting.values()]
        .flatMap(({ since }) => (since === undefined ? [] : [since + failureShownMs]))
        .filter((at) => at > now),
    configChanged() {
      for (const container of lacking) waiting.delete(container);
      lacking.clear();
    },
    definitionChanged(container) {
      waiting.delete(container);
      refusals.delete(container);
    },
  };
}
