/** One pod and one node, for tests of rules that look at nothing else. */
import { expect, test } from "vitest";
import { claimOf, type PodFacts } from "../claim.ts";
import { type NodeFacts, type Room, roomOf, withClaim } from "../room.ts";
import { place } from "./place.ts";

export type Spec = Partial<PodFacts["spec"]>;

type Metadata = Partial<PodFacts["metadata"]>;
export function aPod(name: string, spec: Spec = {}, metadata: Metadata = {}): PodFacts {
  const containers = [{ resources: { requests: { cpu: "100m" } } }];
  return {
    metadata: { name, namespace: "default", uid: name, ...metadata },
    spec: { containers, ...spec },
  };
}
export const aClaim = (name: string, spec: Spec = {}, metadata: Metadata = {}) =>
  claimOf(aPod(name, spec, metadata));
export const asks = (requests: Record<string, string>): Spec => ({
  containers: [{ resources: { requests } }],
});

export type NodeState = NonNullable<NodeFacts["spec"]> & {
  readonly labels?: Record<string, string>;
  readonly allocatable?: Record<string, string>;
  readonly ready?: "True" | "False" | "Unknown";
};
export function aRoom(
  name: string,
  { labels, allocatable, ready = "True", ...spec }: NodeState = {},
  status: NodeFacts["status"] = {},
): Room {
  return roomOf(
    {
      metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
      spec,
      status: {
        allocatable: { cpu: "2", memory: "4Gi", pods: "110", ...allocatable },
        conditions: [{ type: "Ready", status: ready }],
        ...status,
      },
    },
    [],
  );
}

export const gpuTaint = { key: "gpu", value: "yes", effect: "NoSchedule" };
export const withPort = (
  ports: NonNullable<PodFacts["spec"]["containers"][number]["ports"]>[number],
): Spec => ({
  containers: [{ ports: [ports] }],
});

export type Case = {
  name: string;
  spec: Spec;
  node?: NodeState;
  /** What another pod that is there asks for. */
  taken?: Spec;
  /** Absent: it fits. */
  why?: string;
};

/** A test for each: whether the pod goes to the node `n1`, and why not. */
export const expectVerdicts = (cases: readonly Case[]) =>
  test.each(cases)("$name", ({ spec, node, taken, why }) => {
    const empty = aRoom("n1", node);
    const room = taken === undefined ? empty : withClaim(empty, aClaim("other", taken));
    const { binds, refused } = place([aClaim("web", spec)], [room]);
    expect(binds.has("n1")).toBe(why === undefined);
    expect(refused.map((one) => one.why)).toEqual(
      why === undefined ? [] : [`0/1 nodes are available: 1 ${why}.`],
    );
  });
