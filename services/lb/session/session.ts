/**
 * The lb's talk with the controllers: hints and snapshots in, heartbeats out. It keeps the machine's
 * dataplane and names equal to what is known, and acknowledges what it has applied (N6).
 */
import type { Bus, Message } from "../../../libs/bus/bus.ts";
import {
  type LbHeartbeat,
  lbHeartbeatReply,
  lbSnapshot,
  type LbSnapshotRequest,
} from "../../../libs/protocol/lb.ts";
import { controlSubject, lbId, serviceHints, sliceHints } from "../../../libs/protocol/subjects.ts";
import type { Memory } from "../../../libs/machine/file-memory.ts";
import { bell } from "../../../libs/telemetry/bell.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { type SingleFlight, singleFlight } from "../../../libs/telemetry/single-flight.ts";
import type { Random } from "../../../libs/telemetry/random.ts";
import { keyOfHint, known, type KnownNow, restored } from "./known.ts";

export type SessionOptions = {
  readonly machine: string;
  /** Waits for NATS, however long it is away. */
  readonly connect: () => Promise<Bus>;
  readonly memory: Memory;
  /** Makes the machine do as what is known says; throws when it cannot. */
  readonly apply: (state: KnownNow) => Promise<void>;
  /** Restores what others changed; called now and then, never during `apply`. */
  readonly repair: () => Promise<void>;
  /** The controllers have taken a heartbeat, and what is known is applied or on its way to be. */
  readonly onWorking: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
};

const heartbeatMs = 1_000;
/** How long a hint that is on its way may take before the whole is asked for. */
const hintGraceMs = 250;
/** How long a start waits for the controllers before it uses what is on disk. */
const startPatienceMs = 2_000;
const applyRetryMs = 500;
/** The whole is asked for so often, whatever the hints say: nodes come only with it. */
const syncEveryMs = 30_000;
/** At least so long between two that an endpoint on a node unknown here asks for. */
const unknownNodeMs = 2_000;
const repairEveryMs = 5_000;
/** Between the first hint and its application: hints that are here already are applied with it. */
const gatherMs = 1;

/** Runs until `signal` aborts. The dataplane is left as it is: data flows on. */
export async function runSession(options: SessionOptions): Promise<void> {
  const { machine, clock, log, signal } = options;
  const boot = options.random.uuid();
  const state = known();
  const wake = { apply: bell(clock), beat: bell(clock) };
  /** What the dataplane was made of. */
  let applied = { revision: 0, digest: state.now().digest };
  let [behindSinceMs, syncedAtMs]: [number | undefined, number] = [undefined, 0];
  let [unsaved, failing] = [false, false];

  await Promise.all([talking(), applying()]);

  async function talking(): Promise<void> {
    const bus = await Promise.race([options.connect(), aborted(signal)]);
    if (bus === undefined) return;
    await using _bus = bus;
    await using _services = await bus.subscribe(serviceHints, heard);
    await using _slices = await bus.subscribe(sliceHints, heard);
    using _reconnects = bus.onReconnect(wake.beat.ring);
    // Beside the heartbeats: an lb that waits for an answer is not silent, it counts (N6).
    await using syncing = singleFlight((error) => log.debug({ err: error }, "no snapshot came"));
    await beating(bus, syncing);
  }

  /** A hint: a write of one Service or slice. */
  function heard(message: Message): void {
    const revision = Number(message.header("nats-sequence"));
    if (!Number.isSafeInteger(revision) || revision <= 0) return;
    const deleted = message.header("nats-rollup") !== undefined;
    const hint = { key: keyOfHint(message.subject), revision, deleted, object: parsed(message) };
    if (state.hint(hint)) wake.apply.ring();
  }

  async function beating(bus: Bus, syncing: SingleFlight): Promise<void> {
    while (!signal.aborted) {
      const begunMs = clock.monotonicMs();
      try {
        await beat(bus, syncing);
      } catch (error) {
        log.debug({ err: error }, "no controllers answered"); // They, or NATS, are away: the machine goes on.
      }
      if (unsaved) await remember();
      // One a second also when none is answered.
      await wake.beat.wait(Math.max(heartbeatMs - (clock.monotonicMs() - begunMs), 0), signal);
    }
  }

  async function beat(bus: Bus, syncing: SingleFlight): Promise<void> {
    const heartbeat: LbHeartbeat = {
      machine,
      boot,
      applied: applied.revision,
      digest: applied.digest,
    };
    const answer = await ask(bus, "heartbeat", heartbeat, heartbeatMs);
    const reply = lbHeartbeatReply.parse(answer);
    if (!failing) options.onWorking();
    if (state.learn(reply.cluster)) wake.apply.ring();
    const held = state.now().revision;
    const behind = reply.lastRevision > held;
    if (!behind) behindSinceMs = undefined;
    else behindSinceMs ??= clock.monotonicMs();
    const late = behindSinceMs !== undefined && clock.monotonicMs() - behindSinceMs >= hintGraceMs;
    const sinceSyncMs = clock.monotonicMs() - syncedAtMs;
    const old =
      sinceSyncMs > syncEveryMs || (sinceSyncMs > unknownNodeMs && state.hasUnknownNode());
    if (held === 0 || reply.differs || late || old) {
      syncing.start(() => sync(bus));
    } else if (behind) {
      await clock.sleep(hintGraceMs, signal);
      wake.beat.ring();
    }
  }

  async function sync(bus: Bus): Promise<void> {
    const request: LbSnapshotRequest = { machine, applied: state.now().revision };
    const snapshot = lbSnapshot.parse(await ask(bus, "snapshot", request, 5_000));
    if (snapshot.cut < request.applied) return; // From an instance that lags (N3): ask again later.
    state.sync(snapshot);
    [behindSinceMs, syncedAtMs] = [undefined, clock.monotonicMs()];
    wake.apply.ring();
  }

  async function ask(
    bus: Bus,
    verb: "heartbeat" | "snapshot",
    body: unknown,
    timeoutMs: number,
  ): Promise<unknown> {
    const data = new TextEncoder().encode(JSON.stringify(body));
    const subject = controlSubject(lbId(machine), verb);
    const answer = await bus.request(subject, data, { timeoutMs, signal });
    return JSON.parse(new TextDecoder().decode(answer)) as unknown;
  }

  /** One application at a time, each of the newest state: updates that wait are applied as one. */
  async function applying(): Promise<void> {
    await wake.apply.wait(startPatienceMs, signal);
    if (state.now().revision === 0) await fromDisk();
    let rung = true;
    while (!signal.aborted) {
      try {
        await (rung ? applyNewest() : options.repair());
        failing = false;
        rung = await wake.apply.wait(repairEveryMs, signal);
        if (rung) await clock.sleep(gatherMs, signal);
      } catch (error) {
        failing = true;
        log.error({ err: error }, "could not apply the rules");
        await clock.sleep(applyRetryMs, signal);
        rung = true;
      }
    }
  }

  async function applyNewest(): Promise<void> {
    const next = state.now();
    if (next.revision === 0 || next.cluster === undefined) return;
    const beganMs = clock.monotonicMs();
    await options.apply(next);
    const tookMs = Math.round(clock.monotonicMs() - beganMs);
    log.debug({ revision: next.revision, tookMs }, "applied");
    const isNew = next.revision !== applied.revision || next.digest !== applied.digest;
    applied = { revision: next.revision, digest: next.digest };
    unsaved = true;
    if (isNew) wake.beat.ring();
  }

  async function fromDisk(): Promise<void> {
    const last = restored(await options.memory.load());
    if (last?.cluster === undefined || state.now().revision > 0) return;
    try {
      await options.apply(last);
      log.info({ services: last.services.length }, "routes as last known");
    } catch (error) {
      log.error({ err: error }, "could not apply the last known rules");
    }
  }

  async function remember(): Promise<void> {
    unsaved = false;
    try {
      await options.memory.save(state.saved());
    } catch (error) {
      log.warn({ err: error }, "could not keep the state on disk"); // Only a start without NATS needs it.
    }
  }
}

function parsed(message: Message): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(message.data)) as unknown;
  } catch {
    return undefined; // Not an object of ours; its revision still counts, and nothing is routed by it.
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  if (signal.aborted) resolve(undefined);
  signal.addEventListener("abort", () => resolve(undefined), { once: true });
  return promise;
}
