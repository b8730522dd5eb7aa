/** Pods as the scheduler's benchmarks ask for them: what each of them wants of its node. */

export const mixes = ["plain", "spread", "spread-nodes", "anti", "affinity", "preemption"] as const;
export type Mix = (typeof mixes)[number];
export const isMix = (text: string): text is Mix => (mixes as readonly string[]).includes(text);

const zone = "topology.kubernetes.io/zone";
const hostname = "kubernetes.io/hostname";
export const zones = 3;
/** Half of the nodes have it. */
const disk = "example.com/disk";

/** Labels of the nth node. */
export const nodeLabels = (nth: number): Readonly<Record<string, string>> => ({
  [zone]: `zone-${(nth % zones) + 1}`,
  [hostname]: nodeName(nth),
  [disk]: nth % 2 === 0 ? "ssd" : "hdd",
});
export const nodeName = (nth: number): string => `node-${nth + 1}`;
/** Room for as many pods as are asked of it. */
export const nodeCapacity = { cpu: "32", memory: "64Gi", pods: "250" } as const;

const constraintsOf = (app: string) => {
  const labelSelector = { matchLabels: { app } };
  const even = (topologyKey: string) => ({
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey, whenUnsatisfiable: "DoNotSchedule", labelSelector },
    ],
  });
  return {
    plain: {},
    preemption: {},
    spread: even(zone),
    "spread-nodes": even(hostname),
    anti: {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: hostname, labelSelector },
          ],
        },
      },
    },
    affinity: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: disk, operator: "In", values: ["ssd"] }] },
            ],
          },
        },
      },
    },
  } as const satisfies Record<Mix, object>;
};

export const highPriority = { name: "bench-high", value: 1_000 } as const;
/** So many fill a node; a pod of the mix `preemption` is as large as one of them. */
export const fillersOnNode = 4;
const fillerCpu = "8";

/** What a pod of the application is made of; a filler is one that gives way. */
export const podTemplate = (mix: Mix | "filler", app: string) => {
  const isLarge = mix === "preemption" || mix === "filler";
  const requests = { cpu: isLarge ? fillerCpu : "100m", memory: "64Mi" };
  return {
    metadata: { labels: { app } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "app", image: "example.com/app:v1", resources: { requests } }],
      ...(mix === "preemption" && { priorityClassName: highPriority.name }),
      ...(mix === "filler" ? {} : constraintsOf(app)[mix]),
    },
  };
};

/** No more than find a node: of those that make room for themselves as many as there are fillers. */
export const podsOf = (
  mix: Mix,
  { pods, nodes }: { readonly pods: number; readonly nodes: number },
): number => (mix === "preemption" ? Math.min(pods, nodes * fillersOnNode) : pods);

/** So many applications that every pod finds a node, also where each wants one of its own. */
export const applicationsFor = ({
  pods,
  nodes,
}: {
  readonly pods: number;
  readonly nodes: number;
}): number => Math.max(10, Math.ceil(pods / nodes));
