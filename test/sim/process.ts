/** A process of the simulated cluster: it starts, is killed between any two steps, or is told to stop. */
import { busOn } from "../../libs/bus/bus-on.ts";
import type { Bus } from "../../libs/bus/bus.ts";
import type { MemoryNetwork } from "../../libs/bus/memory.ts";
import type { MemoryBucket } from "../../libs/store/memory-bucket.ts";
import type { MemoryFaults } from "../../libs/store/memory-faults.ts";
import type { MemoryMemberships } from "../../libs/store/memory-memberships.ts";
import { memoryStore } from "../../libs/store/memory.ts";
import type { Memberships } from "../../libs/store/memberships.ts";
import type { Store } from "../../libs/store/store.ts";
import type { Clock } from "../../libs/telemetry/clock.ts";
import type { Log } from "../../libs/telemetry/log.ts";
import type { Random } from "../../libs/telemetry/random.ts";

/** What all processes share. */
export type Ground = {
  readonly bucket: MemoryBucket;
  readonly network: MemoryNetwork;
  readonly memberships: MemoryMemberships;
  readonly faults: MemoryFaults;
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
  /** Why it ended by itself, which none ought to. */
  failure(): unknown;
};

export function startProcess(
  { bucket, network, memberships, faults, clock, random, log }: Ground,
  run: (ports: ProcessPorts) => Promise<void>,
): Process {
  const stop = new AbortController();
  const leave = new AbortController();
  const announced: string[] = [];
  let alive = true;
  let failure: unknown;

  const wire = network.connect(clock);
  const bus = busOn(wire, { clock, log });
  const store = memoryStore({
    bucket,
    clock,
    random,
    log,
    faults: {
      append: () => (alive ? faults.append() : "lose"),
      lag: () => faults.lag(),
      deliver: () => (alive ? faults.deliver() : "cut"),
    },
  });
  const own: Memberships = {
    announce(member, signal) {
      announced.push(member.id);
      signal.addEventListener("abort", () => alive && leave.abort(), { once: true });
      return memberships.announce(member, leave.signal);
    },
    follow: (group, changed, signal) => memberships.follow(group, changed, signal),
  };
  const ports = { bus, store, memberships: own, clock, random, log, signal: stop.signal };
  const ended = run(ports).then(
    () => {
      if (!stop.signal.aborted) failure = new Error("it ended by itself");
    },
    (error: unknown) => {
      if (alive) failure = error;
    },
  );

  return {
    kill() {
      alive = false;
      wire.setUp(false);
      for (const id of announced) memberships.crash(id);
      stop.abort();
    },
    async stop() {
      stop.abort();
      await ended;
      alive = false;
      await store[Symbol.asyncDispose]();
      await bus[Symbol.asyncDispose]();
    },
    connect: (up) => {
      if (alive) wire.setUp(up);
    },
    failure: () => failure,
  };
}
