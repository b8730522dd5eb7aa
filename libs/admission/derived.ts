/**
 * The keys that follow from an object and are written in its own transaction: what a node must run,
 * what is allocated, what decides what fits. One function makes them, and every write uses it.
 */
import { dequal } from "dequal";
import { addressClaim, addressKey } from "../cluster/address-claim.ts";
import type { Pod } from "../model/kinds/pod.ts";
import { allocatedAnnotation, allocatedSpec } from "../model/pod/allocated.ts";
import { allocKey, assignKey } from "../cluster/key.ts";
import type { Assignment } from "../protocol/node.ts";
import type { AnyObject } from "./context.ts";
import { isLarger } from "./prepare-size.ts";

/** The agent's mark of its last report (N2); it changes with the status and concerns no assignment. */
export const reportAnnotation = "berth.dev/report";

/** Derived key → its value, for an object as it is. `undefined`: there is no such object. */
export function derivedKeys(object: AnyObject | undefined): ReadonlyMap<string, unknown> {
  if (object === undefined) return new Map();
  const kind = `${object.apiVersion}/${object.kind}`;
  if (kind === "v1/Pod") return assignmentOf(object);
  if (kind === "v1/Service") return allocationsOf(object);
  if (kind === "v1/Node") return podRangesOf(object);
  return new Map();
}

/**
 * The nodes whose `load` key a change must write (B1): of a pod, the node it comes to be bound to, or
 * on which more of it comes to count, or where room is to be made for it; of a Node, its own when something changed that decides what fits there.
 */
export function loadsTouched(
  before: AnyObject | undefined,
  after: AnyObject | undefined,
): readonly string[] {
  const object = after ?? before;
  if (object?.apiVersion !== "v1") return [];
  if (object.kind === "Pod") {
    const node = nodeOf(after);
    if (node === undefined) return nominationIn(before, after);
    if (node === nodeOf(before) && !isGrowth(before, after)) return [];
    return [node];
  }
  if (object.kind !== "Node") return [];
  return dequal(fitOf(before), fitOf(after)) ? [] : [nameOf(object)];
}

function nominationIn(
  before: AnyObject | undefined,
  after: AnyObject | undefined,
): readonly string[] {
  const [was, is] = [before, after].map((pod) => pod?.status?.["nominatedNodeName"]);
  return typeof is === "string" && is !== "" && is !== was ? [is] : [];
}

/** Most writes of a pod leave its spec as it is: those of its status. */
function isGrowth(before: AnyObject | undefined, after: AnyObject | undefined): boolean {
  if (before === undefined || after === undefined) return false;
  const [had, has] = [before, after].map(({ metadata }) => metadata.annotations);
  const isSame = had?.[allocatedAnnotation] === has?.[allocatedAnnotation];
  if (isSame && before.spec === after.spec) return false;
  return isLarger(after as unknown as Pod, before as unknown as Pod); // It is told from its kind.
}

function assignmentOf(pod: AnyObject): ReadonlyMap<string, unknown> {
  const node = nodeOf(pod);
  if (node === undefined) return new Map();
  const { metadata } = pod;
  const {
    [reportAnnotation]: _report,
    [allocatedAnnotation]: _allocated,
    ...annotations
  } = metadata.annotations ?? {};
  const phase = pod.status?.["phase"];
  const assignment: Assignment = {
    namespace: metadata.namespace ?? "default",
    name: nameOf(pod),
    uid: metadata.uid ?? "",
    labels: metadata.labels ?? {},
    annotations,
    ...(metadata.deletionTimestamp !== undefined && {
      deletionTimestamp: metadata.deletionTimestamp,
      deletionGracePeriodSeconds: metadata.deletionGracePeriodSeconds ?? 0,
    }),
    ...((phase === "Succeeded" || phase === "Failed") && { phase }),
    ...(metadata.generation !== undefined && { generation: metadata.generation }),
    spec: allocatedSpec(pod as unknown as Pod), // It is told from its kind.
  };
  return new Map([[assignKey(node, assignment.namespace, assignment.name), assignment]]);
}

function allocationsOf(service: AnyObject): ReadonlyMap<string, unknown> {
  const owner = { namespace: service.metadata.namespace, name: nameOf(service) };
  const spec = (service.spec ?? {}) as ServiceAllocations; // Admission parsed it as a Service.
  const addresses = (spec.clusterIPs ?? []).filter(
    (address) => address !== "None" && address !== "",
  );
  const ports = (spec.ports ?? []).flatMap(({ nodePort }) =>
    nodePort === undefined ? [] : [nodePort],
  );
  return new Map<string, unknown>([
    ...addresses.map((address) => [addressKey(address), addressClaim(service, address)] as const),
    ...[...new Set(ports)].map((port) => [allocKey("node-port", port), owner] as const),
  ]);
}

type ServiceAllocations = {
  readonly clusterIPs?: readonly string[];
  readonly ports?: readonly { readonly nodePort?: number }[];
};

function podRangesOf(node: AnyObject): ReadonlyMap<string, unknown> {
  const range = node.spec?.["podCIDR"];
  if (typeof range !== "string" || range === "") return new Map();
  return new Map([[allocKey("pod-cidr", range), { name: nameOf(node) }]]);
}

/** What of a Node decides what fits on it. */
function fitOf(node: AnyObject | undefined): unknown {
  if (node === undefined) return undefined;
  const { spec = {}, status = {}, metadata } = node;
  return {
    labels: metadata.labels ?? {},
    taints: spec["taints"] ?? [],
    cordoned: spec["unschedulable"] ?? false,
    allocatable: status["allocatable"] ?? {},
    ending: metadata.deletionTimestamp !== undefined,
  };
}

function nodeOf(pod: AnyObject | undefined): string | undefined {
  const node = pod?.spec?.["nodeName"];
  return typeof node === "string" && node !== "" ? node : undefined;
}

const nameOf = ({ metadata }: AnyObject): string => metadata.name ?? "";
