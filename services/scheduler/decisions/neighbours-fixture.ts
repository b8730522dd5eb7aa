/** Pods and nodes in zones, for tests of rules that span nodes. */
import type { PodFacts } from "../claim.ts";
import { type Room, roomOf } from "../room.ts";
import type { NamespaceLabels, TermFacts } from "./pod-terms.ts";

export type Spec = Partial<PodFacts["spec"]>;
type Labels = Record<string, string>;
export type Described = Spec & { labels?: Labels; namespace?: string; ending?: boolean };

export const podOf = (
  name: string,
  { labels = {}, namespace = "default", ending, ...spec }: Described,
): PodFacts => ({
  metadata: {
    name,
    namespace,
    uid: name,
    labels,
    ...(ending === true && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
  },
  spec: { containers: [{}], ...spec },
});

/** Three nodes in two zones, and one in none. */
const zones: Record<string, string | undefined> = { a1: "a", a2: "a", b1: "b", none: undefined };
export const labelsOf: NamespaceLabels = (name) => (name === "team" ? { team: "yes" } : {});

export function roomsWith(pods: Record<string, Described[]>, nodes: readonly string[]): Room[] {
  return nodes.map((name) => {
    const zone = zones[name];
    return roomOf(
      {
        metadata: {
          name,
          labels: { host: name, ...(zone !== undefined && { zone }), ...nodeLabels[name] },
        },
        spec: { taints: nodeTaints[name] ?? [] },
        status: { allocatable: { pods: "110" } },
      },
      (pods[name] ?? []).map((pod, nth) => podOf(`${name}-${nth}`, pod)),
    );
  });
}
const nodeLabels: Record<string, Labels> = { a2: { disk: "ssd" } };
const nodeTaints: Record<string, { key: string; effect: string }[]> = {
  tainted: [{ key: "gpu", effect: "NoSchedule" }],
};

export const app = (value: string) => ({ matchLabels: { app: value } });
export const near = (...required: TermFacts[]): Spec => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
});
export const apart = (...required: TermFacts[]): Spec => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
});
