/** One pod's actor: decides from what is observed, carries it out, and tells its status. One turn at a time. */
import { dequal } from "dequal";
import type { ConfigRef } from "../../../libs/protocol/node.ts";
import type { Clock, EpochMs } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { type Observed, sandboxName } from "../runtime/runtime.ts";
import { bell } from "../../../libs/telemetry/bell.ts";
import { adoptionOf } from "./adoption.ts";
import { backoffMs } from "./backoff.ts";
import { check } from "./check.ts";
import { configRefsOf } from "./config-refs.ts";
import { openConnections } from "./connections.ts";
import { type Action, decidePod } from "./decide.ts";
import type { PodFacts, Waiting } from "./facts.ts";
import {
  beginProbes,
  dueProbes,
  type ProbeKind,
  type ProbeRuns,
  tookProbe,
  verdictOf,
} from "./probe.ts";
import { asShown, backOffEvents, failureShownMs, refusalEvents } from "./refusal-events.ts";
import type { Container, PodWork } from "./spec.ts";
import {
  type NodeContext,
  podFolder,
  refreshVolumes,
  startContainer,
  StartRefused,
} from "./starter.ts";
import type { PodStatus } from "./status.ts";
import { removeVolumes } from "./volumes.ts";

export type PodEvent = {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly fieldPath?: string;
};

export type ActorOptions = {
  readonly work: PodWork;
  readonly startTime: EpochMs;
  readonly context: NodeContext;
  readonly clock: Clock;
  readonly log: Log;
  /** Starts of the node that run at once are few: more only hinder one another. */
  readonly startSlot: <T>(run: () => Promise<T>) => Promise<T>;
  readonly report: (status: PodStatus, gone: boolean) => void;
  readonly event: (event: PodEvent) => void;
  /** All of it has ended and is removed. */
  readonly onEnded: () => void;
  /** Whether clients are led elsewhere before a pod is signalled (N6). */
  readonly drains: boolean;
};

export interface PodActor {
  readonly uid: string;
  work(): PodWork;
  update(work: PodWork): void;
  /** The control plane does not know the pod any more. */
  forget(): void;
  forgotten(): boolean;
  /** Nothing of it is left, and it has said so. */
  ended(): boolean;
  wake(): void;
  configChanged(ref: ConfigRef): void;
  /** Stops acting; containers stay. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A pod that nobody knows any more has so long to end. */
const forgottenGraceSeconds = 2;
/** The drain question's limit: a part of the grace, at most this. */
const drainMaxMs = 10_000;
/** Open connections have so long to end, once no new ones come. */
const connectionsMaxMs = 3_000;
const connectionsPollMs = 50;
/** Reasons that pass soon by themselves. */
const soonMs = 500;
const refusalMaxMs = 60_000;
const turnRetryMs = 1_000;
/** Where connections cannot be seen, they get this moment. */
const unseenMs = 1_000;

type Probing = { runs: ProbeRuns; readonly busy: Set<ProbeKind> };

export function podActor(options: ActorOptions): PodActor {
  const { context, clock, log, startTime } = options;
  const { runtime } = context;
  const { uid } = options.work;
  const stop = new AbortController();
  const { signal } = stop;
  const wake = bell(clock);
  let work = options.work;
  let [forgotten, drained, ended] = [false, false, false];
  let last: PodStatus | undefined;
  const waiting = new Map<string, Waiting>();
  const refusals = new Map<string, number>();
  const probing = new Map<string, Probing>();
  const inFlight = new Map<string, Promise<void>>();
  const adoption = adoptionOf(runtime.containers(uid));

  const containerOf = (name: string): Container | undefined =>
    [...work.spec.initContainers, ...work.spec.containers].find((one) => one.name === name);
  const fieldPath = (name: string) =>
    `spec.${work.spec.initContainers.some((one) => one.name === name) ? "initContainers" : "containers"}{${name}}`;
  const addressNow = (): string | undefined =>
    work.spec.hostNetwork
      ? context.hostAddress
      : runtime.containers(uid).find(({ address }) => address !== undefined)?.address;

  /** Runs beside the turns, once at a time for a key; wakes the actor when it is done. */
  function launch(key: string, run: () => Promise<void>): void {
    if (inFlight.has(key)) return;
    const running = run()
      .catch((error: unknown) =>
        log.error({ err: error, uid, action: key }, "an action on a pod failed"),
      )
      .finally(() => {
        inFlight.delete(key);
        wake.ring();
      });
    inFlight.set(key, running);
  }

  function facts(now: EpochMs): PodFacts {
    const containers = runtime.containers(uid);
    const graceSeconds = forgotten
      ? forgottenGraceSeconds
      : (work.deletionGracePeriodSeconds ?? work.spec.terminationGracePeriodSeconds);
    const ending = forgotten || work.deletionTimestamp !== undefined;
    const verdicts = [...probing].map(([id, { runs }]) => {
      const name = containers.find((one) => one.id === id)?.container ?? "";
      return [id, verdictOf(runs, name)] as const;
    });
    return {
      work,
      startTime,
      ending: ending
        ? {
            graceSeconds,
            drained:
              drained ||
              forgotten ||
              !options.drains ||
              work.annotations["berth.dev/drain"] === "off",
          }
        : undefined,
      containers,
      probes: new Map(verdicts),
      waiting: new Map(
        [...waiting].map(([name, held]) => [
          name,
          asShown(held, containerOf(name)?.image ?? "", now),
        ]),
      ),
      address: addressNow(),
      hostAddress: context.hostAddress,
      last,
      now,
    };
  }

  /** @returns when to look again though nothing happens */
  function turn(): EpochMs | undefined {
    const now = clock.now();
    const nextProbeAt = probe(now);
    const decision = decidePod(facts(now));
    const busyStarting = [...inFlight.keys()].some((key) => key.startsWith("start:"));
    if (decision.gone && !busyStarting) {
      finish(decision.status);
      return undefined;
    }
    if (!dequal(decision.status, last) && !isJudging()) {
      tellBackOffs(decision.status);
      last = decision.status;
      options.report(decision.status, false);
    }
    for (const action of decision.actions) carryOut(action);
    const shown = [...waiting.values()].map(({ since }) => (since ?? now) + failureShownMs);
    const wakes = [nextProbeAt, decision.wakeAt, ...shown.filter((at) => at > now)].filter(
      (at) => at !== undefined,
    );
    return wakes.length === 0 ? undefined : Math.min(...wakes);
  }

  const isJudging = () => {
    const runs = [...probing.values()].map((one) => one.runs);
    const ending = forgotten || work.deletionTimestamp !== undefined;
    return !ending && adoption.isJudging(runtime.containers(uid), runs);
  };

  function tellBackOffs(status: PodStatus): void {
    const before = new Map(
      last?.containerStatuses.map(({ name, state }) => [name, state.waiting?.reason]),
    );
    for (const { name, image, state } of status.containerStatuses) {
      const { reason = "", message = "" } = state.waiting ?? {};
      if (before.get(name) === reason) continue;
      for (const told of backOffEvents(reason, message, image)) {
        options.event({ ...told, fieldPath: fieldPath(name) });
      }
    }
  }

  function finish(status: PodStatus): void {
    ended = true;
    last = status;
    launch("finish", async () => {
      await removeVolumes(podFolder(context.dataDir, uid));
      if (!forgotten) options.report(status, true);
    });
    inFlight.get("finish")?.then(options.onEnded, options.onEnded);
  }

  function carryOut(action: Action): void {
    switch (action.do) {
      case "start":
        return launch(`start:${action.container}`, () => start(action));
      case "stop":
        return launch(`stop:${action.id}`, () => end(action));
      case "remove":
        return launch(`remove:${action.id}`, () => runtime.remove(action.id));
      case "drain":
        return launch("drain", drain);
      default:
        action satisfies never;
    }
  }

  async function start({
    container,
    attempt,
    failures,
  }: Extract<Action, { do: "start" }>): Promise<void> {
    const event = (type: PodEvent["type"], reason: string, message: string) =>
      options.event({
        type,
        reason,
        message,
        ...(container !== sandboxName && { fieldPath: fieldPath(container) }),
      });
    try {
      await options.startSlot(async () => {
        if (signal.aborted || forgotten || work.deletionTimestamp !== undefined) return;
        const request = {
          work,
          container,
          attempt,
          failures,
          event,
          now: () => clock.now(),
          signal,
        };
        await startContainer(context, request);
      });
      waiting.delete(container);
      refusals.delete(container);
      await postStart(container, event);
    } catch (error) {
      if (!(error instanceof StartRefused)) throw error;
      refuse(container, error, event);
    }
  }

  function refuse(
    container: string,
    { reason, message }: StartRefused,
    event: (type: "Warning", reason: string, message: string) => void,
  ): void {
    const now = clock.now();
    // Made but not started: it is observed as ended, and that has its own back-off.
    const begun = runtime
      .containers(uid)
      .some((one) => one.container === container && one.state === "exited");
    if (reason === "ContainerCreating" || (begun && reason === "RunContainerError")) {
      if (!begun) waiting.set(container, { reason, message, retryAt: now + soonMs });
      else event("Warning", "Failed", `Error: ${message}`);
      return;
    }
    const nth = (refusals.get(container) ?? 0) + 1;
    refusals.set(container, nth);
    const delayMs = reason.startsWith("ErrImage")
      ? backoffMs(nth)
      : Math.min(soonMs * 2 ** nth, refusalMaxMs);
    if (waiting.get(container)?.message !== message || nth <= 2) {
      for (const told of refusalEvents(reason, message)) {
        event("Warning", told.reason, told.message);
      }
    }
    waiting.set(container, { reason, message, retryAt: now + delayMs, since: now });
  }

  async function postStart(
    name: string,
    event: (type: "Warning", reason: string, message: string) => void,
  ): Promise<void> {
    const container = containerOf(name);
    const handler = container?.lifecycle?.postStart;
    const running = newestRunning(name);
    if (container === undefined || handler === undefined || running === undefined) return;
    const timeoutMs = work.spec.terminationGracePeriodSeconds * 1_000;
    const target = { handler, container, id: running.id, address: addressNow() ?? "", timeoutMs };
    const { ok, message } = await check(target, { runtime, clock });
    if (ok) return;
    event("Warning", "FailedPostStartHook", `PostStartHook failed: ${message}`);
    await runtime.stop(running.id, timeoutMs);
  }

  async function end({
    id,
    container,
    graceSeconds,
    why,
  }: Extract<Action, { do: "stop" }>): Promise<void> {
    options.event({
      type: "Normal",
      reason: "Killing",
      message: why,
      fieldPath: fieldPath(container),
    });
    const endsAtMs = clock.monotonicMs() + graceSeconds * 1_000;
    const found = containerOf(container);
    const handler = found?.lifecycle?.preStop;
    if (found !== undefined && handler !== undefined && graceSeconds > 0) {
      const target = {
        handler,
        container: found,
        id,
        address: addressNow() ?? "",
        timeoutMs: graceSeconds * 1_000,
      };
      const { ok, message } = await check(target, { runtime, clock });
      if (!ok) {
        options.event({
          type: "Warning",
          reason: "FailedPreStopHook",
          message: `PreStopHook failed: ${message}`,
          fieldPath: fieldPath(container),
        });
      }
    }
    await runtime.stop(id, Math.max(endsAtMs - clock.monotonicMs(), 0));
  }

  async function cutShort(): Promise<void> {
    await clock.sleep(forgottenGraceSeconds * 1_000, signal);
    if (signal.aborted) return;
    await Promise.all(runtime.containers(uid).map(({ id }) => runtime.remove(id)));
  }

  /** N6: asks, then gives connections that are still open their moment. */
  async function drain(): Promise<void> {
    const graceMs =
      (work.deletionGracePeriodSeconds ?? work.spec.terminationGracePeriodSeconds) * 1_000;
    const limitMs = Math.min(graceMs, drainMaxMs);
    if (limitMs > 0) {
      await context.control.drained(work, limitMs);
      const begunMs = clock.monotonicMs();
      while (!signal.aborted && !forgotten) {
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
    if (work.spec.hostNetwork) return 0; // Its connections cannot be told from the machine's.
    const running = runtime.containers(uid).find(({ state }) => state === "running");
    return running === undefined || running.pid === 0 ? 0 : openConnections(running.pid);
  }

  function probe(now: EpochMs): EpochMs | undefined {
    const running = runtime
      .containers(uid)
      .filter(({ state, container }) => state === "running" && container !== sandboxName);
    for (const id of probing.keys()) if (!running.some((one) => one.id === id)) probing.delete(id);
    const wakes: EpochMs[] = [];
    for (const { id, container: name, startedAt } of running) {
      const container = containerOf(name);
      if (container === undefined) continue;
      const state = probing.get(id) ?? {
        runs: beginProbes(container, startedAt ?? now),
        busy: new Set(),
      };
      probing.set(id, state);
      const { due, nextAt } = dueProbes(state.runs, now);
      if (nextAt !== undefined) wakes.push(nextAt);
      for (const kind of due) launch(`probe:${kind}:${id}`, () => runProbe(id, container, kind));
    }
    return wakes.length === 0 ? undefined : Math.min(...wakes);
  }

  async function runProbe(id: string, container: Container, kind: ProbeKind): Promise<void> {
    const handler = container[`${kind}Probe`];
    if (handler === undefined) return;
    const target = {
      handler,
      container,
      id,
      address: addressNow() ?? "",
      timeoutMs: handler.timeoutSeconds * 1_000,
    };
    const { ok, message } = await check(target, { runtime, clock });
    const state = probing.get(id);
    if (state === undefined || signal.aborted) return;
    state.runs = tookProbe(state.runs, kind, ok, clock.now());
    if (ok) return;
    const what = `${kind[0]?.toUpperCase()}${kind.slice(1)}`;
    options.event({
      type: "Warning",
      reason: "Unhealthy",
      message: `${what} probe failed: ${message}`,
      fieldPath: fieldPath(container.name),
    });
  }

  const newestRunning = (name: string): Observed | undefined =>
    runtime.containers(uid).find((one) => one.container === name && one.state === "running");

  async function live(): Promise<void> {
    while (!signal.aborted) {
      let wakeAt: EpochMs | undefined;
      try {
        wakeAt = turn();
      } catch (error) {
        log.error({ err: error, uid }, "a pod's turn failed");
        wakeAt = clock.now() + turnRetryMs;
      }
      if (ended) return;
      await wake.wait(wakeAt === undefined ? undefined : Math.max(wakeAt - clock.now(), 0), signal);
    }
  }
  const living = live();

  return {
    uid,
    work: () => work,
    update(next) {
      work = next;
      wake.ring();
    },
    forget() {
      forgotten = true;
      // A stop that was asked for with a longer grace goes on in the engine: it is cut short.
      const stopping = [...inFlight.keys()].some(
        (key) => key.startsWith("stop:") || key === "drain",
      );
      if (stopping) launch("cut short", cutShort);
      wake.ring();
    },
    forgotten: () => forgotten,
    ended: () => ended && inFlight.size === 0,
    wake: () => wake.ring(),
    configChanged({ kind, namespace, name }) {
      const named = configRefsOf(work).some((one) => one.kind === kind && one.name === name);
      if (namespace !== work.namespace || !named) return;
      for (const [container, { reason }] of waiting) {
        if (reason === "CreateContainerConfigError") waiting.delete(container);
      }
      if (work.spec.volumes.length > 0 && runtime.containers(uid).length > 0) {
        launch("volumes", () => refreshVolumes(context, work, addressNow()));
      }
      wake.ring();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await living;
    },
  };
}
