/**
 * Sets of objects that a publisher's manifest is the whole of, after Kubernetes' ApplySets (KEP-3659).
 * A label on each object says which set it is of, so an object and its membership are written at once.
 */
import { createHash } from "node:crypto";
import type { AnyObject } from "../../../libs/admission/context.ts";
import { setLabel } from "../../../libs/cluster/view.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { type Backend, heldKey, objectOf, type Target } from "../resources/backend.ts";
import type { Gateway } from "../resources/gateway.ts";
import { storedKind } from "../resources/versions.ts";
import { type Document, targetIn } from "./documents.ts";

/** A set's id, in the form of an ApplySet's whose parent is this `ManifestSet`. */
export function setId(publisher: string, set: string): string {
  const parent = `${set}.${publisher}.ManifestSet.berth.dev`;
  return `applyset-${createHash("sha256").update(parent).digest("base64url")}-v1`;
}

/** Where sets are, and what can be of one: all but Events. */
export const stateOf = (gateway: Gateway): Backend => gateway.backendFor(namespace);

/**
 * Whether the object is in the set: it has its label, and its publisher has applied it and still
 * manages something of it. Who takes the label off, or takes over all of it, keeps it.
 */
export const isMember = ({ metadata }: AnyObject, id: string, publisher: string): boolean =>
  metadata.labels?.[setLabel] === id &&
  (metadata.managedFields ?? []).some(
    ({ manager, operation }) => manager === publisher && operation === "Apply",
  );

/** The set's objects that are not ending yet, those first that others may lie in last. */
export function membersOf(gateway: Gateway, id: string, publisher: string): readonly Target[] {
  const members = [...stateOf(gateway).view.raw.lookup("set", id)]
    .map(({ value }) => objectOf(value))
    .filter((object) => isMember(object, id, publisher))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return members
    .flatMap((object) => placeOf(gateway.kinds, object) ?? [])
    .toSorted((a, b) => depth(b) - depth(a));
}

/** A kind that is served no more has nothing that could be asked for. */
function placeOf(kinds: readonly Kind[], { apiVersion, kind, metadata }: AnyObject) {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  const found = kinds.find((one) => one.kind === kind && one.group === group);
  const { name = "" } = metadata;
  return found && ({ kind: found, namespace: metadata.namespace, name } satisfies Target);
}

const depth = ({ kind }: Target) => {
  if (kind.namespaced) return 2;
  const holdsOthers = ["Namespace", "CustomResourceDefinition"].includes(storedKind(kind).kind);
  return holdsOthers ? 0 : 1;
};

/**
 * The keys of the objects that the documents name, whether or not they can be applied; undefined when
 * one does not say which it is about: then any object may be named.
 */
export function namedIn(
  kinds: readonly Kind[],
  documents: readonly Document[],
): ReadonlySet<string> | undefined {
  const named = new Set<string>();
  for (const { value } of documents) {
    const target = value && attempt(() => targetIn(kinds, value));
    if (target === undefined) return undefined;
    named.add(heldKey(target));
  }
  return named;
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}
