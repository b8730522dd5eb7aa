/**
 * The agent's talk with the controllers: heartbeats, hints and snapshots of its assignments, reports,
 * configuration, drain questions. It decides nothing about pods.
 */
import type { Bus, Message } from "../../../libs/bus/bus.ts";
import {
  type ChangedRef,
  type ClaimRef,
  type ConfigRef,
  drainAnswer,
  type DrainQuestion,
  nodeChanged,
  nodeConfig,
  type NodeConfig,
  type NodeConfigRequest,
  type NodeFacts,
  type NodeHeartbeat,
  nodeHeartbeatReply,
  type NodeHeartbeatReply,
  type NodeReport,
  type TokenRef,
  nodeReportReply,
  nodeSnapshot,
  type NodeSnapshotRequest,
  type VolumesRemoved,
} from "../../../libs/protocol/node.ts";
import {
  assignHints,
  controlSubject,
  type ControlVerb,
  hintSubject,
  nodeSubject,
  untoken,
} from "../../../libs/protocol/subjects.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { bell } from "../../../libs/telemetry/bell.ts";
import { type SingleFlight, singleFlight } from "../../../libs/telemetry/single-flight.ts";
import type { Memory } from "../../../libs/machine/file-memory.ts";
import type { Known } from "./known.ts";
import type { Reports } from "./reports.ts";

export type ConfigAsked = {
  readonly refs: readonly ConfigRef[];
  readonly claims: readonly ClaimRef[];
  readonly tokens: readonly TokenRef[];
};

/** What pods ask of the control plane. */
export interface ControlPlane {
  /** @throws when nobody answers */
  config(asked: ConfigAsked): Promise<NodeConfig>;
  /** Resolves when every lb has applied the pod's termination, or at `limitMs`, answered or not (N6). */
  drained(pod: { namespace: string; name: string; uid: string }, limitMs: number): Promise<void>;
}

export type SessionOptions = {
  readonly node: string;
  readonly boot: string;
  /** Waits for NATS, however long it is away. */
  readonly connect: () => Promise<Bus>;
  readonly memory: Memory;
  readonly known: Known;
  readonly reports: Reports;
  readonly facts: () => Promise<NodeFacts>;
  /** What is known has changed; `proved`: what it lacks is gone, by a snapshot. */
  readonly onKnown: (proved: boolean) => void;
  /** The control plane has taken a heartbeat. */
  readonly onAccepted: () => void;
  readonly onGone: (uid: string) => void;
  readonly onConfigChanged: (ref: ChangedRef) => void;
  /** Nobody has these volumes any more: their directories are to be removed, and that is to be told. */
  readonly onUnclaimed: (volumes: readonly string[]) => void;
  /**
   * Another agent has the node's name (N5): nothing is to be done under it, until what is known
   * changes again. `engineId` is the other's engine, where that is sure.
   */
  readonly onRefused: (engineId: string | undefined) => void;
  /** Serves what others ask of the node, while it has its name. */
  readonly serve: (bus: Bus) => Promise<AsyncDisposable>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
};

export type NodeSession = ControlPlane & {
  /** Runs until the signal aborts. */
  run(): Promise<void>;
  /** There is something to report. */
  wakeReports(): void;
  /** The directories of these volumes are gone. @throws when nobody answers */
  volumesRemoved(volumes: readonly string[]): Promise<void>;
};

type Refusal = Extract<NodeHeartbeatReply, { accepted: false }>;

const heartbeatMs = 1_000;
/** Until the node has its pod range, and while it is behind, it asks this often. */
const hastyMs = 250;
/** How long a start waits for the control plane before it uses what is on disk. */
const startPatienceMs = 2_000;
/** After hints the whole is asked for, at the latest so long after them: a lost one shows by nothing else. */
const resyncMs = 10_000;
/** Reports gather so long: several pods that start together ride in one message. */
const gatherMs = 5;
const reportRetryMs = { first: 200, longest: 2_000 };
const requestMs = 5_000;
/** Between two questions of one drain. */
const drainRetryMs = 250;

export function nodeSession(options: SessionOptions): NodeSession {
  const { node, boot, known, reports, clock, log, signal } = options;
  const bootedAt = clock.now();
  const wake = { beat: bell(clock), reports: bell(clock), save: bell(clock) };
  let bus: Bus | undefined;
  let [syncedAtMs, unproved, synced] = [0, false, false];
  /** Whether the node's name is this agent's (N5); "alone": nobody answers, it goes on as it knew. */
  let standing: "unknown" | "accepted" | "refused" | "alone" = "unknown";
  let served: AsyncDisposable | undefined;
  const acts = () => standing === "accepted" || standing === "alone";
  /** An agent on another engine has the name: what this one knew is not to be run once it is alone. */
  let isAnothers = false;

  async function ask(verb: ControlVerb, body: unknown, timeoutMs: number): Promise<unknown> {
    if (bus === undefined) throw new Error("not connected to NATS yet");
    const data = new TextEncoder().encode(JSON.stringify(body));
    const answer = await bus.request(controlSubject(node, verb), data, { timeoutMs, signal });
    return JSON.parse(new TextDecoder().decode(answer));
  }

  async function talking(): Promise<void> {
    const aborted = new Promise<undefined>((resolve) =>
      signal.addEventListener("abort", () => resolve(undefined), { once: true }),
    );
    bus = await Promise.race([options.connect(), aborted]);
    if (bus === undefined) return;
    await using connected = bus;
    await using _hints = await connected.subscribe(assignHints(node), heard);
    await using _changed = await connected.subscribe(nodeSubject(node, "changed"), changed);
    await using _served = { [Symbol.asyncDispose]: stopServing };
    using _reconnects = connected.onReconnect(() => {
      unproved = true;
      wake.beat.ring();
      wake.reports.ring();
    });
    // Beside the heartbeats: a node that waits for an answer is not silent (N4).
    await using syncing = singleFlight((error) => log.debug({ err: error }, "no snapshot came"));
    await Promise.all([beating(connected, syncing), reporting()]);
  }

  async function stopServing(): Promise<void> {
    const serving = served;
    served = undefined;
    await serving?.[Symbol.asyncDispose]();
  }

  function heard(message: Message): void {
    const revision = Number(message.header("nats-sequence"));
    if (!Number.isSafeInteger(revision) || revision <= 0) return;
    const [, namespace = "", name = ""] = message.subject
      .slice(hintSubject("assign.").length)
      .split(".");
    const deleted = message.header("nats-rollup") !== undefined;
    const key = `${untoken(namespace)}/${untoken(name)}`;
    try {
      const value = deleted ? undefined : JSON.parse(new TextDecoder().decode(message.data));
      if (!known.hint({ key, revision, deleted, value }, clock.now())) return;
    } catch (error) {
      log.error({ err: error, key }, "an assignment could not be read");
      return;
    }
    unproved = true;
    if (!acts()) return;
    options.onKnown(false);
    wake.save.ring();
  }

  function changed(message: Message): void {
    const { data } = nodeChanged.safeParse(JSON.parse(new TextDecoder().decode(message.data)));
    if (data !== undefined) options.onConfigChanged(data.ref);
  }

  async function beating(connected: Bus, syncing: SingleFlight): Promise<void> {
    while (!signal.aborted) {
      const begunMs = clock.monotonicMs();
      let pauseMs = heartbeatMs;
      try {
        const facts = await options.facts();
        const applied = known.applied();
        const heartbeat: NodeHeartbeat = { node, boot, bootedAt, applied, facts };
        const reply = nodeHeartbeatReply.parse(await ask("heartbeat", heartbeat, heartbeatMs));
        if (reply.accepted) {
          [standing, isAnothers] = ["accepted", false];
          served ??= await options.serve(connected);
          options.onAccepted();
          pauseMs = accepted(reply, syncing);
          if (reply.unclaimed !== undefined) options.onUnclaimed(reply.unclaimed);
        } else {
          await refused(reply, facts.engineId);
        }
      } catch (error) {
        log.debug({ err: error }, "a heartbeat was not answered");
      }
      // One a second also when none is answered.
      await wake.beat.wait(Math.max(pauseMs - (clock.monotonicMs() - begunMs), 0), signal);
    }
  }

  async function refused({ reason, engineId }: Refusal, own: string): Promise<void> {
    // A successor on this engine keeps its own knowledge in the same place.
    const was = isAnothers;
    isAnothers = engineId !== undefined && engineId !== own;
    if (isAnothers && !was) wake.save.ring();
    if (standing !== "refused")
      log.error({ reason, engineId }, "another agent has the node's name");
    standing = "refused";
    synced = false; // Accepted again, it asks for the whole.
    options.onRefused(engineId);
    await stopServing();
  }

  /** @returns how long to wait for the next one */
  function accepted(
    reply: {
      readonly lastRevision: number;
      readonly podCIDR?: string | undefined;
      readonly cluster: NonNullable<ReturnType<Known["network"]>>["cluster"];
    },
    syncing: SingleFlight,
  ): number {
    const { podCIDR, cluster, lastRevision } = reply;
    if (podCIDR !== undefined && known.learn({ podCIDR, cluster })) {
      options.onKnown(false);
      wake.save.ring();
    }
    const stale = unproved && clock.monotonicMs() - syncedAtMs >= resyncMs;
    if (lastRevision > known.applied() || !synced || stale) syncing.start(sync);
    return podCIDR === undefined || !synced ? hastyMs : heartbeatMs;
  }

  async function sync(): Promise<void> {
    const request: NodeSnapshotRequest = { node, applied: known.applied(), first: !synced };
    unproved = false;
    const snapshot = nodeSnapshot.parse(await ask("snapshot", request, requestMs));
    if (standing !== "accepted") return; // Another agent has the name since (N5).
    if (!known.sync(snapshot, clock.now())) {
      unproved = true;
      return;
    }
    synced = true;
    syncedAtMs = clock.monotonicMs();
    options.onKnown(true);
    wake.save.ring();
  }

  async function reporting(): Promise<void> {
    let retryMs = 0;
    while (!signal.aborted) {
      await wake.reports.wait(retryMs === 0 ? undefined : retryMs, signal);
      await clock.sleep(gatherMs, signal);
      retryMs = (await reportAll())
        ? 0
        : Math.min(Math.max(retryMs * 2, reportRetryMs.first), reportRetryMs.longest);
    }
  }

  /** @returns whether nothing is left that waits for an answer */
  async function reportAll(): Promise<boolean> {
    for (
      let message = reports.take();
      message !== undefined && !signal.aborted;
      message = reports.take()
    ) {
      const report: NodeReport = { node, boot, applied: known.applied(), ...message };
      try {
        const reply = nodeReportReply.parse(await ask("report", report, requestMs));
        for (const uid of reports.answered(message.reports, reply)) options.onGone(uid);
        const answered = reply.results.filter(({ outcome }) => outcome !== "retry").length;
        if (answered < message.reports.length) return false;
      } catch (error) {
        log.debug({ err: error, pods: message.reports.length }, "reports were not answered");
        for (const event of message.events) reports.event(event);
        return false;
      }
    }
    return true;
  }

  async function fromDisk(): Promise<void> {
    const saved = await options.memory.load();
    await clock.sleep(startPatienceMs, signal);
    if (standing !== "unknown" || signal.aborted) return;
    if (!known.restore(saved)) return;
    standing = "alone";
    log.info({ pods: known.held().length }, "no control plane answers: runs what it last knew");
    options.onKnown(false);
  }

  async function saving(): Promise<void> {
    while (!signal.aborted) {
      await wake.save.wait(undefined, signal);
      try {
        await options.memory.save(isAnothers ? {} : known.saved());
      } catch (error) {
        log.warn({ err: error }, "could not keep the assignments on disk");
      }
    }
  }

  return {
    async run() {
      await Promise.all([talking(), fromDisk(), saving()]);
    },
    wakeReports: () => wake.reports.ring(),
    async config({ refs, claims, tokens }) {
      const request: NodeConfigRequest = {
        node,
        applied: known.applied(),
        refs: [...refs],
        claims: [...claims],
        tokens: [...tokens],
      };
      return nodeConfig.parse(await ask("config", request, requestMs));
    },
    async volumesRemoved(volumes) {
      const told: VolumesRemoved = { node, applied: known.applied(), volumes: [...volumes] };
      await ask("volumes", told, requestMs);
    },
    async drained({ namespace, name, uid }, limitMs) {
      const deadlineMs = clock.monotonicMs() + limitMs;
      // That an instance ends, or that none serves for a moment, is no answer: only time is (N6).
      for (let leftMs = limitMs; leftMs > 0 && !signal.aborted;) {
        const applied = known.applied();
        const question: DrainQuestion = { node, applied, namespace, name, uid, limitMs: leftMs };
        try {
          const { outcome } = drainAnswer.parse(await ask("drain", question, leftMs + 1_000));
          log.debug({ uid, outcome }, "drained");
          return;
        } catch (error) {
          log.debug({ err: error, uid }, "a drain question was not answered");
        }
        leftMs = deadlineMs - clock.monotonicMs();
        await clock.sleep(Math.min(drainRetryMs, Math.max(leftMs, 0)), signal);
        leftMs = deadlineMs - clock.monotonicMs();
      }
      log.warn({ uid }, "no drain question was answered: goes on without");
    },
  };
}
