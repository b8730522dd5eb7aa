/**
 * Every write passes here (O3): from a user through the gateway, from a turn, from the scheduler, from
 * a node's report. The result is the object as it will be and the transaction that makes it so;
 * committing that is the caller's business.
 */
import { dequal } from "dequal";
import { ApiError, type Cause, invalid, parse, parseStatus } from "../model/errors.ts";
import type { Kind, ObjectOf } from "../model/kind.ts";
import { cleanupFinalizer, terminatingStatus } from "../model/custom/definition-status.ts";
import { customResourceDefinition } from "../model/kinds/customresourcedefinition.ts";
import { namespace as namespaceKind } from "../model/kinds/namespace.ts";
import { type Disruption, withDisruption } from "../model/pod/disruption.ts";
import { type AdmissionContext, type Admitted, type AnyObject, timestamp } from "./context.ts";
import { reportAnnotation } from "./derived.ts";
import { managedFromBirth, managedOnUpdate, settled } from "./manage-fields.ts";
import { prepare } from "./prepare.ts";
import { requireDeletable } from "./prepare-address.ts";
import { transactionOf } from "./transaction.ts";

/**
 * A new object: defaults, validation, uid, times and allocations filled in.
 *
 * @throws {ApiError} Invalid, AlreadyExists, NotFound (its namespace), Forbidden (that is ending)
 */
export function admitCreate<K extends Kind>(
  kind: K,
  input: unknown,
  context: AdmissionContext,
): Admitted<ObjectOf<K>> {
  const parsed = loose(parse(kind, named(input, context)));
  const { metadata } = parsed;
  requireNamespace(kind, parsed, context);
  if (context.view.get(kind, metadata.namespace, metadata.name ?? "") !== undefined) {
    const there = loose(context.view.get(kind, metadata.namespace, metadata.name ?? ""));
    const ending =
      there.metadata.deletionTimestamp === undefined ? "" : "object is being deleted: ";
    const message = `${ending}${resource(kind)} "${metadata.name}" already exists`;
    throw new ApiError("AlreadyExists", message, { name: metadata.name });
  }
  const {
    resourceVersion: _r,
    deletionTimestamp: _d,
    deletionGracePeriodSeconds: _g,
    ...kept
  } = metadata;
  const born: AnyObject = {
    ...parsed,
    metadata: {
      ...kept,
      uid: context.random.uuid(),
      creationTimestamp: timestamp(context.now),
      ...((parsed.spec !== undefined || kind.custom !== undefined) && { generation: 1 }),
    },
  };
  const fresh = kind.subresources.includes("status") ? withoutStatus(born) : born;
  const object = prepare(managedFromBirth(fresh, context), undefined, context);
  return admitted(kind, undefined, object, context);
}

/** What of an object must not change. */
export type UpdateJudge<O> = (before: O, after: O) => readonly Cause[];

/**
 * A change of what users own: metadata and spec. Status, identity and deletion stay as they were;
 * the generation rises when the spec changes. When the last finalizer of an ending object goes, so
 * does the object.
 *
 * @param before as read at the cut
 * @param judge what must not change; of a subresource it is something else
 * @returns undefined when nothing changes
 * @throws {ApiError} Invalid: a schema's refusal, or a field that must not change
 */
export function admitUpdate<K extends Kind>(
  kind: K,
  before: ObjectOf<K>,
  input: unknown,
  context: AdmissionContext,
  judge: UpdateJudge<ObjectOf<K>> = (was, is) => kind.validateUpdate(was, is),
): Admitted<ObjectOf<K>> | undefined {
  const was = loose(before);
  const parsed = loose(parse(kind, input, before));
  const owned = kind.subresources.includes("status") ? withStatusOf(was, parsed) : parsed;
  const managed = managedOnUpdate(kind, was, withIdentityOf(was, owned), context);
  const kept = prepare(managed, was, context);
  const after = withGeneration(kind, was, kept);
  const causes = judge(before, typed(kind, after));
  if (causes.length > 0) throw invalid(kind, was.metadata.name, causes);
  if (isFinished(kind, after)) return admitRemove(kind, before, context);
  return changed(kind, was, after, context);
}

/**
 * A change of the status alone: one single-key transaction (S10).
 *
 * @returns undefined when nothing changes
 */
export function admitStatus<K extends Kind>(
  kind: K,
  before: ObjectOf<K>,
  status: unknown,
  context: AdmissionContext,
): Admitted<ObjectOf<K>> | undefined {
  const was = loose(before);
  const parsed =
    kind.custom === undefined
      ? parseStatus(kind, was.metadata.name, status)
      : loose(parse(kind, { ...was, status }, before)).status;
  const after = { ...was, status: parsed };
  // Controllers' statuses are most of what is written, and nobody applies them: they go untracked.
  const tracked = context.writer === undefined ? after : managedOnUpdate(kind, was, after, context);
  return changed(kind, was, tracked, context);
}

/**
 * A node's report of a pod (N2): its status, and the mark that makes an older report stale.
 *
 * @param report `<boot>/<sequence>`
 */
export function admitReport<K extends Kind>(
  kind: K,
  before: ObjectOf<K>,
  { status, report }: { readonly status: unknown; readonly report: string },
  context: AdmissionContext,
): Admitted<ObjectOf<K>> | undefined {
  const was = loose(before);
  const annotations = { ...was.metadata.annotations, [reportAnnotation]: report };
  const marked = { ...was, metadata: { ...was.metadata, annotations } };
  const parsed = parseStatus(kind, was.metadata.name, status);
  return changed(kind, was, { ...marked, status: parsed }, context);
}

/** Binds a pod to a node: the pod, its assignment and the node's load in one transaction (B1). */
export function admitBind<K extends Kind>(
  kind: K,
  before: ObjectOf<K>,
  node: string,
  context: AdmissionContext,
): Admitted<ObjectOf<K>> {
  const was = loose(before);
  if (typeof was.spec?.["nodeName"] === "string" && was.spec["nodeName"] !== "") {
    throw new ApiError("Conflict", `pod "${was.metadata.name}" is already assigned to a node`);
  }
  const scheduled = {
    type: "PodScheduled",
    status: "True",
    lastTransitionTime: timestamp(context.now),
  };
  const conditions = (was.status?.["conditions"] ?? []) as readonly { readonly type: string }[]; // Parsed as a Pod.
  const others = conditions.filter(({ type }) => type !== scheduled.type);
  const { nominatedNodeName: _kept, ...status } = was.status ?? {};
  const after: AnyObject = {
    ...was,
    spec: { ...was.spec, nodeName: node },
    status: { ...status, conditions: [...others, scheduled] },
  };
  return admitted(kind, was, after, context);
}

export type DeleteOptions = {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan" | undefined;
  /** Finalizers that hold the object no longer. */
  readonly released?: readonly string[] | undefined;
  /** Why a pod is made to go although it did nothing: its condition DisruptionTarget says so. */
  readonly disruption?: Disruption | undefined;
};

/**
 * A deletion: the object goes at once when nothing holds it; otherwise it is marked as ending. A
 * bound pod is held by its containers, unless the grace is 0 (O6).
 *
 * @returns undefined when it is ending already, and no sooner than it would
 */
export function admitDelete<K extends Kind>(
  kind: K,
  before: ObjectOf<K>,
  options: DeleteOptions,
  context: AdmissionContext,
): Admitted<ObjectOf<K>> | undefined {
  const was = loose(before);
  requireDeletable(kind, was.metadata.name);
  const graceSeconds = graceOf(kind, was, options);
  const { finalizers: had = [], ...metadata } = was.metadata;
  const finalizers = finalizersFor(kind, was, options);
  const held = finalizers.length > 0 || graceSeconds > 0 || namespaceHolds(kind, was);
  if (!held) return admitRemove(kind, before, context);
  const ends = endOf(was, graceSeconds, options, context);
  if (ends === undefined && dequal(had, finalizers)) return undefined;
  const { generation, deletionTimestamp } = was.metadata;
  const isFirst = deletionTimestamp === undefined;
  const marked: AnyObject = {
    ...was,
    metadata: {
      ...metadata,
      ...(finalizers.length > 0 && { finalizers }),
      ...(ends !== undefined && {
        deletionTimestamp: timestamp(ends.at),
        deletionGracePeriodSeconds: ends.graceSeconds,
      }),
      ...(isFirst && generation !== undefined && { generation: generation + 1 }),
    },
    ...(namespaceHolds(kind, was) && { status: { ...was.status, phase: "Terminating" } }),
    ...(isPod(kind) && { status: disrupted(was, options, context) }),
    ...(isDefinition(kind) && {
      status: terminatingStatus(was, timestamp(context.now)),
    }),
  };
  return admitted(kind, was, marked, context);
}

/**
 * When an object ends, if that is to change: of one that is ending the grace can only become shorter,
 * counted from when it was first asked for, and never so that it ended in the past.
 */
function endOf(
  { metadata }: AnyObject,
  graceSeconds: number,
  { gracePeriodSeconds }: DeleteOptions,
  { now }: AdmissionContext,
): { readonly at: number; readonly graceSeconds: number } | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds: had = 0 } = metadata;
  if (deletionTimestamp === undefined) return { at: now + graceSeconds * 1_000, graceSeconds };
  if (gracePeriodSeconds === undefined || graceSeconds >= had) return undefined;
  const at = Date.parse(deletionTimestamp) + (graceSeconds - had) * 1_000;
  return at < now ? { at: now, graceSeconds: Math.min(graceSeconds, 1) } : { at, graceSeconds };
}

/** The object's keys go now, whatever held it. */
export function admitRemove<K extends Kind>(
  kind: K,
  before: ObjectOf<K>,
  context: AdmissionContext,
): Admitted<ObjectOf<K>> {
  return { object: before, ops: transactionOf(kind, loose(before), undefined, context.view) };
}

/** `metadata.name`, made from `generateName` where only that is given. */
function named(input: unknown, { random }: AdmissionContext): unknown {
  if (typeof input !== "object" || input === null || !("metadata" in input)) return input;
  const metadata = input.metadata as AnyObject["metadata"] | null | undefined; // The schema judges it next.
  const prefix = metadata?.generateName;
  if (typeof prefix !== "string" || prefix === "" || (metadata?.name ?? "") !== "") return input;
  const suffix = Array.from(
    { length: 5 },
    () => alphabet[Math.floor(random.next() * alphabet.length)],
  );
  return { ...input, metadata: { ...metadata, name: `${prefix.slice(0, 58)}${suffix.join("")}` } };
}

/** Kubernetes' alphabet for generated names: no vowels, nothing that looks alike. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

function requireNamespace(kind: Kind, { metadata }: AnyObject, { view }: AdmissionContext): void {
  if (!kind.namespaced) return;
  const home = view.get(namespaceKind, undefined, metadata.namespace ?? "");
  if (home === undefined) {
    const details = { name: metadata.namespace, group: undefined, kind: namespaceKind.plural };
    throw new ApiError("NotFound", `namespaces "${metadata.namespace}" not found`, details);
  }
  if (home.metadata.deletionTimestamp === undefined) return;
  const message = `unable to create new content in namespace ${metadata.namespace} because it is being terminated`;
  const cause = {
    reason: "NamespaceTerminating",
    field: "metadata.namespace",
    message: `namespace ${metadata.namespace} is being terminated`,
  };
  throw new ApiError("Forbidden", `${resource(kind)} "${metadata.name}" is forbidden: ${message}`, {
    causes: [cause],
  });
}

function withIdentityOf(was: AnyObject, after: AnyObject): AnyObject {
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } =
    was.metadata;
  const { [reportAnnotation]: report } = was.metadata.annotations ?? {};
  const annotations =
    report === undefined
      ? after.metadata.annotations
      : { ...after.metadata.annotations, [reportAnnotation]: report };
  return {
    ...after,
    metadata: {
      ...after.metadata,
      name: was.metadata.name,
      ...(was.metadata.namespace !== undefined && { namespace: was.metadata.namespace }),
      resourceVersion: was.metadata.resourceVersion,
      uid,
      creationTimestamp,
      ...(annotations !== undefined && { annotations }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp, deletionGracePeriodSeconds }),
      ...(generation !== undefined && { generation }),
    },
  };
}

function withGeneration(kind: Kind, was: AnyObject, after: AnyObject): AnyObject {
  const same =
    kind.custom === undefined
      ? dequal(was.spec, after.spec)
      : dequal(contentOf(kind, was), contentOf(kind, after));
  if (was.metadata.generation === undefined || same) return after;
  return { ...after, metadata: { ...after.metadata, generation: was.metadata.generation + 1 } };
}

/** What of a custom resource raises its generation: all that is neither metadata nor status. */
function contentOf(kind: Kind, object: AnyObject): unknown {
  const { metadata: _metadata, ...content } = object;
  return kind.subresources.includes("status")
    ? withoutStatus({ ...content, metadata: {} })
    : content;
}

const withStatusOf = ({ status }: AnyObject, after: AnyObject): AnyObject =>
  status === undefined ? withoutStatus(after) : { ...withoutStatus(after), status };

function withoutStatus({ status: _status, ...rest }: AnyObject): AnyObject {
  return rest;
}

/**
 * An ending object that nothing holds any more. A pod also waits for its agent, unless it is bound to
 * none or was deleted with a grace of 0 (O6).
 */
function isFinished(kind: Kind, { metadata, spec }: AnyObject): boolean {
  if (metadata.deletionTimestamp === undefined) return false;
  if ((metadata.finalizers ?? []).length > 0) return false;
  if (isPod(kind))
    return (spec?.["nodeName"] ?? "") === "" || metadata.deletionGracePeriodSeconds === 0;
  return !namespaceHolds(kind, { spec });
}

const isDefinition = ({ group, kind }: Kind) =>
  group === customResourceDefinition.group && kind === customResourceDefinition.kind;

const isPod = (kind: Kind) => kind.group === "" && kind.kind === "Pod";

function namespaceHolds(kind: Kind, { spec }: Pick<AnyObject, "spec">): boolean {
  if (kind.group !== "" || kind.kind !== "Namespace") return false;
  const finalizers = spec?.["finalizers"];
  return Array.isArray(finalizers) && finalizers.length > 0;
}

function graceOf(kind: Kind, was: AnyObject, { gracePeriodSeconds }: DeleteOptions): number {
  const bound = typeof was.spec?.["nodeName"] === "string" && was.spec["nodeName"] !== "";
  if (!isPod(kind) || !bound) return 0;
  const own = was.spec?.["terminationGracePeriodSeconds"];
  return gracePeriodSeconds ?? (typeof own === "number" ? own : 30);
}

function finalizersFor(
  kind: Kind,
  { metadata }: AnyObject,
  { propagationPolicy, released = [] }: DeleteOptions,
): readonly string[] {
  const own = (metadata.finalizers ?? []).filter((one) => !released.includes(one));
  const cleanup = isDefinition(kind) && !own.includes(cleanupFinalizer) ? [cleanupFinalizer] : [];
  if (propagationPolicy === undefined) return [...own, ...cleanup];
  // What an earlier deletion asked for holds no longer.
  const others = [
    ...own.filter((one) => one !== "foregroundDeletion" && one !== "orphan"),
    ...cleanup,
  ];
  if (propagationPolicy === "Background") return others;
  return [...others, propagationPolicy === "Foreground" ? "foregroundDeletion" : "orphan"];
}

/** A pod's status that says what disrupts it; one that has ended is not disrupted. */
function disrupted(
  { status }: AnyObject,
  { disruption }: DeleteOptions,
  { now }: AdmissionContext,
): AnyObject["status"] {
  const over = status?.["phase"] === "Succeeded" || status?.["phase"] === "Failed";
  if (disruption === undefined || over) return status;
  const conditions = (status?.["conditions"] ?? []) as readonly { readonly type: string }[]; // Parsed as a Pod.
  return { ...status, conditions: withDisruption(conditions, disruption, now) };
}

function changed<K extends Kind>(
  kind: K,
  was: AnyObject,
  after: AnyObject,
  context: AdmissionContext,
): Admitted<ObjectOf<K>> | undefined {
  if (dequal(was, settled(was, after))) return undefined;
  return admitted(kind, was, after, context);
}

function admitted<K extends Kind>(
  kind: K,
  was: AnyObject | undefined,
  after: AnyObject,
  { view }: AdmissionContext,
): Admitted<ObjectOf<K>> {
  return { object: typed(kind, after), ops: transactionOf(kind, was, after, view) };
}

const resource = ({ plural, group }: Kind) => (group === "" ? plural : `${plural}.${group}`);

/** An object of any kind has these fields: `parse` and the store vouch for it. */
const loose = (object: unknown) => object as AnyObject;

/** It was parsed as its kind; what admission added keeps to the schema. */
const typed = <K extends Kind>(_kind: K, object: AnyObject) => object as unknown as ObjectOf<K>;
