/** Which fields of a kind's objects a field selector may name, and how each is read. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";

export type Selected = Pick<Kind, "group" | "kind" | "selectable">;

type Read = (object: AnyObject) => string;
type Fields = Readonly<Record<string, Read>>;

/** @throws {ApiError} BadRequest, in the words that Kubernetes has for it */
export function readerOf(kind: Selected, field: string): Read {
  const own = fields[kind.group === "" ? kind.kind : `${kind.group}/${kind.kind}`];
  const all = own ?? everyKind;
  const read = Object.hasOwn(all, field) ? all[field] : undefined;
  if (read !== undefined) return read;
  if (kind.selectable?.includes(field) === true) return at(field);
  const shown = field.slice(0, 300);
  // What a kind with fields of its own says differs from what the others say.
  const message =
    own === undefined
      ? `"${shown}" is not a known field selector: only "metadata.name", "metadata.namespace"`
      : `field label not supported: ${shown}`;
  throw new ApiError("BadRequest", message);
}

/** The text of a field; nothing is empty. */
function at(path: string, empty = ""): Read {
  const steps = path.split(".");
  return (object) => {
    let value: unknown = object;
    for (const step of steps) {
      value =
        typeof value === "object" && value !== null
          ? (value as Record<string, unknown>)[step] // Any object.
          : undefined;
    }
    if (typeof value === "string") return value;
    return typeof value === "number" || typeof value === "boolean" ? String(value) : empty;
  };
}

const asNamed = (...paths: readonly string[]): Fields =>
  Object.fromEntries(paths.map((path) => [path, at(path)]));

/** The first of two that says anything. */
const either =
  (first: Read, second: Read): Read =>
  (object) =>
    first(object) === "" ? second(object) : first(object);

/** Kinds of the whole cluster too: their namespace is empty. */
const everyKind = asNamed("metadata.name", "metadata.namespace");
const itsName = asNamed("metadata.name");

const referenceParts = [
  "kind",
  "namespace",
  "name",
  "uid",
  "apiVersion",
  "resourceVersion",
  "fieldPath",
];
const reference = (name: string): Fields =>
  asNamed(...referenceParts.map((part) => `${name}.${part}`));

const podIp: Read = ({ status }) => {
  const [first] = (status?.["podIPs"] ?? []) as readonly { readonly ip?: string }[]; // Parsed as a Pod.
  return first?.ip ?? at("status.podIP")({ status } as AnyObject);
};

const fields: Readonly<Record<string, Fields>> = {
  Pod: {
    ...everyKind,
    ...asNamed(
      "spec.nodeName",
      "spec.restartPolicy",
      "spec.schedulerName",
      "spec.serviceAccountName",
      "status.phase",
      "status.nominatedNodeName",
    ),
    "spec.hostNetwork": at("spec.hostNetwork", "false"),
    "status.podIP": podIp,
    "status.podIPs": podIp,
  },
  Event: {
    ...everyKind,
    ...reference("involvedObject"),
    ...asNamed("reason", "reportingComponent", "type"),
    source: either(at("source.component"), at("reportingComponent")),
  },
  "events.k8s.io/Event": {
    ...everyKind,
    ...Object.fromEntries(
      referenceParts.map((part) => [`regarding.${part}`, at(`involvedObject.${part}`)]),
    ),
    ...asNamed("reason", "type"),
    reportingController: at("reportingComponent"),
  },
  Node: { ...itsName, "spec.unschedulable": at("spec.unschedulable", "false") },
  Namespace: { ...itsName, ...asNamed("status.phase") },
  Secret: { ...everyKind, ...asNamed("type") },
  Service: { ...everyKind, ...asNamed("spec.clusterIP", "spec.type") },
  ReplicationController: { ...everyKind, "status.replicas": at("status.replicas", "0") },
  "apps/ReplicaSet": { ...everyKind, "status.replicas": at("status.replicas", "0") },
  "batch/Job": { ...everyKind, "status.successful": at("status.succeeded", "0") },
  "certificates.k8s.io/CertificateSigningRequest": { ...itsName, ...asNamed("spec.signerName") },
};
