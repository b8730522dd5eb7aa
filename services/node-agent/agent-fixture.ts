/** The control plane's side of `libs/protocol/node.ts`, in this process: for tests of the agent. */
import type { Bus } from "../../libs/bus/bus.ts";
import type {
  Assignment,
  ChangedRef,
  Claimed,
  NodeConfigRequest,
  NodeFacts,
  NodeHeartbeat,
  NodeReport,
  PodReport,
  VolumesRemoved,
} from "../../libs/protocol/node.ts";
import { controlSubject, nodeSubject } from "../../libs/protocol/subjects.ts";

/** Of this process: several may test on one machine at once. */
const nth = process.pid % 30;
export const clusterFacts = {
  clusterId: `a${process.pid.toString(36)}`,
  podCIDR: `10.${170 + nth}.0.0/16`,
  serviceCIDR: `10.${200 + nth}.0.0/24`,
  dnsAddress: `10.${200 + nth}.0.10`,
  domain: "cluster.local",
};
export const podCIDR = `10.${170 + nth}.7.0/24`;

export const nodeFacts: NodeFacts = {
  engineId: "e1",
  labels: {},
  addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
  capacity: { cpu: "2000m", memory: "4194304Ki", pods: "110" },
  allocatable: { cpu: "2000m", memory: "4194304Ki", pods: "110" },
  nodeInfo: {},
};

export type FakeControl = AsyncDisposable & {
  /** Assigns, or changes an assignment. */
  assign(assignment: Assignment): void;
  /** Takes an assignment away; told by the next heartbeat, as if its hint were lost. */
  unassign(name: string): void;
  /** Answers heartbeats so from now on (N5). */
  answer(standing: Standing): void;
  /** How many were answered. */
  heartbeats(): number;
  /** As the last of them had them. */
  facts(): NodeFacts | undefined;
  readonly configs: Map<string, Record<string, string>>;
  /** By the claim's name; those that are not here are not bound. */
  readonly claims: Map<string, NonNullable<Claimed["volume"]>>;
  /** Claims of which it is said once that they are about to be bound. */
  readonly pendingOnce: Set<string>;
  /** Tells that one of `configs` or `claims` has changed. */
  changed(ref: ChangedRef): void;
  /** Volumes whose directories are to be removed, as heartbeats are answered. */
  readonly unclaimed: Set<string>;
  readonly reports: PodReport[];
  readonly events: NodeReport["events"];
  readonly questions: string[];
  /** The newest report of the pod that `holds`, waiting for it. */
  reported(name: string, holds: (report: PodReport) => boolean): Promise<PodReport>;
};

/** Accepted, or refused for another agent: on the engine named, or on one that is not sure yet. */
type Standing = "accepted" | { readonly refusedFor: string | undefined };

type Status = Record<string, unknown>;
type SeenState = {
  running?: object;
  waiting?: { reason: string };
  terminated?: { exitCode: number; reason: string; message?: string };
};
type SeenContainer = {
  name: string;
  ready: boolean;
  restartCount: number;
  state: SeenState;
  lastState: SeenState;
  resources?: object;
};
export type SeenStatus = Status & {
  phase: string;
  conditions: { type: string; status: string }[];
  podIP?: string;
  initContainerStatuses?: SeenContainer[];
  containerStatuses: SeenContainer[];
};
/** What the agent reported, as this file's tests read it. */
export const statusIn = (report: PodReport) => report.status as SeenStatus; // The agent's own PodStatus.

export async function fakeControl(bus: Bus, node: string): Promise<FakeControl> {
  const stack = new AsyncDisposableStack();
  const held = new Map<string, { revision: number; assignment: Assignment }>();
  const configs: FakeControl["configs"] = new Map();
  const claims: FakeControl["claims"] = new Map();
  const unclaimed = new Set<string>();
  const pendingOnce = new Set<string>();
  const [reports, events, questions]: [PodReport[], NodeReport["events"], string[]] = [[], [], []];
  const watchers = new Set<() => void>();
  let revision = 1;
  let standing: Standing = "accepted";

  const serve = async (
    verb: Parameters<typeof controlSubject>[1],
    answer: (body: never) => unknown,
  ) => {
    stack.use(
      await bus.serve(controlSubject(node, verb), async ({ data }) => {
        const body = JSON.parse(new TextDecoder().decode(data)) as never; // Each handler names its own.
        return new TextEncoder().encode(JSON.stringify(answer(body)));
      }),
    );
  };
  let heartbeats = 0;
  let facts: NodeFacts | undefined;
  await serve("heartbeat", (beat: NodeHeartbeat) => {
    heartbeats += 1;
    ({ facts } = beat);
    return standing === "accepted"
      ? {
          accepted: true,
          lastRevision: revision,
          podCIDR,
          cluster: clusterFacts,
          ...(unclaimed.size > 0 && { unclaimed: [...unclaimed] }),
        }
      : { accepted: false, reason: "another has it", engineId: standing.refusedFor };
  });
  await serve("snapshot", () => ({ cut: revision, assignments: [...held.values()] }));
  await serve("volumes", (told: VolumesRemoved) => {
    for (const name of told.volumes) unclaimed.delete(name);
    return {};
  });
  await serve("config", ({ refs, claims: asked }: NodeConfigRequest) => ({
    cut: revision,
    found: refs.flatMap((ref) => {
      const data = configs.get(`${ref.kind}/${ref.name}`);
      return data === undefined ? [] : [{ ...ref, revision, data: encoded(data) }];
    }),
    missing: refs.filter((ref) => !configs.has(`${ref.kind}/${ref.name}`)),
    claims: asked.map((claim) => {
      const volume = claims.get(claim.name);
      if (volume !== undefined) return { ...claim, volume };
      return { ...claim, waits: "it is not bound", isPending: pendingOnce.delete(claim.name) };
    }),
  }));
  await serve("drain", ({ uid }: { uid: string }) => {
    questions.push(uid);
    return { outcome: "applied" };
  });
  await serve("report", (message: NodeReport) => {
    reports.push(...message.reports);
    events.push(...message.events);
    const results = message.reports.map(({ uid, gone }) => {
      const known = [...held.values()].some(({ assignment }) => assignment.uid === uid);
      if (gone) for (const [key, one] of held) if (one.assignment.uid === uid) held.delete(key);
      return { uid, outcome: known && !gone ? "stored" : "gone" };
    });
    if (results.some(({ outcome }) => outcome === "gone")) revision += 1;
    for (const watcher of watchers) watcher();
    return { results };
  });

  function hint(assignment: Assignment): void {
    held.set(assignment.name, { revision, assignment });
  }

  return {
    answer: (next) => void (standing = next),
    changed(ref) {
      const told = JSON.stringify({ ref, revision });
      bus.publish(nodeSubject(node, "changed"), new TextEncoder().encode(told));
    },
    heartbeats: () => heartbeats,
    facts: () => facts,
    configs,
    claims,
    pendingOnce,
    unclaimed,
    reports,
    events,
    questions,
    assign(assignment) {
      revision += 1;
      hint(assignment);
    },
    unassign(name) {
      revision += 1;
      held.delete(name);
    },
    reported: (name, holds) =>
      new Promise((resolve) => {
        const look = () => {
          const found = reports.findLast((report) => report.name === name);
          if (found === undefined || !holds(found)) return;
          watchers.delete(look);
          resolve(found);
        };
        watchers.add(look);
        look();
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export const anAssignment = (
  name: string,
  container: object,
  more: { spec?: object } & Partial<Omit<Assignment, "spec">> = {},
): Assignment => ({
  namespace: "default",
  name,
  uid: `uid-${name}`,
  labels: {},
  annotations: {},
  ...more,
  spec: { containers: [{ name: "main", image: "berth/hello:v1", ...container }], ...more.spec },
});

const encoded = (data: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
  );
