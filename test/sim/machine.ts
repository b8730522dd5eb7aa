/**
 * A machine of the simulated cluster: what runs on it outlives its agent, and ends with its power.
 * The agent's talk is the real one; pods start and end after a while instead of in containers.
 */
import type { PodWork } from "../../services/node-agent/pod/spec.ts";
import { known as knownAssignments } from "../../services/node-agent/session/known.ts";
import { reports as reportQueue } from "../../services/node-agent/session/reports.ts";
import { nodeSession } from "../../services/node-agent/session/session.ts";
import { type EpochMs, timeOf } from "../../libs/model/time.ts";
import type { Clock } from "../../libs/telemetry/clock.ts";
import type { ProcessPorts } from "./process.ts";
import { zoneOf } from "./zones.ts";

/** A pod's containers, as one. */
export type Running = {
  readonly uid: string;
  readonly pod: string;
  readonly address: string;
  /** By the machine's clock. */
  readonly since: EpochMs;
  /** It ends by itself, as it is a Job's. */
  readonly ends: boolean;
};

export type Machine = {
  readonly name: string;
  readonly running: ReadonlyMap<string, Running>;
  /** Runs the machine's agent. */
  agent(ports: ProcessPorts): Promise<void>;
  /** Everything that runs on it is gone. */
  cutPower(): void;
  /** One of its pods, if it has any, is not ready for a while. */
  falter(nth: number, forMs: number): void;
};

export type MachineOptions = {
  readonly name: string;
  readonly engine: string;
  readonly cpu: string;
  /** Told before a pod's containers are ended on purpose. */
  readonly onEnd: (running: Running) => void;
  /** Told before a pod's containers are ended because nobody knows the pod. */
  readonly onForgotten: (running: Running) => void;
  /** Told when a pod's containers begin. */
  readonly onStart: (running: Running) => void;
  readonly startMs: () => number;
  readonly endMs: () => number;
  /** How long it runs before it is ready. */
  readonly readyMs: () => number;
  /** How long a Job's pod runs, and whether it succeeds. */
  readonly clock: Clock;
  readonly runMs: () => number;
  readonly succeeds: () => boolean;
};

const drainMaxMs = 10_000;
const networkRetryMs = 100;
/** Addresses of a range that pods may have. */
const addressesMax = 250;

export function machine(options: MachineOptions): Machine {
  const { name, engine, cpu, onEnd, startMs, endMs } = options;
  const running = new Map<string, Running>();
  /** What has ended by itself, and how. */
  const over = new Map<string, "Succeeded" | "Failed">();
  const unready = new Set<string>();
  let changed: ((uid: string) => void) | undefined;
  let [saved, given]: [unknown, number] = [undefined, 0];

  /** It is not ready for so long from now. */
  function falters(uid: string, forMs: number): void {
    unready.add(uid);
    options.clock.after(forMs, () => {
      unready.delete(uid);
      changed?.(uid);
    });
  }

  /** One that no pod here has; it is not used again soon. */
  function addressOf(uid: string, podCIDR: string | undefined): string | undefined {
    const held = running.get(uid)?.address;
    if (held !== undefined || podCIDR === undefined) return held;
    const taken = new Set([...running.values()].map(({ address }) => address));
    const base = podCIDR.split(".").slice(0, 3).join(".");
    for (let tried = 0; tried < addressesMax; tried += 1) {
      given = (given + 1) % addressesMax;
      const address = `${base}.${given + 2}`;
      if (!taken.has(address)) return address;
    }
    return undefined;
  }

  async function agent({ bus, clock, random, log, signal }: ProcessPorts): Promise<void> {
    const known = knownAssignments();
    const reports = reportQueue();
    const busy = new Set<string>();
    /** Told of while they were at it. */
    const again = new Set<string>();
    const doomed = new Set<string>();
    let aside = false;

    /** What was told of each pod since the agent began: only changes are told. */
    const told = new Map<string, string>();

    const report = (work: PodWork, gone: boolean) => {
      const { namespace, name: pod, uid } = work;
      const phase = over.get(uid) ?? (gone ? "Succeeded" : "Running");
      const ready = phase === "Running" && !unready.has(uid);
      const status = statusOf(running.get(uid), { phase, ready, now: clock.now() });
      const news = `${phase} ${ready} ${gone}`;
      if (told.get(uid) === news) return;
      told.set(uid, news);
      reports.put({ namespace, name: pod, uid, gone, status });
      session.wakeReports();
    };

    /** One step at a time for each pod, until there is none to take. */
    async function act(uid: string): Promise<void> {
      while (!signal.aborted && !aside) {
        const work = known.held().find((held) => held.work.uid === uid)?.work;
        const one = running.get(uid);
        if (work === undefined || doomed.has(uid)) {
          if (one === undefined) return;
          options.onForgotten(one);
          onEnd(one); // Nobody knows its pod: there is nothing to drain.
          await clock.sleep(endMs());
          running.delete(uid);
        } else if (work.deletionTimestamp !== undefined) {
          const { namespace, name: pod } = work;
          if (one !== undefined) {
            const askedAtMs = clock.monotonicMs();
            await session.drained({ namespace, name: pod, uid }, drainMaxMs);
            if (signal.aborted) return;
            // At its limit a drain is over, whatever the lbs have applied.
            if (clock.monotonicMs() - askedAtMs < drainMaxMs) onEnd(one);
            await clock.sleep(endMs());
            running.delete(uid);
          }
          report(work, true);
          return;
        } else if (work.phase !== undefined) {
          // As the control plane knows it has ended; it runs where its Node was deleted meanwhile.
          if (one === undefined) return;
          onEnd(one);
          await clock.sleep(endMs());
          running.delete(uid);
        } else {
          if (one === undefined && !over.has(uid)) {
            await clock.sleep(startMs(), signal);
            if (signal.aborted) return;
            const still = known.held().find((held) => held.work.uid === uid)?.work;
            if (still === undefined || still.deletionTimestamp !== undefined) continue;
            if (still.phase !== undefined) continue;
            const address = addressOf(uid, known.network()?.podCIDR);
            if (address === undefined) {
              await clock.sleep(networkRetryMs, signal); // No range yet: the node is new.
              continue;
            }
            const podName = `${work.namespace}/${work.name}`;
            const ends = work.spec.restartPolicy === "Never";
            const begun: Running = { uid, pod: podName, address, since: clock.now(), ends };
            running.set(uid, begun);
            falters(uid, options.readyMs());
            options.onStart(begun);
          }
          report(work, false);
          if (running.get(uid)?.ends !== true) return;
          await clock.sleep(options.runMs(), signal);
          if (signal.aborted || !running.delete(uid)) continue;
          over.set(uid, options.succeeds() ? "Succeeded" : "Failed");
        }
      }
    }

    function wake(uid: string): void {
      again.add(uid);
      if (busy.has(uid)) return;
      busy.add(uid);
      again.delete(uid);
      act(uid).then(
        () => {
          busy.delete(uid);
          if (again.has(uid) && !signal.aborted) wake(uid);
        },
        (error: unknown) => log.error({ err: error }, "a modelled pod failed"),
      );
    }

    function converge(proved: boolean): void {
      for (const { work } of known.held()) wake(work.uid);
      if (!proved) return;
      // Only a snapshot proves that nobody knows a container's pod (N3).
      const held = new Set(known.held().map(({ work }) => work.uid));
      for (const uid of running.keys()) if (!held.has(uid)) wake(uid);
    }

    const session = nodeSession({
      node: name,
      boot: random.uuid(),
      connect: async () => bus,
      memory: {
        load: async () => saved,
        save: async (state) => void (saved = structuredClone(state)),
      },
      known,
      reports,
      facts: async () => ({
        engineId: engine,
        labels: { "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zoneOf(name) },
        addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
        capacity: { cpu, memory: "8Gi", pods: "110" },
        allocatable: { cpu, memory: "8Gi", pods: "110" },
        nodeInfo: {},
      }),
      onKnown(proved) {
        aside = false;
        converge(proved);
      },
      onRefused: () => void (aside = true), // N5: of one machine, a later agent has its name.
      onAccepted: () => undefined,
      onGone: (uid) => {
        doomed.add(uid);
        reports.forget(uid);
        wake(uid);
      },
      onConfigChanged: () => undefined,
      // It keeps nothing on disk.
      onUnclaimed: (volumes) => {
        session
          .volumesRemoved(volumes)
          .catch((error: unknown) => log.debug({ err: error }, "volumes"));
      },
      serve: async () => ({ [Symbol.asyncDispose]: async () => undefined }),
      clock,
      log,
      signal,
    });
    changed = (uid) => {
      // What nobody has told of since the agent began is not its business yet.
      if (known.held().some(({ work }) => work.uid === uid)) wake(uid);
    };
    await session.run();
  }

  return {
    name,
    running,
    agent,
    cutPower() {
      for (const { uid, ends } of running.values()) if (ends) over.set(uid, "Failed");
      running.clear();
      unready.clear();
    },
    falter(nth, forMs) {
      const { uid } = [...running.values()][nth % Math.max(running.size, 1)] ?? {};
      if (uid === undefined) return;
      falters(uid, forMs);
      changed?.(uid);
    },
  };
}

function statusOf(
  running: Running | undefined,
  { phase, ready, now }: { readonly phase: string; readonly ready: boolean; readonly now: EpochMs },
): Record<string, unknown> {
  const at = timeOf(running?.since ?? now);
  const condition = (type: string) => ({
    type,
    status: ready ? "True" : "False",
    lastTransitionTime: at,
  });
  return {
    phase,
    conditions: [condition("Ready"), condition("ContainersReady")],
    ...(running !== undefined && {
      podIP: running.address,
      podIPs: [{ ip: running.address }],
    }),
    startTime: at,
    containerStatuses: [],
  };
}
