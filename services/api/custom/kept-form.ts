/** What is committed of a custom resource: in the version that is stored, and only while its kind is there. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { encode, transactionOf } from "../../../libs/admission/transaction.ts";
import { keyOf } from "../../../libs/cluster/key.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { customResourceDefinition } from "../../../libs/model/kinds/customresourcedefinition.ts";
import type { Op } from "../../../libs/store/store.ts";
import { heldKey, objectOf, type Target } from "../resources/backend.ts";

/**
 * The ops of a decision as they are committed; those of other kinds as they are.
 *
 * A create also guards the definition: nothing comes to lie under the keys of a kind that is gone, or
 * going, however far this gateway lags.
 *
 * @param ops undefined: nothing changes; an object that is stored in an older version is then rewritten
 * @throws {ApiError} NotFound, MethodNotAllowed: the kind is gone, or going
 */
export function keptForm(
  target: Target,
  object: AnyObject,
  ops: readonly Op[] | undefined,
  view: ClusterView,
): readonly Op[] {
  const { custom } = target.kind;
  if (custom === undefined) return ops ?? [];
  const key = heldKey(target);
  if (ops === undefined)
    return isOutdated(target, object, view) ? rewritten(target, object, view) : [];
  const kept = ops.map((op): Op => {
    if (op.op !== "put" || op.key !== key) return op;
    const written: unknown = JSON.parse(new TextDecoder().decode(op.value));
    const stored = custom.stored(written);
    return stored === written ? op : { ...op, value: encode(stored) };
  });
  const creates = ops.some((op) => op.op === "put" && op.key === key && op.expect === "absent");
  return creates ? [...kept, guardOf(target, view)] : kept;
}

function isOutdated(
  { kind, namespace, name }: Target,
  object: AnyObject,
  view: ClusterView,
): boolean {
  const held = view.get(kind, namespace, name);
  if (held === undefined || kind.custom === undefined) return false;
  return objectOf(held).apiVersion !== objectOf(kind.custom.stored(object)).apiVersion;
}

const rewritten = ({ kind }: Target, object: AnyObject, view: ClusterView): readonly Op[] =>
  transactionOf(kind, object, objectOf(kind.custom?.stored(object)), view);

function guardOf({ kind }: Target, view: ClusterView): Op {
  const name = kind.custom?.definition.name ?? "";
  const definition = view.get(customResourceDefinition, undefined, name);
  if (definition === undefined || definition.metadata.uid !== kind.custom?.definition.uid) {
    throw new ApiError("NotFound", "the server could not find the requested resource");
  }
  if (definition.metadata.deletionTimestamp !== undefined) {
    throw new ApiError(
      "MethodNotAllowed",
      "create not allowed while custom resource definition is terminating",
    );
  }
  const key = keyOf(customResourceDefinition, undefined, name);
  return { op: "guard", key, expect: Number(definition.metadata.resourceVersion) };
}
