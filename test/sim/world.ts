/**
 * A whole cluster in one process, on a virtual clock: every service is the real one, on the ports in
 * memory with their faults; only containers and packet rules are models (design §7). A seed repeats a
 * run whole.
 */
import { addressHash, joinPlacement } from "../../libs/actor/placement.ts";
import { memoryNetwork } from "../../libs/bus/memory.ts";
import { clusterOn } from "../../libs/cluster/open.ts";
import { endpointSlice } from "../../libs/model/kinds/endpointslice.ts";
import { hintSubject } from "../../libs/protocol/subjects.ts";
import { memoryBucket } from "../../libs/store/memory-bucket.ts";
import { type MemoryFaults, noFaults, randomFaults } from "../../libs/store/memory-faults.ts";
import { memoryMemberships } from "../../libs/store/memory-memberships.ts";
import { memoryStore } from "../../libs/store/memory.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import type { Random } from "../../libs/telemetry/random.ts";
import { seededRandom } from "../../libs/telemetry/seeded-random.ts";
import { flowing, virtualClock } from "../../libs/telemetry/virtual-clock.ts";
import { settings } from "../../services/controllers/fixtures.ts";
import type { Controller } from "../../services/controllers/controller.ts";
import { runInstance } from "../../services/controllers/instance.ts";
import { runScheduler } from "../../services/scheduler/batch.ts";
import { balancer, type Balancer } from "./balancer.ts";
import { judge, objectsIn, type State } from "./invariants.ts";
import { machine, type Machine } from "./machine.ts";
import { type Process, type ProcessPorts, startProcess } from "./process.ts";
import { type User, user } from "./user.ts";

export type WorldOptions = {
  readonly seed: number;
  readonly controllers: readonly Controller[];
  readonly instances: number;
  readonly schedulers: number;
  readonly machines: number;
  /** The chance of each fault of the store and of each packet, 0 to 1. */
  readonly faultRate: number;
};

/** A process that is started again when it was killed. */
export type Service = {
  readonly name: string;
  kill(): void;
  stop(): Promise<void>;
  start(): void;
  connect(up: boolean): void;
};

export type World = AsyncDisposable & {
  readonly services: readonly Service[];
  readonly machines: readonly Machine[];
  readonly balancers: readonly Balancer[];
  readonly user: User;
  readonly random: Random;
  readonly state: State;
  /** What has been broken so far; empty is well. */
  readonly broken: readonly string[];
  /** The keys of every write after a revision. */
  writtenSince(revision: number): readonly string[];
  /** From now on no fault comes by chance. */
  calm(): void;
  sleep(ms: number): Promise<void>;
  now(): number;
};

export async function openWorld(options: WorldOptions): Promise<World> {
  const { seed, faultRate } = options;
  await addressHash(); // What is loaded from outside comes before time begins to flow.
  const stack = new AsyncDisposableStack();
  const clock = virtualClock();
  stack.use(flowing(clock));
  const random = seededRandom(seed);
  const chance = { faults: seededRandom(seed + 1), acts: seededRandom(seed + 2) };
  const log = createLog("sim", process.env["SIM_LOG"] === undefined ? "silent" : "debug");
  const bucket = memoryBucket({ clock });
  let storm = faultRate > 0;
  const network = memoryNetwork({ fate: () => (storm ? fate(chance.faults, faultRate) : [0]) });
  const memberships = memoryMemberships({ clock });
  const stormy = randomFaults(chance.faults, faultRate);
  const faults: MemoryFaults = {
    append: () => (storm ? stormy : noFaults).append(),
    lag: () => (storm ? stormy : noFaults).lag(),
    // A transaction's messages may come apart (S1), and often do.
    deliver: () =>
      storm && chance.faults.next() < tornRate ? "pause" : (storm ? stormy : noFaults).deliver(),
  };
  const ground = { bucket, network, memberships, faults, clock, random, log };
  const broken: string[] = [];
  const judging = judge();
  let seen = 0;
  const hints = network.connect(clock);
  stack.use(
    bucket.onAppend(() => {
      for (let entry = bucket.recordedAfter(seen); entry; entry = bucket.recordedAfter(seen)) {
        seen = entry.revision;
        // What the server's republish does with each write of the state.
        const rollup: Record<string, string> = entry.deleted ? { "Nats-Rollup": "sub" } : {};
        const headers = { "Nats-Sequence": String(entry.revision), ...rollup };
        hints.publish(hintSubject(entry.key), entry.value, { headers });
        broken.push(...judging.see(entry));
      }
    }),
  );

  const each = <T>(count: number, make: (name: number) => T): readonly T[] =>
    Array.from({ length: count }, (_, nth) => make(nth + 1));
  const upTo = (ms: number) => () => Math.floor(chance.acts.next() * ms);
  const balancers = each(options.machines, (nth) => balancer(`m${nth}`, upTo(10)));
  const machines = each(options.machines, (nth) =>
    machine({ name: `n${nth}`, cpu: "4", startMs: upTo(800), endMs: upTo(500), onEnd: ended }),
  );
  const healthy = new Map<string, number>();
  const services = [
    ...each(options.instances, (nth) => service(`controllers-${nth}`, runControllers)),
    ...each(options.schedulers, (nth) => service(`scheduler-${nth}`, schedule)),
    ...machines.map((one) => service(`agent-${one.name}`, (ports) => one.agent(ports))),
    ...balancers.map((one) => service(`lb-${one.machine}`, (ports) => one.serve(ports))),
  ];

  /** N6: nobody sends new connections to a pod whose containers are ended on purpose. */
  function ended({ address, pod }: { readonly address: string; readonly pod: string }): void {
    for (const { machine: name, routed } of balancers) {
      const sinceMs = healthy.get(`lb-${name}`);
      const listens = sinceMs !== undefined && clock.monotonicMs() - sinceMs > drainPatienceMs;
      if (listens && routed.has(address) && hasOthers(judging.state, address)) {
        broken.push(`drained at ${seen}: ${pod} ends on purpose, and lb ${name} sends to it`);
      }
    }
  }

  function service(name: string, run: (ports: ProcessPorts) => Promise<void>): Service {
    let current: Process | undefined;
    const note = () => {
      const failure = current?.failure();
      if (failure !== undefined) broken.push(`${name} failed: ${describe(failure)}`);
      healthy.delete(name);
    };
    return {
      name,
      start() {
        if (current !== undefined) return;
        current = startProcess(ground, run);
        healthy.set(name, clock.monotonicMs());
      },
      kill() {
        note();
        current?.kill();
        current = undefined;
      },
      async stop() {
        note();
        const stopping = current;
        current = undefined;
        await stopping?.stop();
      },
      connect(up) {
        current?.connect(up);
        if (up) healthy.set(name, clock.monotonicMs());
        else healthy.delete(name);
      },
    };
  }

  async function runControllers({ bus, store, ...ports }: ProcessPorts): Promise<void> {
    const closing = new AbortController();
    await using cluster = await clusterOn(store, settings, { ...ports, signal: closing.signal });
    const instance = `controllers-${random.uuid()}`;
    const record = () => undefined;
    const { controllers } = options;
    await runInstance({ instance, controllers, bus, cluster, record, ...ports });
    closing.abort();
  }

  async function schedule({ store, memberships, ...ports }: ProcessPorts): Promise<void> {
    const closing = new AbortController();
    await using cluster = await clusterOn(store, settings, { ...ports, signal: closing.signal });
    const member = { id: `scheduler-${random.uuid()}`, group: "scheduler" };
    const placement = await joinPlacement({ memberships, member, ...ports });
    await runScheduler({ ...cluster, placement, record: () => undefined, ...ports });
    closing.abort();
  }

  const closing = new AbortController();
  const ports = { clock, log, signal: closing.signal };
  const own = memoryStore({ bucket, clock, random, log });
  const cluster = stack.use(await clusterOn(own, settings, ports));
  stack.defer(() => closing.abort());
  stack.defer(async () => {
    for (const one of services) await one.stop();
  });
  for (const one of services) one.start();
  return {
    services,
    machines,
    balancers,
    user: user(cluster, clock, chance.acts),
    random: chance.acts,
    broken,
    get state() {
      return judging.state;
    },
    writtenSince: (revision) =>
      Array.from({ length: bucket.last() - revision }, (_, nth) => {
        const entry = bucket.recordedAfter(revision + nth);
        return `${entry?.key}@${entry?.revision}`;
      }),
    calm: () => void (storm = false),
    sleep: (ms) => clock.sleep(ms),
    now: () => clock.monotonicMs(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/**
 * Whether a Service of the endpoint has one that is ready: with none at all, terminating ones that
 * still serve are used, as Kubernetes does.
 */
function hasOthers(state: State, address: string): boolean {
  return [...objectsIn(state, endpointSlice)].some(({ endpoints }) => {
    const isIn = endpoints.some(({ addresses }) => addresses.includes(address));
    return isIn && endpoints.some(({ conditions }) => conditions?.ready === true);
  });
}

const tornRate = 0.1;
/** How long an lb must have listened before a drain counts on it: longer than a drain may take. */
const drainPatienceMs = 15_000;

/** Lost, doubled, late, or as it should be. */
function fate(random: Random, rate: number): readonly number[] {
  const drawn = random.next();
  if (drawn < rate / 2) return [];
  if (drawn < rate) return [0, Math.floor(random.next() * 30)];
  if (drawn < rate * 3) return [1 + Math.floor(random.next() * 50)];
  return [0];
}

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);
