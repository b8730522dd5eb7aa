/** A node's agent: makes the machine's containers equal its assignments, one actor a pod. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Bus } from "../../libs/bus/bus.ts";
import { timeOf } from "../../libs/model/time.ts";
import type { ClusterFacts, NodeFacts } from "../../libs/protocol/node.ts";
import type { Clock } from "../../libs/telemetry/clock.ts";
import type { Log } from "../../libs/telemetry/log.ts";
import type { Random } from "../../libs/telemetry/random.ts";
import { type Addresses, addressesIn } from "./network/addresses.ts";
import type { PodNetwork } from "./network/network.ts";
import { watchImages } from "./node/images.ts";
import { type PodActor, podActor } from "./pod/actor.ts";
import { quantityNumber } from "../../libs/model/quantity.ts";
import { type Owner, predecessorsOf } from "./pod/predecessors.ts";
import type { PodWork } from "./pod/spec.ts";
import { podFolder, podsFolder, volumesFolder } from "./pod/folder.ts";
import type { NodeContext } from "./pod/starter.ts";
import { removeDirectories, removeVolumes } from "./pod/volumes.ts";
import type { ContainerRuntime, Observed } from "./runtime/runtime.ts";
import { singleFlight } from "../../libs/telemetry/single-flight.ts";
import { fileMemory } from "../../libs/machine/file-memory.ts";
import { known as knownAssignments } from "./session/known.ts";
import { reports as reportQueue } from "./session/reports.ts";
import { nodeSession } from "./session/session.ts";
import { serveExec } from "./streams/exec.ts";
import { serveForward } from "./streams/forward.ts";
import { namespaceDialer } from "./streams/namespace-dialer.ts";
import { serveLogs } from "./streams/logs.ts";
import { reportUsage, type UsageOptions } from "./usage/report-usage.ts";

export type AgentOptions = {
  readonly node: string;
  readonly connect: () => Promise<Bus>;
  readonly runtime: ContainerRuntime;
  /** Makes the node's pod network on the machine. */
  readonly openNetwork: (podCIDR: string, cluster: ClusterFacts) => Promise<PodNetwork>;
  readonly facts: NodeFacts;
  readonly dataDir: string;
  readonly drains: boolean;
  /** What the machine as a whole uses, when it is one node. */
  readonly machineUsage?: UsageOptions["machine"];
  /** The control plane has taken a heartbeat of this node, which has its network. */
  readonly onAccepted: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** More starts at once are slower in all: measured 6.8/s at 8, 5.0/s at 30. */
const startsMax = 8;
const repairMs = 5_000;
const networkRetryMs = 1_000;

/** Runs until `signal` aborts; containers are left as they are. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { node, runtime, facts, clock, log, signal } = options;
  const known = knownAssignments();
  const reports = reportQueue();
  const actors = new Map<string, PodActor>();
  const startSlot = slots(startsMax);
  const hostAddress =
    facts.addresses.find(({ type }) => type === "InternalIP")?.address ?? "127.0.0.1";
  let addresses: Addresses | undefined;
  let network: PodNetwork | undefined;
  let openingNetwork = false;
  let swept = false;
  let displaced = false;

  const boot = options.random.uuid();
  await using removing = singleFlight((error) =>
    log.warn({ err: error }, "directories of volumes could not be removed: is told again"),
  );
  const images = watchImages(runtime, { clock, log });
  const session = nodeSession({
    node,
    boot,
    connect: options.connect,
    memory: fileMemory(join(options.dataDir, `agent-${node}.json`)),
    known,
    reports,
    facts: async () => ({ ...facts, images: images.toTell() }),
    onAccepted: () => {
      if (network !== undefined) options.onAccepted();
    },
    onKnown(proved) {
      displaced = false;
      converge(proved);
    },
    onRefused: standAside,
    onGone: (uid) => {
      reports.forget(uid);
      actors.get(uid)?.forget();
      converge(false);
    },
    onConfigChanged: (ref) => {
      for (const actor of actors.values()) actor.configChanged(ref);
    },
    onUnclaimed: (volumes) =>
      removing.start(async () => {
        await removeDirectories(volumesFolder(options.dataDir), volumes);
        await session.volumesRemoved(volumes);
        log.info({ volumes }, "the directories of volumes that nobody has are gone");
      }),
    serve: async (bus) => {
      const stack = new AsyncDisposableStack();
      stack.use(await serveLogs(bus, node, { runtime, clock, signal }));
      stack.use(await serveExec(bus, node, { runtime, signal }));
      const dialler = stack.use(namespaceDialer({ clock, log }));
      stack.use(
        await serveForward(bus, node, { runtime, hostAddress, dialler, clock, log, signal }),
      );
      const machine = options.machineUsage;
      stack.use(reportUsage(bus, { node, boot, runtime, machine, clock, log, signal }));
      return stack;
    },
    clock,
    log,
    signal,
  });

  const context: NodeContext = {
    node,
    hostAddress,
    allocatable: facts.allocatable,
    memoryBytes: quantityNumber(facts.capacity["memory"]),
    dataDir: options.dataDir,
    runtime,
    control: session,
    network: () => {
      const facts = known.network();
      if (network === undefined || facts === undefined) return undefined;
      const { name } = network;
      const hairpin = async () => network?.hairpin();
      return { name, hairpin, cluster: facts.cluster };
    },
    takeAddress: (uid) => addresses?.take(uid),
    clearWay,
  };

  /** Makes the actors those of the assignments. */
  function converge(proved: boolean): void {
    const held = displaced ? [] : known.held();
    for (const { work, startTime } of held) {
      const actor = actors.get(work.uid);
      if (actor === undefined) begin(work, startTime);
      else if (actor.work() !== work) actor.update(work);
    }
    const uids = new Set(held.map(({ work }) => work.uid));
    for (const [uid, actor] of actors) {
      if (uids.has(uid)) continue;
      if (actor.ended()) retire(uid);
      else if (!actor.forgotten()) actor.forget();
    }
    // Only a snapshot proves that nobody knows a container's pod (N3).
    if (proved) {
      for (const one of runtime.containers()) if (!actors.has(one.uid)) removeOrphan(one);
      if (!swept) supervise(sweepFolders(), "folders of former pods could not be removed");
      swept = true;
    }
    ensureNetwork();
  }

  function begin(work: PodWork, startTime: number): void {
    const { uid, namespace, name } = work;
    const startedAt = runtime.containers(uid).flatMap(({ startedAt: at }) => at ?? []);
    const actor = podActor({
      work,
      startTime: Math.min(startTime, ...startedAt), // An adopted pod began before this agent.
      context,
      clock,
      log: log.child({ pod: `${namespace}/${name}` }),
      startSlot,
      drains: options.drains,
      report(status, gone) {
        reports.put({ namespace, name, uid, status, gone });
        session.wakeReports();
      },
      event(event) {
        reports.event({ namespace, name, uid, ...event, at: timeOf(clock.now()) });
        session.wakeReports();
      },
      onEnded() {
        addresses?.release(uid);
        converge(false);
      },
    });
    actors.set(uid, actor);
  }

  function retire(uid: string): void {
    const actor = actors.get(uid);
    actors.delete(uid);
    reports.forget(uid);
    supervise(actor?.[Symbol.asyncDispose](), "a pod's actor did not end");
  }

  /** Folders of pods that ended while no agent ran. */
  async function sweepFolders(): Promise<void> {
    const folders = await readdir(podsFolder(options.dataDir)).catch(() => []);
    const stray = folders.filter((uid) => !actors.has(uid));
    for (const uid of stray) {
      await runtime.freeMemory(uid);
      await removeVolumes(podFolder(options.dataDir, uid));
    }
  }

  /**
   * N5: another agent has the node's name. On this engine it is this one's successor, and has its
   * containers; on another one they run twice, and are ended here.
   */
  function standAside(engineId: string | undefined): void {
    const twice = engineId !== undefined && engineId !== facts.engineId;
    displaced = true;
    if (twice) return converge(true);
    for (const uid of actors.keys()) retire(uid);
  }

  function removeOrphan({ id, uid }: Observed): void {
    log.info({ uid, id }, "removes a container of a pod that is not this node's");
    supervise(runtime.remove(id), "a container could not be removed");
  }

  /** N5 */
  async function clearWay(work: PodWork): Promise<boolean> {
    const inTheWay = predecessorsOf(work, runtime.containers(), ownerOf);
    const orphans = inTheWay.filter(({ uid }) => !actors.has(uid));
    await Promise.all(orphans.map(({ id }) => runtime.remove(id)));
    return inTheWay.length === orphans.length;
  }

  function ownerOf(uid: string): Owner {
    const actor = actors.get(uid);
    if (actor === undefined) return "nobody";
    const isEnding = actor.forgotten() || actor.work().deletionTimestamp !== undefined;
    return isEnding ? "ending" : "living";
  }

  function ensureNetwork(): void {
    const wanted = known.network();
    if (wanted === undefined || network !== undefined || openingNetwork) return;
    openingNetwork = true;
    const opening = async () => {
      while (network === undefined && !signal.aborted) {
        try {
          const opened = await options.openNetwork(wanted.podCIDR, wanted.cluster);
          addresses ??= addressesIn(wanted.podCIDR);
          for (const { uid, address } of runtime.containers()) {
            if (address !== undefined) addresses.adopt(uid, address);
          }
          network = opened;
          log.info({ podCIDR: wanted.podCIDR, network: network.name }, "the pod network is there");
          for (const actor of actors.values()) actor.wake();
        } catch (error) {
          log.error({ err: error }, "the pod network could not be made");
          await clock.sleep(networkRetryMs, signal);
        }
      }
    };
    supervise(
      opening().finally(() => {
        openingNetwork = false;
      }),
      "the pod network could not be made",
    );
  }

  async function repairing(): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(repairMs, signal);
      if (signal.aborted) return;
      try {
        await network?.repair();
      } catch (error) {
        log.warn(
          { err: error },
          "the machine's rules could not be repaired: makes the network anew",
        );
        network = undefined;
        ensureNetwork();
      }
    }
  }

  function supervise(work: Promise<unknown> | undefined, message: string): void {
    work?.catch((error: unknown) => log.error({ err: error }, message));
  }

  using _changes = runtime.onChange((uid) => actors.get(uid)?.wake());
  await Promise.all([session.run(), repairing()]);
  await Promise.all([...actors.values()].map((actor) => actor[Symbol.asyncDispose]()));
}

/** At most `max` at once; the others wait in order. */
function slots(max: number): <T>(run: () => Promise<T>) => Promise<T> {
  const queue: (() => void)[] = [];
  let busy = 0;
  return async (run) => {
    if (busy >= max) await new Promise<void>((resolve) => queue.push(resolve));
    else busy += 1;
    try {
      return await run();
    } finally {
      const next = queue.shift();
      if (next === undefined) busy -= 1;
      else next();
    }
  };
}
