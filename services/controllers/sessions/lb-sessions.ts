/** The controllers' side of `libs/protocol/lb.ts`: heartbeats and snapshots of the machines' lbs. */
import { prefixOf } from "../../../libs/cluster/key.ts";
import { node as nodeKind, type Node } from "../../../libs/model/kinds/node.ts";
import type { Message } from "../../../libs/bus/bus.ts";
import {
  lbHeartbeat,
  type LbHeartbeat,
  type LbHeartbeatReply,
  type LbSnapshot,
  lbSnapshotRequest,
} from "../../../libs/protocol/lb.ts";
import {
  controlSubjects,
  lbId,
  senderOf,
  servicePrefix,
  slicePrefix,
} from "../../../libs/protocol/subjects.ts";
import type { Held } from "../../../libs/store/replica.ts";
import { ReplicaLagging } from "../../../libs/store/replica.ts";
import type { Hearing } from "./hearing.ts";
import { followServices, type LbHistory } from "./lb-history.ts";
import { clusterFactsOf } from "./node-sessions.ts";
import { type ObservedLbs, observeLbs } from "./observed-lbs.ts";
import type { SessionPorts } from "./sessions.ts";

/** Of their own, as nodes' requests come by the same subjects and a queue's members share messages. */
const queue = "controllers-lbs";
/** How long an instance may lag behind an lb before its heartbeat is answered without a proof. */
const lagMaxMs = 500;

/** Serves the lbs until disposed; says which are alive and what they have applied. */
export async function serveLbs(
  ports: SessionPorts,
  hearing: Hearing,
): Promise<ObservedLbs & AsyncDisposable> {
  const { bus, clock } = ports;
  const stack = new AsyncDisposableStack();
  const history = stack.use(followServices(ports.replica));
  let listensSinceMs = Number.POSITIVE_INFINITY;
  const lbs = observeLbs(clock, () =>
    Math.min(hearing.heardForMs(), clock.monotonicMs() - listensSinceMs),
  );

  stack.use(
    await bus.serve(
      controlSubjects("heartbeat"),
      answering(async (data, sender) => {
        const heartbeat = lbHeartbeat.parse(data);
        if (lbId(heartbeat.machine) !== sender) return undefined; // It speaks for itself only.
        lbs.hear(heartbeat); // Every instance hears; the owner answers.
        const differs = !(await proven(ports, history, lbs, heartbeat));
        if (!ports.placement.owns(`lbs/${heartbeat.machine}`)) return undefined;
        return heartbeatReply(ports, history, heartbeat, differs);
      }),
      { concurrency: 256 },
    ),
  );
  stack.use(
    await bus.serve(
      controlSubjects("snapshot"),
      answering((data) => snapshot(ports, lbSnapshotRequest.parse(data).applied)),
      { queue },
    ),
  );
  listensSinceMs = clock.monotonicMs();
  return Object.assign(lbs, { [Symbol.asyncDispose]: () => stack.disposeAsync() });
}

/** False when what the lb holds is not what was at the revision that it names. */
async function proven(
  { replica }: SessionPorts,
  history: LbHistory,
  lbs: ReturnType<typeof observeLbs>,
  heartbeat: LbHeartbeat,
): Promise<boolean> {
  const { applied, digest } = heartbeat;
  if (applied === 0) return true; // Not synced yet, as it knows itself.
  try {
    await replica.caughtUp(applied, { timeoutMs: lagMaxMs }); // N3
  } catch (error) {
    if (error instanceof ReplicaLagging) return true; // Nothing is known against it, nor for it.
    throw error;
  }
  const proof = history.prove(applied, digest);
  if (proof !== undefined) lbs.acknowledge(heartbeat, proof);
  return proof !== undefined;
}

function heartbeatReply(
  { settings }: SessionPorts,
  history: LbHistory,
  { applied, digest }: LbHeartbeat,
  differs: boolean,
): LbHeartbeatReply {
  // One whose content is the newest has missed nothing, whatever the revision of our load.
  const isNewest = applied > 0 && (history.prove(applied, digest) ?? 0) >= history.lastRevision();
  return {
    lastRevision: isNewest ? Math.min(applied, history.lastRevision()) : history.lastRevision(),
    differs,
    cluster: clusterFactsOf(settings),
  };
}

/** All that lbs route by, at a cut no older than what this one has applied (N3). */
async function snapshot({ replica, view }: SessionPorts, applied: number): Promise<LbSnapshot> {
  await replica.caughtUp(applied);
  return {
    cut: view.revision,
    services: [...view.raw.scan(servicePrefix)].map(toHeld),
    slices: [...view.raw.scan(slicePrefix)].map(toHeld),
    nodes: [...view.raw.scan(prefixOf(nodeKind))].map(({ value }) => toNode(value as Node)), // Its prefix holds Nodes.
  };
}

const toHeld = ({ revision, value }: Held<unknown>): LbSnapshot["services"][number] => ({
  revision,
  object: value as Record<string, unknown>, // The key's prefix holds objects.
});

function toNode({ metadata, spec, status }: Node): LbSnapshot["nodes"][number] {
  const { podCIDR } = spec;
  return {
    name: metadata.name,
    addresses: (status?.addresses ?? [])
      .filter(({ type }) => type === "InternalIP" || type === "ExternalIP")
      .map(({ address }) => address),
    ...(podCIDR !== undefined && podCIDR !== "" && { podCIDR }),
  };
}

function answering(
  answer: (data: unknown, sender: string) => Promise<unknown>,
): (message: Message) => Promise<Uint8Array | undefined> {
  return async ({ subject, data }) => {
    const sender = senderOf(subject);
    if (!sender.startsWith(lbId(""))) return undefined; // A node's: `node-sessions.ts` answers it.
    const reply = await answer(JSON.parse(new TextDecoder().decode(data)), sender);
    return reply === undefined ? undefined : new TextEncoder().encode(JSON.stringify(reply));
  };
}
