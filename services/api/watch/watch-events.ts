import type { AnyObject } from "../../../libs/admission/context.ts";
import type { Change } from "../../../libs/store/replica.ts";
import { objectOf } from "../resources/backend.ts";
import type { Selects } from "../resources/selectors.ts";

export type WatchEvent = {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: AnyObject;
};

/**
 * What a watch with a selector is told of a change: an object that comes to match is ADDED, one that
 * ceases to is DELETED as it was, with the revision of the change (pitfall 5 of Kubernetes' watches).
 *
 * @returns undefined when it concerns the watch in no way
 */
export function eventOf(change: Change<unknown>, selects: Selects): WatchEvent | undefined {
  const before = change.before === undefined ? undefined : objectOf(change.before.value);
  const after = change.after === undefined ? undefined : objectOf(change.after.value);
  const matched = before !== undefined && selects(before);
  if (after !== undefined && selects(after)) {
    return { type: matched ? "MODIFIED" : "ADDED", object: after };
  }
  if (!matched) return undefined;
  // The marker carries the object's last state (S9); one that expired carries none.
  const last = after === undefined ? objectOf(change.last ?? before) : before;
  return { type: "DELETED", object: lastOf(change, last) };
}

/** All watches are sent the same object, whose text is made once. */
const lasts = new WeakMap<Change<unknown>, AnyObject>();

/** An object as it was, at the revision of the change that ends it. */
function lastOf(change: Change<unknown>, object: AnyObject): AnyObject {
  const known = lasts.get(change);
  if (known !== undefined) return known;
  const resourceVersion = String(change.revision);
  const last = { ...object, metadata: { ...object.metadata, resourceVersion } };
  lasts.set(change, last);
  return last;
}
