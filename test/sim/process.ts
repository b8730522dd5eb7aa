/** A process of the simulated cluster: it starts, is killed between any two effects, or told to stop. */
import { busOn } from "../../libs/bus/bus-on.ts";
import type { Bus } from "../../libs/bus/bus.ts";
import type { MemoryNetwork } from "../../libs/bus/memory.ts";
import type { MemoryBucket } from "../../libs/store/memory-bucket.ts";
import type { MemoryFaults } from "../../libs/store/memory-faults.ts";
import type { MemoryMemberships } from "../../libs/store/memory-memberships.ts";
import { memoryStore } from "../../libs/store/memory.ts";
import type { Member, Memberships } from "../../libs/store/memberships.ts";
import type { Store } from "../../libs/store/store.ts";
import type { Clock } from "../../libs/telemetry/clock.ts";
import type { Log } from "../../libs/telemetry/log.ts";
import type { Random } from "../../libs/telemetry/random.ts";
import type { Answers } from "./answers.ts";
import type { Chaos } from "./chaos.ts";
import { gate, ownClock } from "./gate.ts";
import type { Heartbeats } from "./heartbeats.ts";

/** What all processes share. */
export type Ground = {
  readonly bucket: MemoryBucket;
  readonly network: MemoryNetwork;
  readonly memberships: MemoryMemberships;
  readonly chaos: Chaos;
  /** The store answers nobody now. */
  readonly isStoreStopped: () => boolean;
  readonly answers: Answers;
  readonly heartbeats: Pick<Heartbeats, "speaks">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

/** What one process has of it. A dead one writes nothing and says nothing, whatever it still does. */
export type ProcessPorts = {
  readonly bus: Bus;
  readonly store: Store;
  readonly memberships: Memberships;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
};

export type Process = {
  /** `kill -9`: nothing of it reaches the others from now on; they hear of it when its lease has ended. */
  kill(): void;
  /** SIGTERM. Resolves when it has ended. */
  stop(): Promise<void>;
  /** Cuts its connection, or mends it. */
  connect(up: boolean): void;
  /** SIGSTOP, or SIGCONT. */
  hold(still: boolean): void;
  /** It hears of no other member of its group, or of all again. */
  isolate(alone: boolean): void;
  /** What its replica is told waits a moment, each time, for so long from now on. */
  slowDown(forMs: number): void;
  /** Its replica is told nothing for so long. */
  stall(forMs: number): void;
};

export type ProcessOptions = {
  /** A second agent of a name, which is not heard as the first. */
  readonly isTwin: boolean;
  /** How far its time of day is ahead. */
  readonly aheadMs: number;
  /** It ended, and nobody told it to; without an error: chance killed it. */
  readonly onEnd: (error: unknown) => void;
};

export function startProcess(
  ground: Ground,
  { isTwin, aheadMs, onEnd }: ProcessOptions,
  run: (ports: ProcessPorts) => Promise<void>,
): Process {
  const { bucket, network, memberships, chaos, random, log } = ground;
  const stop = new AbortController();
  const leave = new AbortController();
  const announced: string[] = [];
  const own = gate(ground.clock);
  const clock = ownClock(ground.clock, own, aheadMs);
  let [alive, connected] = [true, true];
  let [slowUntilMs, stalledUntilMs, waited] = [0, 0, false];

  function die(): void {
    if (!alive) return;
    alive = false;
    wire.setUp(false);
    for (const id of announced) memberships.crash(id);
    own.open();
    stop.abort();
  }

  function struck(mishap: Parameters<Chaos["strikes"]>[0]): boolean {
    if (!alive || stop.signal.aborted || !chaos.strikes(mishap)) return false;
    die();
    onEnd(undefined);
    return true;
  }

  const wire = network.connect(ground.clock);
  const gated = {
    ...wire,
    publish(...[subject, data, options]: Parameters<typeof wire.publish>) {
      ground.heartbeats.speaks(!isTwin);
      wire.publish(subject, data, options);
      struck("killed after saying something");
    },
    subscribe: (...[subject, queue, heard]: Parameters<typeof wire.subscribe>) =>
      wire.subscribe(subject, queue, (packet) => own.packet(() => heard(packet))),
  };
  const bus = busOn(gated, { clock, log });

  const faults: MemoryFaults = {
    append() {
      if (!alive) return "lose";
      if (struck("killed before a write")) return "lose";
      if (chaos.strikes("commit lost")) return "lose";
      if (chaos.strikes("commit refused for no reason")) return "refuse";
      if (chaos.strikes("commit late, after its silence")) return "late";
      if (struck("killed after a write")) return "mute";
      if (chaos.strikes("answer of a commit lost")) return "mute";
      return own.isShut || chaos.strikes("answer of a commit slow") ? "slow" : "pass";
    },
    lag: () => (chaos.strikes("read of an old state") ? 1 + chaos.below(20) : 0),
    deliver() {
      if (!alive || chaos.strikes("feed broken off")) return "cut";
      if (own.isShut || clock.monotonicMs() < stalledUntilMs) return "pause";
      waited = clock.monotonicMs() < slowUntilMs && !waited;
      if (waited) return "pause";
      if (chaos.strikes("transaction delivered in pieces")) return "pause";
      return chaos.strikes("replica held up") ? "pause" : "pass";
    },
    delayMs: () => 1 + chaos.below(clock.monotonicMs() < slowUntilMs ? 200 : 60),
    isDown: () => !alive || !connected || ground.isStoreStopped(),
  };
  const store = ground.answers.watched((chance) =>
    memoryStore({ bucket, clock, random: chance, log, faults }),
  );

  const told = membersTold(ground);
  const group: Memberships = {
    async announce(member, signal) {
      if (!alive) return;
      announced.push(member.id);
      signal.addEventListener("abort", () => alive && leave.abort(), { once: true });
      await memberships.announce(member, leave.signal);
    },
    follow: (name, changed, signal) =>
      memberships.follow(
        name,
        told.hears((members) => own.packet(() => changed(members)), announced),
        signal,
      ),
  };
  const ports = { bus, store, memberships: group, clock, random, log, signal: stop.signal };
  const ended = run(ports).then(
    () => alive && !stop.signal.aborted && onEnd(new Error("it ended by itself")),
    (error: unknown) => {
      if (!alive) return;
      die();
      onEnd(error);
    },
  );

  return {
    kill: die,
    async stop() {
      own.open();
      stop.abort();
      await ended;
      alive = false;
      await store[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
    },
    connect(up) {
      if (!alive) return;
      connected = up;
      wire.setUp(up);
    },
    hold: (still) => (still && alive ? own.shut() : own.open()),
    isolate: (alone) => told.isolate(alone),
    slowDown: (forMs) => void (slowUntilMs = clock.monotonicMs() + forMs),
    stall: (forMs) => void (stalledUntilMs = clock.monotonicMs() + forMs),
  };
}

/** What a process hears of its group: late, or nothing of the others (W3). */
function membersTold({ chaos, clock }: Pick<Ground, "chaos" | "clock">) {
  let alone = false;
  const again: (() => void)[] = [];
  return {
    isolate(isAlone: boolean) {
      alone = isAlone;
      for (const tell of again) tell();
    },
    hears(changed: (members: readonly Member[]) => void, own: readonly string[]) {
      let newest: readonly Member[] = [];
      const tell = () => changed(alone ? newest.filter(({ id }) => own.includes(id)) : newest);
      again.push(tell);
      return (members: readonly Member[]) => {
        newest = members;
        if (chaos.strikes("members heard late")) clock.after(chaos.below(2_000), tell);
        else tell();
      };
    },
  };
}
