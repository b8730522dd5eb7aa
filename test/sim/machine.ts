/**
 * A machine of the simulated cluster: what runs on it outlives its agent, and ends with its power.
 * The agent's talk is the real one; pods start and end after a while instead of in containers.
 */
import type { PodWork } from "../../services/node-agent/pod/spec.ts";
import { known as knownAssignments } from "../../services/node-agent/session/known.ts";
import { reports as reportQueue } from "../../services/node-agent/session/reports.ts";
import { nodeSession } from "../../services/node-agent/session/session.ts";
import { timeOf } from "../../libs/model/time.ts";
import type { ProcessPorts } from "./process.ts";

/** A pod's containers, as one. */
export type Running = {
  readonly uid: string;
  readonly pod: string;
  readonly address: string;
  readonly sinceMs: number;
};

export type Machine = {
  readonly name: string;
  readonly running: ReadonlyMap<string, Running>;
  /** Runs the machine's agent. */
  agent(ports: ProcessPorts): Promise<void>;
  /** Everything that runs on it is gone. */
  cutPower(): void;
};

export type MachineOptions = {
  readonly name: string;
  readonly cpu: string;
  /** Told before a pod's containers are ended on purpose. */
  readonly onEnd: (running: Running, drained: boolean) => void;
  readonly startMs: () => number;
  readonly endMs: () => number;
};

const drainMaxMs = 10_000;
const networkRetryMs = 100;
/** Addresses of a range that pods may have. */
const addressesMax = 250;

export function machine({ name, cpu, onEnd, startMs, endMs }: MachineOptions): Machine {
  const running = new Map<string, Running>();
  let [saved, given]: [unknown, number] = [undefined, 0];

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
    const doomed = new Set<string>();
    let aside = false;

    /** What was told of each pod since the agent began: only changes are told. */
    const told = new Map<string, "runs" | "gone">();

    const report = (work: PodWork, gone: boolean) => {
      const { namespace, name: pod, uid } = work;
      const news = gone ? "gone" : "runs";
      if (told.get(uid) === news) return;
      told.set(uid, news);
      reports.put({ namespace, name: pod, uid, gone, status: statusOf(running.get(uid), gone) });
      session.wakeReports();
    };

    /** One step at a time for each pod, until there is none to take. */
    async function act(uid: string): Promise<void> {
      while (!signal.aborted && !aside) {
        const work = known.held().find((held) => held.work.uid === uid)?.work;
        const one = running.get(uid);
        if (work === undefined || doomed.has(uid)) {
          if (one === undefined) return;
          onEnd(one, true); // Nobody knows its pod: there is nothing to drain.
          await clock.sleep(endMs());
          running.delete(uid);
        } else if (work.deletionTimestamp !== undefined) {
          const { namespace, name: pod } = work;
          if (one !== undefined) {
            await session.drained({ namespace, name: pod, uid }, drainMaxMs);
            if (signal.aborted) return;
            onEnd(one, true);
            await clock.sleep(endMs());
            running.delete(uid);
          }
          report(work, true);
          return;
        } else {
          if (one === undefined) {
            await clock.sleep(startMs(), signal);
            if (signal.aborted) return;
            const still = known.held().find((held) => held.work.uid === uid)?.work;
            if (still === undefined || still.deletionTimestamp !== undefined) continue;
            const address = addressOf(uid, known.network()?.podCIDR);
            if (address === undefined) {
              await clock.sleep(networkRetryMs, signal); // No range yet: the node is new.
              continue;
            }
            const podName = `${work.namespace}/${work.name}`;
            running.set(uid, { uid, pod: podName, address, sinceMs: clock.monotonicMs() });
          }
          report(work, false);
          return;
        }
      }
    }

    function wake(uid: string): void {
      if (busy.has(uid)) return;
      busy.add(uid);
      act(uid).then(
        () => busy.delete(uid),
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
        engineId: `engine-${name}`,
        labels: { "kubernetes.io/hostname": name },
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
      serve: async () => ({ [Symbol.asyncDispose]: async () => undefined }),
      clock,
      log,
      signal,
    });
    await session.run();
  }

  return { name, running, agent, cutPower: () => running.clear() };
}

function statusOf(running: Running | undefined, gone: boolean): Record<string, unknown> {
  const ready = running !== undefined && !gone;
  const at = timeOf(Date.UTC(2026, 0, 1) + Math.round(running?.sinceMs ?? 0));
  const condition = (type: string) => ({
    type,
    status: ready ? "True" : "False",
    lastTransitionTime: at,
  });
  return {
    phase: gone ? "Succeeded" : ready ? "Running" : "Pending",
    conditions: [condition("Ready"), condition("ContainersReady")],
    ...(running !== undefined && {
      podIP: running.address,
      podIPs: [{ ip: running.address }],
    }),
    startTime: at,
    containerStatuses: [],
  };
}
