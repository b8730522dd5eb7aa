import { dequal } from "dequal";
import { ApiError } from "../model/errors.ts";
import { type Located, keyOf, loadKey } from "../cluster/key.ts";
import type { ClusterView } from "../cluster/view.ts";
import type { Op } from "../store/store.ts";
import type { AnyObject } from "./context.ts";
import { derivedKeys, loadsTouched } from "./derived.ts";

/** Kubernetes' limit of an object, as it is stored. */
export const objectMaxBytes = 1_572_864;

/**
 * The transaction that turns `before` into `after`, either of which may be absent: the object's own
 * key at the revision of `before`, and every key that follows from it (design §3, B1, O4).
 *
 * @param view the cut that the change was decided at: derived keys expect what it holds
 * @throws {ApiError} RequestEntityTooLarge when the object would become larger than one may be
 */
export function transactionOf(
  kind: Located,
  before: AnyObject | undefined,
  after: AnyObject | undefined,
  view: ClusterView,
): readonly Op[] {
  const object = after ?? before;
  if (object === undefined) return [];
  const key = keyOf(kind, object.metadata.namespace, object.metadata.name ?? "");
  const own = writeOf(key, revisionOf(before), before, after);
  return [own, ...derivedOps(before, after, view), ...loadOps(before, after, view)];
}

/**
 * Several changes as one transaction. Two of them may write one `load` key: it is written once.
 *
 * @throws {TypeError} when two write different things to one key
 */
export function together(transactions: readonly (readonly Op[])[]): readonly Op[] {
  const byKey = new Map<string, Op>();
  for (const op of transactions.flat()) {
    const known = byKey.get(op.key);
    if (known !== undefined && !dequal(known, op)) throw new TypeError("one key, two writes");
    byKey.set(op.key, op);
  }
  return [...byKey.values()];
}

/** An object's bytes as they are stored: without `resourceVersion`, which is the key's revision. */
export function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function writeOf(
  key: string,
  expect: number | "absent",
  before: AnyObject | undefined,
  after: AnyObject | undefined,
): Op {
  if (after !== undefined) {
    const value = encode(stored(after));
    if (value.byteLength > objectMaxBytes) {
      throw new ApiError(
        "RequestEntityTooLarge",
        `Request entity too large: limit is ${objectMaxBytes}`,
      );
    }
    return { op: "put", key, expect, value };
  }
  return { op: "delete", key, expect, last: encode(stored(before)) };
}

function stored(object: AnyObject | undefined): unknown {
  if (object === undefined) return undefined;
  const { resourceVersion: _revision, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function revisionOf(before: AnyObject | undefined): number | "absent" {
  return before === undefined ? "absent" : Number(before.metadata.resourceVersion);
}

function derivedOps(
  before: AnyObject | undefined,
  after: AnyObject | undefined,
  view: ClusterView,
): readonly Op[] {
  const [was, is] = [derivedKeys(before), derivedKeys(after)];
  const put = [...is]
    .filter(([key, value]) => !was.has(key) || !dequal(was.get(key), value))
    .map(([key, value]): Op => ({
      op: "put",
      key,
      expect: heldAt(view, key),
      value: encode(value),
    }));
  const gone = [...was].filter(([key]) => !is.has(key) && view.raw.get(key) !== undefined);
  return [
    ...put,
    ...gone.map(([key, value]): Op => ({
      op: "delete",
      key,
      expect: heldAt(view, key),
      last: encode(value),
    })),
  ];
}

function loadOps(
  before: AnyObject | undefined,
  after: AnyObject | undefined,
  view: ClusterView,
): readonly Op[] {
  return loadsTouched(before, after).flatMap((node): readonly Op[] => {
    const key = loadKey(node);
    const expect = heldAt(view, key);
    const nodeIsGone = after === undefined && before?.kind === "Node";
    if (nodeIsGone && expect !== "absent") return [{ op: "delete", key, expect, last: encode({}) }];
    // Nominated by its user to a node that is not there.
    if (expect === "absent" && after?.kind === "Pod" && after.spec?.["nodeName"] === undefined)
      return [];
    return [writeOfLoad(node, view)];
  });
}

/** What decides, as of the view's cut, who has room on a node, writes this (B1). */
export const writeOfLoad = (node: string, view: ClusterView): Op => {
  const key = loadKey(node);
  return { op: "put", key, expect: heldAt(view, key), value: encode({}) };
};

/** What a write of a key expects that was decided at the view's cut. */
export const heldAt = (view: ClusterView, key: string): number | "absent" =>
  view.raw.get(key)?.revision ?? "absent";
