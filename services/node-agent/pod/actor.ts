/** One pod's actor: decides from what is observed, carries it out, and tells its status. One turn at a time. */
import { dequal } from "dequal";
import type { ChangedRef } from "../../../libs/protocol/node.ts";
import { bell } from "../../../libs/telemetry/bell.ts";
import type { Clock, EpochMs } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { Observed } from "../runtime/runtime.ts";
import { adoptionOf } from "./adoption.ts";
import { claimsOf } from "./claimed-volumes.ts";
import { configRefsOf } from "./config-refs.ts";
import { decidePod } from "./decide.ts";
import { ending as podEnding } from "./ending.ts";
import type { PodFacts } from "./facts.ts";
import { addressOf, containersOf, fieldPath, type PodEvent, type PodHands } from "./hands.ts";
import { inTurn } from "./in-turn.ts";
import { launcher } from "./launch.ts";
import type { Action } from "./plan.ts";
import { probing } from "./probing.ts";
import { backOffEvents } from "./refusal-events.ts";
import { resizing as podResizing } from "./resizing.ts";
import { isMemory, isSidecar, lasting, type PodWork } from "./spec.ts";
import { hashOf } from "./spec-hash.ts";
import { podFolder } from "./folder.ts";
import { type NodeContext, refreshVolumes } from "./starter.ts";
import { podSources, tokensOf } from "./sources.ts";
import { starting as podStarting } from "./starting.ts";
import { type PodStatus, statusesIn } from "./status.ts";
import { terminationMessages } from "./termination-message.ts";
import { removeVolumes } from "./volumes.ts";

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
  configChanged(ref: ChangedRef): void;
  /** Stops acting; containers stay. */
  [Symbol.asyncDispose](): Promise<void>;
}

const turnRetryMs = 1_000;
const refreshRetryMs = 5_000;

export function podActor(options: ActorOptions): PodActor {
  const { context, clock, log, startTime } = options;
  const { uid } = options.work;
  const stop = new AbortController();
  const { signal } = stop;
  const wake = bell(clock);
  let work = options.work;
  let [forgotten, ended] = [false, false];
  let last: PodStatus | undefined;
  let refreshes = 0;
  let renewedAt: EpochMs | undefined;
  const replaced = new Set<string>();

  const hands: PodHands = {
    uid,
    context,
    clock,
    log,
    signal,
    work: () => work,
    forgotten: () => forgotten,
    event(type, reason, message, container) {
      const path = container === undefined ? undefined : fieldPath(work, container);
      options.event({ type, reason, message, ...(path !== undefined && { fieldPath: path }) });
    },
  };
  const launch = launcher(log, wake.ring);
  const probes = probing(hands, launch);
  const volumes = inTurn();
  const sources = podSources(context.control, clock);
  const starting = podStarting(hands, options.startSlot, { sources, inTurn: volumes });
  const ending = podEnding(hands, launch, options.drains);
  const sizes = podResizing(hands);
  const messages = terminationMessages(hands);
  const adoption = adoptionOf(lastingOf(hands));

  function facts(now: EpochMs): PodFacts {
    const containers = containersOf(hands);
    const graceSeconds = ending.graceSeconds();
    for (const id of replaced) if (!containers.some((one) => one.id === id)) replaced.delete(id);
    return {
      work,
      startTime,
      ending: graceSeconds === undefined ? undefined : { graceSeconds, drained: ending.drained() },
      containers,
      started: starting.started(),
      replaced,
      probes: probes.verdicts(),
      waiting: starting.waiting(now),
      resizes: sizes.trials(),
      messages: messages.read(),
      address: addressOf(hands),
      hostAddress: context.hostAddress,
      last,
      now,
    };
  }

  /** @returns when to look again though nothing happens */
  function turn(): EpochMs | undefined {
    const now = clock.now();
    const nextProbeAt = probes.runDue(now);
    const decision = decidePod(facts(now));
    if (decision.gone && !launch.busy("start:")) {
      finish(decision.status);
      return undefined;
    }
    if (!dequal(decision.status, last) && !isJudging()) {
      tellBackOffs(decision.status);
      last = decision.status;
      options.report(decision.status, false);
    }
    for (const action of decision.actions) carryOut(action);
    const renewAt = sources.renewAt();
    if (renewAt !== undefined && renewAt <= now) renewTokens(renewAt);
    const renewal = renewAt === renewedAt ? undefined : renewAt;
    const wakes = [nextProbeAt, decision.wakeAt, renewal, ...starting.nextShownAt(now)].filter(
      (at) => at !== undefined,
    );
    return wakes.length === 0 ? undefined : Math.min(...wakes);
  }

  const isJudging = () =>
    ending.graceSeconds() === undefined && adoption.isJudging(lastingOf(hands), probes.runs());

  function tellBackOffs(status: PodStatus): void {
    const before = new Map(
      statusesIn(last).map(({ name, state }) => [name, state.waiting?.reason]),
    );
    for (const { name, image, state } of statusesIn(status)) {
      const { reason = "", message = "" } = state.waiting ?? {};
      if (before.get(name) === reason) continue;
      for (const told of backOffEvents(reason, message, image))
        hands.event(told.type, told.reason, told.message, name);
    }
  }

  function finish(status: PodStatus): void {
    ended = true;
    last = status;
    launch.run("finish", async () => {
      await removeVolumes(podFolder(context.dataDir, uid));
      if (work.spec.volumes.some(isMemory)) await freeMemory();
      if (!forgotten) options.report(status, true);
    });
    launch.ended("finish").then(options.onEnded, options.onEnded);
  }

  async function freeMemory(): Promise<void> {
    try {
      await context.runtime.freeMemory(uid);
    } catch (error) {
      log.warn({ err: error, uid }, "a pod's memory could not be freed"); // It is gone all the same.
    }
  }

  /** Once for each time that is due: the refresh itself goes on until it is done. */
  function renewTokens(due: EpochMs): void {
    if (due === renewedAt) return;
    renewedAt = due;
    refreshFiles();
  }

  /** What changes while a refresh is under way is in the next one. */
  function refreshFiles(): void {
    if (work.spec.volumes.length === 0 || containersOf(hands).length === 0) return;
    refreshes += 1;
    const nth = refreshes;
    launch.run(`volumes:${nth}`, async () => {
      while (nth === refreshes && !signal.aborted && !ended) {
        try {
          const address = addressOf(hands);
          return await volumes(() => refreshVolumes(context, { work, address, sources }));
        } catch (error) {
          log.warn({ err: error, uid }, "a pod's files could not be refreshed");
          await clock.sleep(refreshRetryMs, signal);
        }
      }
    });
  }

  function carryOut(action: Action): void {
    switch (action.do) {
      case "start":
        return launch.run(`start:${action.container}`, () => starting.start(action));
      case "stop":
        if (action.replace) replaced.add(action.id);
        return launch.run(`stop:${action.id}`, () => ending.end(action));
      case "remove":
        return launch.run(`remove:${action.id}`, () => context.runtime.remove(action.id));
      case "resize":
        return launch.run(`resize:${action.id}`, () => sizes.resize(action));
      case "drain":
        return launch.run("drain", () => ending.drain());
      default:
        action satisfies never;
    }
  }

  async function live(): Promise<void> {
    await starting.load();
    // Of what runs already nobody knows how old its tokens are.
    if (tokensOf(work).length > 0) refreshFiles();
    while (!signal.aborted) {
      let wakeAt: EpochMs | undefined;
      try {
        await messages.gather();
        if (signal.aborted) return;
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
      const before = work;
      work = next;
      for (const name of changedContainers(before, next)) starting.definitionChanged(name);
      if (isHastier(before, next)) ending.hurry();
      if (!dequal(shownOf(before), shownOf(next))) refreshFiles();
      wake.ring();
    },
    forget() {
      forgotten = true;
      ending.hurry();
      wake.ring();
    },
    forgotten: () => forgotten,
    ended: () => ended && !launch.busy(),
    wake: wake.ring,
    configChanged({ kind, namespace, name }) {
      const isClaim = kind === "PersistentVolumeClaim";
      const named = isClaim
        ? claimsOf(work).some((one) => one.name === name)
        : configRefsOf(work).some((one) => one.kind === kind && one.name === name);
      if (namespace !== work.namespace || !named) return;
      starting.configChanged();
      if (!isClaim) refreshFiles(); // What is mounted of a claim is the same.
      wake.ring();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await living;
    },
  };
}

/** Without init containers that run to their end (they have, of what runs) and ephemeral ones. */
function lastingOf(hands: PodHands): readonly Observed[] {
  const { initContainers, ephemeralContainers } = hands.work().spec;
  const passing = [...initContainers.filter((one) => !isSidecar(one)), ...ephemeralContainers].map(
    ({ name }) => name,
  );
  return containersOf(hands).filter(({ container }) => !passing.includes(container));
}

/** What of it files may show. */
const shownOf = ({ labels, annotations, spec }: PodWork) => ({
  labels,
  annotations,
  sizes: lasting(spec).map(({ resources }) => resources),
});

function changedContainers(before: PodWork, after: PodWork): readonly string[] {
  const hashes = new Map(allOf(before).map((one) => [one.name, hashOf(one)]));
  return allOf(after)
    .filter((one) => hashes.get(one.name) !== hashOf(one))
    .map(({ name }) => name);
}
const allOf = ({ spec }: PodWork) => [...spec.initContainers, ...spec.containers];

/** Whether a pod that was to end already is to end sooner. */
const isHastier = (before: PodWork, after: PodWork): boolean =>
  before.deletionTimestamp !== undefined &&
  (after.deletionGracePeriodSeconds ?? Infinity) < (before.deletionGracePeriodSeconds ?? Infinity);
