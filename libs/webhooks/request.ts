/** What admission is asked about: a write, or a connection, with the objects as they are stored. */
import type { Kind } from "../model/kind.ts";

export type Operation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

/** `authentication.k8s.io/v1` UserInfo. */
export type Requester = {
  readonly username: string;
  readonly uid?: string | undefined;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>> | undefined;
};

export type GroupVersionKind = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
};

export type AdmissionRequest = {
  readonly operation: Operation;
  /** Of the resource that is written, in the version that the client speaks. */
  readonly kind: Kind;
  /** `status`, `scale`, `exec`, …; empty: the object itself. */
  readonly subresource: string;
  /** Of the body, where that is no object of `kind`: a Scale, a Binding, PodExecOptions. */
  readonly body?: GroupVersionKind | undefined;
  readonly namespace: string | undefined;
  /** Empty while it is still to be generated. */
  readonly name: string;
  readonly user: Requester;
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions, DeleteOptions, with their kind. */
  readonly options: unknown;
};

/** What the request is about; absent: there is none, as of a deletion's object. */
export type Objects = {
  readonly object: unknown;
  readonly oldObject: unknown;
};

/** The versions in which a request's resource is served, the client's first. */
export function formsOf({ kind }: Pick<AdmissionRequest, "kind">): readonly Kind[] {
  const stored = kind.stored?.kind ?? kind;
  return [kind, ...[stored, ...stored.versions].filter((form) => form.version !== kind.version)];
}

/** An object in storage form, as `form` shows it. */
export const inForm = ({ stored }: Kind, object: unknown): unknown =>
  stored === undefined || object === undefined ? object : stored.fromStorage(object);

/** The way back. */
export const inStorage = ({ stored }: Kind, object: unknown): unknown =>
  stored === undefined ? object : stored.toStorage(object);

/** The body's kind, as a webhook that `form` was matched for reads it. */
export const bodyKindOf = (
  { body }: Pick<AdmissionRequest, "body">,
  form: Kind,
): GroupVersionKind => body ?? { group: form.group, version: form.version, kind: form.kind };

/** What configures admission is never judged by what it configures: nobody could repair it. */
export const isExempt = ({ kind }: Pick<AdmissionRequest, "kind">): boolean =>
  kind.group === "admissionregistration.k8s.io";

/**
 * The namespace that rules and selectors go by: a Namespace belongs to itself.
 */
export const namespaceOf = ({ kind, namespace, name }: AdmissionRequest): string | undefined =>
  isNamespace(kind) ? name : namespace;

export const isNamespace = ({ group, kind }: Pick<Kind, "group" | "kind">): boolean =>
  group === "" && kind === "Namespace";

/** `deployments.apps "web" is forbidden: …`, as Kubernetes refuses a request. */
export const forbiddenText = ({ kind, name }: AdmissionRequest, reason: string): string => {
  const resource = kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
  return `${resource} ${JSON.stringify(name)} is forbidden: ${reason}`;
};

/** Options of a verb, with their kind. */
export const optionsOf = (
  kind: "CreateOptions" | "UpdateOptions" | "PatchOptions" | "DeleteOptions",
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> => ({ kind, apiVersion: "meta.k8s.io/v1", ...fields });

/** Of a kind's objects, as reviews name it. */
export const gvkOf = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => ({
  group,
  version,
  kind,
});

type Born = {
  readonly metadata: Readonly<Record<string, unknown>>;
};

/** Before it is created an object has no identity; a name that is to be generated comes later, too. */
export function unborn<O extends Born>(
  object: O,
  { operation, subresource, name }: AdmissionRequest,
): O {
  if (operation !== "CREATE" || subresource !== "") return object;
  const {
    uid: _u,
    creationTimestamp: _c,
    generation: _g,
    name: given,
    ...metadata
  } = object.metadata;
  return { ...object, metadata: { ...metadata, ...(name !== "" && { name: given }) } };
}
