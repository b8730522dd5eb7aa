/** Who manages which fields of an object after a write that admission lets through. */
import { dequal } from "dequal";
import type { Kind } from "../model/kind.ts";
import { apiVersionOf } from "../model/kind.ts";
import { type AllManaged, decodeManaged, encodeManaged, isReset } from "../model/fields/managed.ts";
import { manageUpdate } from "../model/fields/manage.ts";
import { emptyObjectOf, filterOf, versionsOf } from "../model/fields/versions.ts";
import { type AdmissionContext, type AnyObject, timestamp, type Writer } from "./context.ts";

/** Under what name controllers manage fields. */
export const controllersManager = "berth-controllers";

type Update = Exclude<Writer, { readonly managedFields: unknown }>;

/** A new object with the entry of who made it; one that a controller makes has none. */
export function managedFromBirth(object: AnyObject, { writer, now }: AdmissionContext): AnyObject {
  if (writer === undefined) return object;
  if (!("manager" in writer)) return withManaged(object, writer.managedFields);
  const { kind } = writer;
  const before = emptyObjectOf(kind);
  const managed = update(
    writer,
    { before, after: served(kind, object), now },
    sentBy(writer) ?? none,
  );
  return withManaged(object, encodeManaged(managed));
}

/**
 * `after` with the fields of `was` in the hands of who has changed them. Where nobody manages
 * anything nobody begins to, as in Kubernetes: the first apply will.
 *
 * @param kind as the object is stored
 */
export function managedOnUpdate(
  kind: Kind,
  was: AnyObject,
  after: AnyObject,
  { writer, now }: AdmissionContext,
): AnyObject {
  const entries = was.metadata.managedFields;
  if (writer !== undefined && !("manager" in writer)) {
    return withManaged(after, writer.managedFields);
  }
  if (entries === undefined && writer?.sent === undefined) return withManaged(after, undefined);
  const by = writer ?? { manager: controllersManager, kind, subresource: "", sent: undefined };
  if (by.subresource === "" && isReset(by.sent)) return withManaged(after, undefined);
  const sent = sentBy(by);
  const managed = sent ?? decodeManaged(entries) ?? none;
  if (managed.size === 0) return withManaged(after, entries);
  const change = { before: served(by.kind, was), after: served(by.kind, after), now };
  const next = update(by, change, managed);
  const isSame = next === managed && sent === undefined;
  return withManaged(after, isSame ? entries : encodeManaged(next));
}

/**
 * `after`, or, when nothing but times of `managedFields` tells it from `was`, that: who says again
 * what is so changes nothing.
 */
export function settled(was: AnyObject, after: AnyObject): AnyObject {
  const [before, now] = [was.metadata.managedFields, after.metadata.managedFields];
  if (before === now || before === undefined || now?.length !== before.length) return after;
  const isSame = now.every((entry, nth) =>
    dequal({ ...entry, time: before[nth]?.time }, before[nth]),
  );
  return isSame && dequal(was, withManaged(after, before)) ? was : after;
}

const none: AllManaged = new Map();

/** What was sent in place of what is there; through a subresource, or unreadable, it counts for nothing. */
function sentBy({ sent, subresource }: Update): AllManaged | undefined {
  const managed = subresource === "" && !isReset(sent) ? decodeManaged(sent) : undefined;
  return managed === undefined || managed.size === 0 ? undefined : managed;
}

function update(
  { kind, manager, subresource }: Update,
  {
    before,
    after,
    now,
  }: { readonly before: unknown; readonly after: unknown; readonly now: number },
  managed: AllManaged,
): AllManaged {
  const name = manager === "" ? "unknown" : manager;
  return manageUpdate({
    versions: versionsOf(kind),
    by: { name, operation: "Update", apiVersion: apiVersionOf(kind), subresource },
    filter: filterOf(kind, subresource),
    now: timestamp(now),
    managed,
    before,
    after,
  });
}

const served = (kind: Kind, object: AnyObject): unknown =>
  kind.stored?.fromStorage(object) ?? object;

function withManaged(
  object: AnyObject,
  managedFields: AnyObject["metadata"]["managedFields"],
): AnyObject {
  if (object.metadata.managedFields === managedFields) return object;
  const { managedFields: _before, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: { ...metadata, ...(managedFields !== undefined && { managedFields }) },
  };
}
