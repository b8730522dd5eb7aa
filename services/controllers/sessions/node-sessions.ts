/** The controllers' side of `libs/protocol/node.ts`: heartbeats, snapshots, reports, configuration. */
import type * as z from "zod";
import { assignPrefix } from "../../../libs/cluster/key.ts";
import type { RecordEvent } from "../../../libs/cluster/record-event.ts";
import { node as nodeKind } from "../../../libs/model/kinds/node.ts";
import type { Message, Served } from "../../../libs/bus/bus.ts";
import {
  assignment,
  type ClusterFacts,
  nodeConfigRequest,
  nodeHeartbeat,
  type NodeHeartbeatReply,
  nodeReport,
  type NodeReport,
  type NodeReportReply,
  type NodeSnapshot,
  nodeSnapshotRequest,
  type NodeSnapshotRequest,
  volumesRemoved,
} from "../../../libs/protocol/node.ts";
import {
  controlSubjects,
  type ControlVerb,
  lbId,
  senderOf,
} from "../../../libs/protocol/subjects.ts";
import { engineAnnotation } from "../actors/node.ts";
import { announceChanges, answerConfig } from "./node-config.ts";
import { followNodeRevisions, type NodeRevisions } from "./node-revisions.ts";
import { storeReport } from "./node-report.ts";
import { takeRemoved, unclaimedOn } from "./node-volumes.ts";
import type { observeNodes } from "./observed-nodes.ts";
import type { SessionPorts } from "./sessions.ts";

/** Instances that answer the requests that any of them can. */
const queue = "controllers";
const isLb = (sender: string) => sender.startsWith(lbId(""));

/** Serves nodes until disposed. */
export async function serveNodes(
  ports: SessionPorts,
  observed: ReturnType<typeof observeNodes>,
  record: RecordEvent,
): Promise<AsyncDisposable> {
  const { bus, replica, log } = ports;
  const stack = new AsyncDisposableStack();
  const revisions = stack.use(followNodeRevisions(replica));
  stack.use(announceChanges(ports));

  type Answer<R> = (request: R) => Promise<unknown>;
  async function serve<R extends { readonly applied: number }>(
    verb: ControlVerb,
    schema: z.ZodType<R>,
    answer: Answer<R>,
    options: { readonly queue?: string } = {},
  ): Promise<Served> {
    const handle = async (message: Message) => {
      if (isLb(senderOf(message.subject))) return undefined;
      const request = schema.parse(parseJson(message.data));
      const reply = await answer(request);
      return reply === undefined ? undefined : new TextEncoder().encode(JSON.stringify(reply));
    };
    return stack.use(await bus.serve(controlSubjects(verb), handle, options));
  }

  await serve("heartbeat", nodeHeartbeat, async (heartbeat) => {
    const known = ports.view.get(nodeKind, undefined, heartbeat.node);
    // Every instance hears; the owner answers (N4).
    const verdict = observed.hear(heartbeat, known?.metadata.annotations?.[engineAnnotation]);
    // A node that is heard and not there registers: news is told once, to whoever had its actor then.
    const unknown = known === undefined;
    if (verdict.accepted && (verdict.news || unknown)) ports.tell("nodes", heartbeat.node);
    if (!ports.placement.owns(`nodes/${heartbeat.node}`)) return undefined;
    if (!verdict.accepted) {
      log.warn({ node: heartbeat.node, reason: verdict.reason }, "a second agent was refused");
      return verdict satisfies NodeHeartbeatReply;
    }
    return heartbeatReply(ports, revisions, heartbeat.node);
  });
  observed.listens();
  await serve("snapshot", nodeSnapshotRequest, (request) => snapshot(ports, request), { queue });
  await serve("report", nodeReport, (report) => takeReport(ports, observed, record, report), {
    queue,
  });
  await serve("config", nodeConfigRequest, (request) => answerConfig(ports, request), { queue });
  await serve("volumes", volumesRemoved, (told) => takeRemoved(ports, told), { queue });
  return stack;
}

function heartbeatReply(
  { view, settings }: SessionPorts,
  revisions: NodeRevisions,
  name: string,
): NodeHeartbeatReply {
  const podCIDR = view.get(nodeKind, undefined, name)?.spec.podCIDR;
  const unclaimed = unclaimedOn(view, name);
  return {
    accepted: true,
    lastRevision: revisions.lastOf(name),
    ...(podCIDR !== undefined && podCIDR !== "" && { podCIDR }),
    cluster: clusterFactsOf(settings),
    ...(unclaimed.length > 0 && { unclaimed }),
  };
}

/** What nodes and lbs need of the cluster's settings. */
export const clusterFactsOf = (settings: SessionPorts["settings"]): ClusterFacts => ({
  clusterId: settings.id,
  podCIDR: settings.podCIDR,
  serviceCIDR: settings.serviceCIDR,
  dnsAddress: settings.dnsAddress,
  domain: settings.domain,
});

async function snapshot(
  { store, replica, view }: SessionPorts,
  { node, applied, first }: NodeSnapshotRequest,
): Promise<NodeSnapshot> {
  // N3. Who has just begun does not know what its predecessor applied: only a consistent cut will do (S5).
  await replica.caughtUp(first ? Math.max(applied, await store.lastRevision()) : applied);
  const held = [...view.raw.scan(assignPrefix(node))];
  return {
    cut: view.revision,
    assignments: held.map(({ value, revision }) => ({
      revision,
      assignment: assignment.parse(value),
    })),
  };
}

async function takeReport(
  ports: SessionPorts,
  observed: ReturnType<typeof observeNodes>,
  record: RecordEvent,
  { node, boot, applied, reports, events }: NodeReport,
): Promise<NodeReportReply> {
  await ports.replica.caughtUp(applied); // N3
  const sender = { node, boot, currentBoot: () => observed.seen(node)?.boot };
  const results = await Promise.all(
    reports.map(async (report) => ({
      uid: report.uid,
      outcome: await storeReport(ports, sender, report),
    })),
  );
  for (const { namespace, name, uid, fieldPath, ...event } of events) {
    record({
      ...event,
      source: { component: "berth-node-agent", host: node },
      involved: {
        apiVersion: "v1",
        kind: "Pod",
        namespace,
        name,
        uid,
        ...(fieldPath !== undefined && { fieldPath }),
      },
    });
  }
  return { results };
}

const parseJson = (data: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(data));
