/** A cluster's state in memory, on a virtual clock, that schedulers join. */
import { alone, type Placement } from "../../libs/actor/placement.ts";
import { admitCreate, admitDelete, admitStatus } from "../../libs/admission/admit.ts";
import { admitPodPart } from "../../libs/admission/admit-part.ts";
import type { Admitted } from "../../libs/admission/context.ts";
import { clusterOn } from "../../libs/cluster/open.ts";
import type { EventFacts } from "../../libs/cluster/record-event.ts";
import { settingsFromEnvironment } from "../../libs/cluster/settings.ts";
import type { Kind } from "../../libs/model/kind.ts";
import { namespace as namespaceKind } from "../../libs/model/kinds/namespace.ts";
import { node as nodeKind } from "../../libs/model/kinds/node.ts";
import { pod as podKind } from "../../libs/model/kinds/pod.ts";
import { memoryBucket } from "../../libs/store/memory-bucket.ts";
import { noFaults, randomFaults } from "../../libs/store/memory-faults.ts";
import { memoryStore } from "../../libs/store/memory.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { seededRandom } from "../../libs/telemetry/seeded-random.ts";
import { virtualClock } from "../../libs/telemetry/virtual-clock.ts";
import { runScheduler } from "./batch.ts";
import { runRebalancing } from "./rebalancing.ts";
import { roomOf } from "./room.ts";
import { rooms } from "./rooms.ts";

type Context = Parameters<typeof admitCreate>[2];

export async function openWorld(seed = 1) {
  const clock = virtualClock();
  const random = seededRandom(seed);
  const log = createLog("test", "silent");
  const closing = new AbortController();
  const { signal } = closing;
  const bucket = memoryBucket({ clock });
  const events: EventFacts[] = [];
  const proposed = settingsFromEnvironment.parse({});

  async function until(check: () => boolean): Promise<void> {
    for (let round = 0; round < 2_000; round += 1) {
      await clock.advance(round < 300 ? 1 : 200);
      if (check()) return;
    }
    throw new Error("it never came to be");
  }
  /** Lets time pass while `work` needs it. */
  async function during<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    await until(() => done);
    return finished;
  }
  function open(rate: number) {
    const faults = rate === 0 ? noFaults : randomFaults(random, rate);
    const store = memoryStore({ clock, random, log, bucket, faults });
    return during(clusterOn(store, proposed, { clock, log, signal }));
  }

  const { store, replica, view, settings } = await open(0);
  async function change(
    decide: (context: Context) => Admitted<unknown> | undefined,
  ): Promise<void> {
    for (;;) {
      const admitted = decide({ view, now: clock.now(), random, settings });
      if (admitted === undefined) throw new Error("there is nothing to change");
      if (admitted.ops.length === 0) return;
      const outcome = await during(store.commit(admitted.ops));
      await during(replica.caughtUp(outcome.revision ?? (await store.lastRevision())));
      if (outcome.ok) return;
    }
  }
  const head = (name: string) => ({ name, namespace: "default" });
  await change((context) => admitCreate(namespaceKind, { metadata: { name: "default" } }, context));

  return {
    clock,
    replica,
    view,
    events,
    until,
    change,
    nodeOf: (name: string) => view.get(podKind, "default", name)?.spec.nodeName ?? "",
    labelsOf: (node: string) => view.get(nodeKind, undefined, node)?.metadata.labels ?? {},
    async node(
      name: string,
      allocatable: Readonly<Record<string, string>> = {},
      labels: Readonly<Record<string, string>> = {},
    ) {
      await change((context) => admitCreate(nodeKind, { metadata: { name, labels } }, context));
      await change((context) => {
        const node = context.view.get(nodeKind, undefined, name);
        const status = {
          allocatable: { cpu: "4", memory: "8Gi", pods: "110", ...allocatable },
          conditions: [{ type: "Ready", status: "True" }],
        };
        return node && admitStatus(nodeKind, node, status, context);
      });
    },
    create: (kind: Kind, object: unknown) =>
      change((context) => admitCreate(kind, object, context)),
    async pod(
      name: string,
      cpu = "100m",
      spec: Readonly<Record<string, unknown>> = {},
      metadata: Readonly<Record<string, unknown>> = {},
    ) {
      const containers = [{ name: "main", image: "web", resources: { requests: { cpu } } }];
      const pod = { metadata: { ...head(name), ...metadata }, spec: { containers, ...spec } };
      await change((context) => admitCreate(podKind, pod, context));
    },
    /** At once, without grace. */
    remove: (name: string) =>
      change((context) => {
        const gone = context.view.get(podKind, "default", name);
        return gone && admitDelete(podKind, gone, { gracePeriodSeconds: 0 }, context);
      }),
    resize: (name: string, cpu: string) =>
      change((context) => {
        const before = context.view.get(podKind, "default", name);
        const containers = before?.spec.containers.map((one) => ({
          ...one,
          resources: { requests: { cpu } },
        }));
        const after = before && { ...before, spec: { ...before.spec, containers } };
        return before === undefined
          ? undefined
          : (admitPodPart("resize", before, after, context) ?? { object: before, ops: [] });
      }),
    /** How often more counted on a node than it has, at any revision from now on. */
    overcommitted(): () => number {
      let times = 0;
      replica.subscribe(() => {
        for (const node of view.list(nodeKind)) {
          const pods = view.list(podKind, { node: node.metadata.name });
          const { taken, allocatable } = roomOf(node, pods);
          if ((taken["cpu"] ?? 0) > (allocatable["cpu"] ?? 0)) times += 1;
        }
      });
      return () => times;
    },
    /** A store and a replica of its own for one more scheduler, which the result starts. */
    async join(faults = 0) {
      const cluster = await open(faults);
      return ({ owns = () => true }: Partial<Pick<Placement, "owns">> = {}) => {
        const stop = new AbortController();
        const options = {
          ...cluster,
          rooms: rooms(cluster.view, cluster.replica),
          placement: { ...alone, owns },
          record: (facts: EventFacts) => void events.push(facts),
          signal: AbortSignal.any([signal, stop.signal]),
          clock,
          random,
          log,
        };
        const done = Promise.all([runScheduler(options), runRebalancing(options)]);
        return { stop, done };
      };
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await clock.advance(60_000);
    },
  };
}
