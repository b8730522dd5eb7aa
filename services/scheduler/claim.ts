/** What a pod asks of a node, worked out once for each version of the pod. */
import type { LabelSelector } from "../../libs/model/label-selector.ts";
import { allocatedSpec, awaitsRoom } from "../../libs/model/pod/allocated.ts";
import { claimNamesOf } from "../../libs/model/pod/claim-refs.ts";
import { effective } from "../../libs/model/pod/effective.ts";
import { hostPortsOf } from "../../libs/model/pod/host-ports.ts";
import type { NodeTerm, Toleration } from "../../libs/model/pod/placement.ts";
import { isLive, isTerminal } from "../../libs/model/pod/state.ts";
import { type PodTerms, podTerms, type TermsFacts } from "./decisions/pod-terms.ts";
import { noVolumes, type PodVolumes } from "./decisions/volumes.ts";
import { quantityMilli, quantityValue } from "../../libs/model/quantity.ts";
import { taggedImage } from "./tagged-image.ts";

type Container = {
  readonly name?: string | undefined;
  readonly image?: string | undefined;
  readonly resources?: { readonly requests?: Quantities | undefined } | undefined;
  readonly restartPolicy?: string | undefined;
  readonly ports?: readonly Port[] | undefined;
};
type Port = {
  readonly containerPort?: number | undefined;
  readonly hostPort?: number | undefined;
  readonly hostIP?: string | undefined;
  readonly protocol?: string | undefined;
};
type Quantities = Readonly<Record<string, string>>;
type Spread = {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly whenUnsatisfiable: string;
  readonly labelSelector?: LabelSelector | undefined;
  readonly minDomains?: number | undefined;
  readonly nodeAffinityPolicy?: string | undefined;
  readonly nodeTaintsPolicy?: string | undefined;
};

/** What of a v1 Pod the scheduler reads. */
export type PodFacts = {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid?: string | undefined;
    readonly generation?: number | undefined;
    readonly creationTimestamp?: string | undefined;
    readonly deletionTimestamp?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
    readonly ownerReferences?:
      | readonly { readonly uid: string; readonly controller?: boolean | undefined }[]
      | undefined;
  };
  readonly spec: {
    readonly nodeName?: string | undefined;
    readonly schedulerName?: string | undefined;
    readonly schedulingGates?: readonly unknown[] | undefined;
    readonly priority?: number | undefined;
    readonly preemptionPolicy?: string | undefined;
    readonly hostNetwork?: boolean | undefined;
    readonly volumes?: Parameters<typeof claimNamesOf>[0]["volumes"];
    readonly nodeSelector?: Readonly<Record<string, string>> | undefined;
    readonly tolerations?: readonly Toleration[] | undefined;
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[] | undefined;
    readonly overhead?: Quantities | undefined;
    readonly topologySpreadConstraints?: readonly Spread[] | undefined;
    readonly affinity?:
      | {
          readonly nodeAffinity?:
            | {
                readonly requiredDuringSchedulingIgnoredDuringExecution?:
                  | { readonly nodeSelectorTerms: readonly NodeTerm[] }
                  | undefined;
                readonly preferredDuringSchedulingIgnoredDuringExecution?:
                  | readonly { readonly weight: number; readonly preference: NodeTerm }[]
                  | undefined;
              }
            | undefined;
          readonly podAffinity?: TermsFacts | undefined;
          readonly podAntiAffinity?: TermsFacts | undefined;
        }
      | undefined;
  };
  readonly status?:
    | {
        readonly phase?: string | undefined;
        readonly nominatedNodeName?: string | undefined;
      }
    | undefined;
};

/** Milli-units for `cpu`, whole units for everything else; `pods` is 1. */
export type Amounts = Readonly<Record<string, number>>;

export type Claim = {
  /** `<namespace>/<name>`. */
  readonly address: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly requests: Amounts;
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Required node affinity: one of them must match; undefined when nothing is required. */
  readonly nodeTerms: readonly NodeTerm[] | undefined;
  readonly preferences: readonly { readonly weight: number; readonly preference: NodeTerm }[];
  readonly tolerations: readonly Toleration[];
  /** `<protocol>/<port>/<address>` on the node. */
  readonly hostPorts: readonly string[];
  readonly spread: readonly Spread[];
  readonly affinity: PodTerms;
  readonly antiAffinity: PodTerms;
  /** It is being deleted. */
  readonly ending: boolean;
  /** Pods with the same text are the same to other pods. */
  readonly cohort: string;
  /** Other pods mean the same to pods with the same text. */
  readonly alike: string;
  /** What its volumes ask of a node; `withVolumes` says so. */
  readonly volumes: PodVolumes;
  /** It names claims to storage. */
  readonly usesStorage: boolean;
  /** The uid of its controller, or its own: pods of one owner are spread. */
  readonly group: string;
  /** It has a controller. */
  readonly isOwned: boolean;
  /** Of its containers, by name with tag or digest. */
  readonly images: readonly ImageWanted[];
  readonly priority: number;
  /** Pods of lower priority may go for it. */
  readonly preempts: boolean;
  /** The node where room is being made for it; "" for none. */
  readonly nominated: string;
  readonly createdAt: string;
  /** Pods with the same text ask the same of a node, whoever owns them. */
  readonly sameAs: string;
};

type ImageWanted = {
  readonly name: string;
  /** Of the nodes, how large a part has it, from 0 to 1; 0 until `presentImages` has looked. */
  readonly share: number;
};

const claims = new WeakMap<PodFacts, Claim>();

/** Remembered for as long as this version of the pod is. */
export function claimOf(pod: PodFacts): Claim {
  const known = claims.get(pod);
  if (known !== undefined) return known;
  const claim = read(pod);
  claims.set(pod, claim);
  return claim;
}

/** The claim of a pod that names claims to storage, as they are at one cut. */
export function withVolumes(claim: Claim, volumes: PodVolumes): Claim {
  const { problem, bound, waiting, exclusive } = volumes;
  // What one pod's claims take, another's cannot have: such pods share nothing.
  const isAlone = waiting.length + exclusive.length > 0;
  const of = isAlone ? claim.address : bound.map(({ metadata }) => metadata.name);
  return { ...claim, volumes, sameAs: JSON.stringify([claim.sameAs, problem, of]) };
}

/** Whether the pod waits for this scheduler. */
export function isPending(pod: PodFacts): boolean {
  const { spec } = pod;
  if ((spec.nodeName ?? "") !== "" || !isLive(pod)) return false;
  if ((spec.schedulerName ?? "default-scheduler") !== "default-scheduler") return false;
  return (spec.schedulingGates ?? []).length === 0;
}

/** Whether room is being made for the pod on a node, which it holds against those of no higher priority. */
export const isNominated = (pod: PodFacts): boolean =>
  (pod.spec.nodeName ?? "") === "" && (pod.status?.nominatedNodeName ?? "") !== "" && isLive(pod);

/** Whether the pod is on a node and waits there for room to grow. */
export const isResizing = (pod: PodFacts): boolean =>
  (pod.spec.nodeName ?? "") !== "" && awaitsRoom(pod) && isLive(pod);

/** Whether the pod takes up room on its node: until it has ended, whatever its deletion says. */
export const takesRoom = (pod: PodFacts): boolean => !isTerminal(pod);

function read(pod: PodFacts): Claim {
  const { metadata, spec } = pod;
  const { name, namespace, uid = "", labels = {}, creationTimestamp = "" } = metadata;
  const owner = (metadata.ownerReferences ?? []).find(({ controller }) => controller === true);
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
  const nodeAffinity = spec.affinity?.nodeAffinity;
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const asked = {
    requests: requestsOf(allocatedSpec(pod)),
    nodeSelector: spec.nodeSelector ?? {},
    nodeTerms: required,
    preferences: nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [],
    tolerations: spec.tolerations ?? [],
    hostPorts: hostPortsOf(spec),
  };
  const ending = metadata.deletionTimestamp !== undefined;
  const cohort = JSON.stringify([namespace, labels, podAffinity, podAntiAffinity, ending]);
  const spread = spec.topologySpreadConstraints ?? [];
  const { nodeSelector, nodeTerms, tolerations } = asked;
  // Which nodes a spread counts depends on them too.
  const counted = spread.length === 0 ? [] : [spread, nodeSelector, nodeTerms, tolerations];
  return {
    ...asked,
    address: `${namespace}/${name}`,
    namespace,
    name,
    labels,
    affinity: podTerms(podAffinity, namespace),
    antiAffinity: podTerms(podAntiAffinity, namespace),
    ending,
    cohort,
    alike: JSON.stringify([cohort, ...counted]),
    spread,
    volumes: noVolumes,
    usesStorage: claimNamesOf(spec).length > 0,
    group: owner?.uid ?? uid,
    isOwned: owner !== undefined,
    images: [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ image = "" }) =>
      image === "" ? [] : [{ name: taggedImage(image), share: 0 }],
    ),
    priority: spec.priority ?? 0,
    preempts: spec.preemptionPolicy !== "Never",
    nominated: pod.status?.nominatedNodeName ?? "",
    createdAt: creationTimestamp,
    sameAs: JSON.stringify(asked),
  };
}

/** What a pod's spec requests; of one that waits for room to grow less counts. */
export function requestsOf(spec: PodFacts["spec"]): Amounts {
  const own = ({ resources }: Container) => amountsOf(resources?.requests);
  const containers = effective(spec, own, { none: {}, plus, most });
  return { ...plus(containers, amountsOf(spec.overhead)), pods: 1 };
}

/** Quantities as numbers. */
export function amountsOf(quantities: Quantities = {}): Amounts {
  return Object.fromEntries(
    Object.entries(quantities).map(([name, text]) => [
      name,
      name === "cpu" ? quantityMilli(text) : quantityValue(text),
    ]),
  );
}

export const plus = (a: Amounts, b: Amounts): Amounts => combined(a, b, (x, y) => x + y);
const most = (a: Amounts, b: Amounts): Amounts => combined(a, b, Math.max);

function combined(a: Amounts, b: Amounts, merge: (x: number, y: number) => number): Amounts {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...names].map((name) => [name, merge(a[name] ?? 0, b[name] ?? 0)]));
}
