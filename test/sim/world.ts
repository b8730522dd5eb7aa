/**
 * A whole cluster in one process, on a virtual clock: every service is the real one, on the ports in
 * memory with their faults; only containers and packet rules are models (design §7). A seed repeats a
 * run whole.
 */
import { addressHash, joinPlacement } from "../../libs/actor/placement.ts";
import { memoryNetwork } from "../../libs/bus/memory.ts";
import { type Cluster, clusterOn } from "../../libs/cluster/open.ts";
import { endpointSlice } from "../../libs/model/kinds/endpointslice.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import { hintSubject } from "../../libs/protocol/subjects.ts";
import { memoryBucket } from "../../libs/store/memory-bucket.ts";
import { memoryMemberships } from "../../libs/store/memory-memberships.ts";
import type { Store } from "../../libs/store/store.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { seededRandom } from "../../libs/telemetry/seeded-random.ts";
import { flowing, virtualClock } from "../../libs/telemetry/virtual-clock.ts";
import type { Controller, ControllerOfMany } from "../../services/controllers/controller.ts";
import { settings as testSettings } from "../../services/controllers/fixtures.ts";
import { runInstance } from "../../services/controllers/instance.ts";
import { runScheduler } from "../../services/scheduler/batch.ts";
import { runRebalancing } from "../../services/scheduler/rebalancing.ts";
import { rooms } from "../../services/scheduler/rooms.ts";
import { answers } from "./answers.ts";
import { balancer, type Balancer } from "./balancer.ts";
import { followCache } from "./caches.ts";
import { type Chaos, chaosOf } from "./chaos.ts";
import { heartbeats } from "./heartbeats.ts";
import { type Invariant, judge } from "./invariant.ts";
import { machine, type Machine } from "./machine.ts";
import type { Ground, ProcessPorts } from "./process.ts";
import { type Service, serviceOf, twin } from "./service.ts";
import { objectIn, objectsIn, type State } from "./state.ts";
import { type User, user } from "./user.ts";

export type WorldOptions = {
  readonly seed: number;
  readonly controllers: readonly (Controller | ControllerOfMany)[];
  readonly invariants: readonly Invariant[];
  readonly instances: number;
  /** No mishap comes by chance. */
  readonly calm: boolean;
};

export type World = AsyncDisposable & {
  readonly services: readonly Service[];
  /** By name; one that is not there does nothing. */
  service(name: string): Service | undefined;
  readonly machines: readonly Machine[];
  readonly balancers: readonly Balancer[];
  readonly users: readonly User[];
  readonly chaos: Chaos;
  readonly state: State;
  /** What has been broken so far; empty is well. */
  readonly broken: readonly string[];
  fail(wrong: string): void;
  /** The keys of every write after a revision. */
  writtenSince(revision: number): readonly string[];
  /** The store answers nobody, or everybody again. */
  stopStore(stopped: boolean): void;
  /** From now on no mishap comes by chance, and everything runs. */
  calm(): void;
  sleep(ms: number): Promise<void>;
  now(): number;
};

export const machineNames = ["n1", "n2", "n3"] as const;
const twinEngine = "engine-twin";
/** So few addresses, and so little room, that those who want some meet. */
const settings = {
  ...testSettings,
  serviceCIDR: "10.96.0.0/27",
  nodePorts: [30_000, 30_007] as [number, number],
};
const cpu = "2";
/** A minute's end is near when a schedule begins: what is due each minute is due in it. */
const startsAt = Date.UTC(2026, 0, 1, 0, 0, 53);

export async function openWorld(options: WorldOptions): Promise<World> {
  const { seed, invariants } = options;
  await addressHash(); // What is loaded from outside comes before time begins to flow.
  const stack = new AsyncDisposableStack();
  const clock = virtualClock(startsAt);
  stack.use(flowing(clock));
  const chanceOf = (nth: number) => seededRandom(seed * 16 + nth);
  const [random, models] = [chanceOf(0), chanceOf(2)];
  const chaos = chaosOf(chanceOf(1), { calm: options.calm });
  const log = createLog("sim", process.env["SIM_LOG"] === undefined ? "silent" : "debug");
  const broken: string[] = [];
  const fail = (wrong: string) => void broken.push(wrong);
  const bucket = memoryBucket({ clock, tombstoneMs });
  const heard = heartbeats(clock);
  const network = memoryNetwork({ fate: (subject) => heard.note(subject, fateOf(chaos)) });
  let isStoreStopped = false;
  const watching = answers({ random, clock }, fail);
  const ground: Ground = {
    bucket,
    network,
    memberships: memoryMemberships({ clock }),
    chaos,
    isStoreStopped: () => isStoreStopped,
    answers: watching,
    heartbeats: heard,
    clock,
    random,
    log,
  };
  const begunEver = new Set<string>();
  const upTo = (ms: number) => () => Math.floor(models.next() * ms);
  const modelled = (name: string, engine: string) =>
    machine({
      name,
      engine,
      cpu,
      clock,
      startMs: upTo(600),
      endMs: upTo(400),
      readyMs: upTo(300),
      runMs: upTo(2_000),
      succeeds: () => models.next() < 0.85,
      onStart(begun) {
        begunEver.add(begun.uid);
        if (engine === twinEngine) startedTwice(begun);
      },
      onEnd: ended,
      onForgotten: ({ uid, pod: of }) => isAskedFor(uid) && fail(`asked-for: ${name} ends ${of}`),
    });
  const machines = machineNames.map((name) => modelled(name, `engine-${name}`));
  const second = modelled(machineNames[0], twinEngine);
  const balancers = machineNames.map((name) => balancer(name.replace("n", "m"), upTo(10)));
  const judging = judge(invariants, {
    nodes: machineNames,
    heartbeats: heard.of,
    anyHeartbeats: heard.ofAny,
    askedAtMs: watching.askedAtMs,
    hasRun: (uid) => begunEver.has(uid),
    runsOn: (uid) => machines.filter(({ running }) => running.has(uid)).map(({ name }) => name),
  });
  stack.use(follow());

  /** What the server's republish does with each write of the state; and every one is judged. */
  function follow(): Disposable {
    const hints = network.connect(clock);
    let seen = 0;
    return bucket.onAppend(() => {
      for (let entry = bucket.recordedAfter(seen); entry; entry = bucket.recordedAfter(seen)) {
        seen = entry.revision;
        const rollup: Record<string, string> = entry.deleted ? { "Nats-Rollup": "sub" } : {};
        const headers = { "Nats-Sequence": String(entry.revision), ...rollup };
        hints.publish(hintSubject(entry.key), entry.value, { headers });
        broken.push(...ground.answers.see(entry), ...judging.see(entry));
      }
    });
  }

  /** N6: nobody sends new connections to a pod whose containers are ended on purpose. */
  function ended({ address, pod }: { readonly address: string; readonly pod: string }): void {
    // Its keys went before it: with its Node, or because somebody would not wait for it (O6).
    const [namespace, name = ""] = pod.split("/");
    if (objectIn(judging.state, podKind, namespace, name) === undefined) return;
    for (const { machine: name, routed, lastResort } of balancers) {
      const listens = services.find((one) => one.name === `lb-${name}`)?.isWell() === true;
      if (!listens || !heard.isSteady(`_${name}`, drainPatienceMs)) continue;
      if (!routed.has(address) || lastResort.has(address)) continue;
      if (hasOthers(judging.state, address)) {
        fail(`drained at ${judging.state.revision}: ${pod} ends, and lb ${name} sends to it`);
      }
    }
  }

  /** N3: what is still wanted is ended by nobody who merely has not heard of it. */
  const isAskedFor = (uid: string): boolean =>
    [...objectsIn(judging.state, podKind)].some(
      ({ metadata }) => metadata.uid === uid && metadata.deletionTimestamp === undefined,
    );

  /** N5: while the first agent of a name is heard, no other one acts for it. */
  function startedTwice({ pod }: { readonly pod: string }): void {
    const first = services.find(({ name }) => name === `agent-${machineNames[0]}`);
    if (first?.isWell() === true && heard.isSteady(machineNames[0], drainPatienceMs)) {
      fail(`one-agent: ${pod} is started by a second agent of ${machineNames[0]}`);
    }
  }

  const gateways: (Cluster | undefined)[] = [undefined, undefined];
  const numbered = <T>(count: number, make: (nth: number) => T): readonly T[] =>
    Array.from({ length: count }, (_, nth) => make(nth));
  const service = (name: string, run: (ports: ProcessPorts) => Promise<void>) =>
    serviceOf(name, { ground, models, fail }, run);
  const services: readonly Service[] = [
    ...numbered(options.instances, (nth) => service(`controllers-${nth + 1}`, runControllers)),
    ...numbered(2, (nth) => service(`scheduler-${nth + 1}`, schedule)),
    ...machines.map((one) => service(`agent-${one.name}`, (ports) => one.agent(ports))),
    ...balancers.map((one) => service(`lb-${one.machine}`, (ports) => one.serve(ports))),
    ...gateways.map((_, nth) => service(`gateway-${nth + 1}`, (ports) => gateway(ports, nth))),
    service(twin, (ports) => second.agent(ports)),
  ];

  async function opened(
    store: Store,
    ports: Omit<ProcessPorts, "store"> & { readonly opening?: AbortSignal },
    name: string,
  ) {
    const cluster = await clusterOn(store, settings, ports);
    followCache(cluster.replica, bucket, judging.isEnd, (wrong) => fail(`${wrong}, by ${name}`));
    return cluster;
  }

  async function runControllers({ bus, store, ...ports }: ProcessPorts): Promise<void> {
    const closing = new AbortController();
    const until = { ...ports, bus, signal: closing.signal, opening: ports.signal };
    await using cluster = await opened(store, until, "controllers");
    const instance = `controllers-${random.uuid()}`;
    const record = () => undefined;
    const { controllers } = options;
    await runInstance({ instance, controllers, bus, cluster, record, ...ports });
    closing.abort();
  }

  async function schedule({ bus, store, ...ports }: ProcessPorts): Promise<void> {
    const closing = new AbortController();
    await using cluster = await opened(
      store,
      { ...ports, bus, signal: closing.signal, opening: ports.signal },
      "scheduler",
    );
    const member = { id: `scheduler-${random.uuid()}`, group: "scheduler" };
    const placement = await joinPlacement({ ...ports, member });
    using space = rooms(cluster.view, cluster.replica);
    const record = () => undefined;
    const options = { ...cluster, rooms: space, placement, record, ...ports };
    await Promise.all([runScheduler(options), runRebalancing(options)]);
    closing.abort();
  }

  async function gateway({ store, ...ports }: ProcessPorts, nth: number): Promise<void> {
    await using cluster = await opened(store, ports, "gateway");
    gateways[nth] = cluster;
    await new Promise<void>((resolve) => {
      if (ports.signal.aborted) resolve();
      ports.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    if (gateways[nth] === cluster) gateways[nth] = undefined;
  }

  stack.defer(async () => {
    for (const one of services) await one.stop();
  });
  const starting = services.filter(({ name }) => name !== twin);
  for (const one of starting) one.start();
  return {
    services: starting,
    service: (name) => services.find((one) => one.name === name),
    machines,
    balancers,
    users: gateways.map((_, nth) => user(() => gateways[nth], clock, models)),
    chaos,
    broken,
    fail,
    get state() {
      return judging.state;
    },
    writtenSince: (revision) =>
      numbered(bucket.last() - revision, (nth) => {
        const entry = bucket.recordedAfter(revision + nth);
        return `${entry?.key}@${entry?.revision}`;
      }),
    stopStore: (stopped) => void (isStoreStopped = stopped),
    calm() {
      chaos.end();
      isStoreStopped = false;
      services.find((one) => one.name === twin)?.kill();
      second.cutPower();
      for (const one of starting) one.mend();
    },
    sleep: (ms) => clock.sleep(ms),
    now: () => clock.monotonicMs(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Whether a Service of the endpoint has one that is ready. */
function hasOthers(state: State, address: string): boolean {
  return [...objectsIn(state, endpointSlice)].some(({ endpoints }) => {
    const isIn = endpoints.some(({ addresses }) => addresses.includes(address));
    return isIn && endpoints.some(({ conditions }) => conditions?.ready === true);
  });
}

/** Markers live longer than any replica stands still here, and not longer than one is cut off (S6). */
const tombstoneMs = 10_000;
/** How long an lb must have listened before a drain counts on it. */
const drainPatienceMs = 4_000;

/** Lost, doubled, late, or as it should be. */
function fateOf(chaos: Chaos): readonly number[] {
  if (chaos.strikes("packet lost")) return [];
  if (chaos.strikes("packet doubled")) return [0, chaos.below(1_500)];
  if (chaos.strikes("packet very late")) return [200 + chaos.below(2_000)];
  return [chaos.strikes("packet late") ? 1 + chaos.below(80) : 0];
}
