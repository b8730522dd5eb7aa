/** Pods and containers for tests of decisions. */
import { createLog } from "../../../libs/telemetry/log.ts";
import type { ContainerRuntime, Observed } from "../runtime/runtime.ts";
import type { PodFacts } from "./facts.ts";
import type { PodHands } from "./hands.ts";
import type { Action } from "./plan.ts";
import { sizeOf } from "./size.ts";
import { parseWork, type PodWork } from "./spec.ts";

export const now = Date.parse("2026-01-01T00:00:00Z");

export const aWork = (spec: object = {}, more: object = {}): PodWork =>
  parseWork({
    namespace: "default",
    name: "web",
    uid: "u1",
    labels: { app: "web" },
    annotations: {},
    ...more,
    spec: { containers: [{ name: "main", image: "web:v1" }], ...spec },
  });

export const aContainer = (container: string, more: Partial<Observed> = {}): Observed => ({
  namespace: "default",
  pod: "web",
  uid: "u1",
  container,
  attempt: 0,
  failures: 0,
  specHash: "h",
  address: "10.0.0.2",
  hostPorts: [],
  id: `${container}-${more.attempt ?? 0}`,
  state: "running",
  startedAt: now - 60_000,
  finishedAt: more.state === "exited" ? now : undefined,
  exitCode: 0,
  oomKilled: false,
  error: "",
  image: "web:v1",
  imageId: "sha256:1",
  pid: 1,
  size: sizeOf({ resources: {} }),
  ...more,
});

export const theFacts = (more: Partial<PodFacts> = {}): PodFacts => ({
  work: aWork(),
  startTime: now - 60_000,
  ending: undefined,
  containers: [],
  probes: new Map(),
  waiting: new Map(),
  resizes: new Map(),
  started: new Map(),
  replaced: new Set(),
  messages: new Map(),
  address: "10.0.0.2",
  hostAddress: "192.0.2.2",
  last: undefined,
  now,
  ...more,
});

/** What an actor's parts act with: on a machine without a pod network or a control plane. */
export const theHands = ({
  clock,
  runtime,
  ...more
}: Pick<PodHands, "clock"> & {
  readonly runtime: ContainerRuntime;
} & Partial<PodHands>): PodHands => ({
  uid: "u1",
  context: {
    node: "n1",
    hostAddress: "192.0.2.2",
    allocatable: {},
    memoryBytes: 0,
    dataDir: "/nowhere",
    runtime,
    control: {
      config: () => Promise.reject(new Error("nobody answers")),
      drained: async () => undefined,
    },
    network: () => undefined,
    takeAddress: () => undefined,
    clearWay: async () => true,
  },
  clock,
  log: createLog("test", "silent"),
  signal: new AbortController().signal,
  work: () => aWork(),
  forgotten: () => false,
  event: () => undefined,
  ...more,
});

/** An action in a line. */
export function textOf(action: Action): string {
  switch (action.do) {
    case "start":
      return `start ${action.container} ${action.attempt}`;
    case "stop":
      return `stop ${action.id} ${action.graceSeconds} ${action.why}`;
    case "remove":
      return `remove ${action.id}`;
    case "resize":
      return `resize ${action.id} ${JSON.stringify(action.size)}`;
    case "drain":
      return "drain";
    default:
      return action satisfies never;
  }
}
