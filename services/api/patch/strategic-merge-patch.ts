/**
 * Kubernetes' strategic merge patch: a merge patch in which lists whose schema names a merge key are
 * merged item by item, with its directives.
 *
 * @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
import type * as z from "zod";
import { ApiError } from "../../../libs/model/errors.ts";
import { fieldOf, itemOf, mergeRule } from "./list-schema.ts";
import { isRecord, type JsonRecord } from "./record.ts";

type Schema = z.core.$ZodType | undefined;

const directive = "$patch";
const retainKeys = "$retainKeys";
const orderPrefix = "$setElementOrder/";
const deletePrefix = "$deleteFromPrimitiveList/";

/**
 * @param schema the kind's
 * @throws {ApiError} BadRequest for a directive that makes no sense, or an item without its merge key
 */
export function strategicMergePatch(target: unknown, patch: unknown, schema: Schema): unknown {
  if (!isRecord(patch)) throw new ApiError("BadRequest", "the patch must be an object");
  return mergeObject(isRecord(target) ? target : {}, patch, schema);
}

function mergeObject(target: JsonRecord, patch: JsonRecord, schema: Schema): JsonRecord {
  const { [directive]: told, ...fields } = patch;
  if (told === "replace") return bareObject(fields);
  if (told === "delete") return {};
  if (told !== undefined) throw unknownDirective(told);
  const merged = new Map(Object.entries(retained(target, fields)));
  for (const [key, value] of Object.entries(fields)) {
    if (isDirective(key)) continue;
    const order = orderOf(fields, key);
    const made =
      value === null ? dropped : mergeField(merged.get(key), value, fieldOf(schema, key));
    if (made === dropped) merged.delete(key);
    else merged.set(key, order === undefined ? made : reordered(made, order, schema, key, target));
  }
  for (const [key, value] of Object.entries(fields)) {
    if (key.startsWith(deletePrefix)) withoutItems(merged, key.slice(deletePrefix.length), value);
    if (!key.startsWith(orderPrefix)) continue;
    const name = key.slice(orderPrefix.length);
    const order = orderOf(fields, name) ?? [];
    checkOrder(fields[name], order, mergeRule(fieldOf(schema, name)).mergeKey);
    if (Object.hasOwn(fields, name) || !merged.has(name)) continue;
    merged.set(name, reordered(merged.get(name), order, schema, name, target));
  }
  return Object.fromEntries(merged);
}

/** There is nothing to keep. */
const dropped = Symbol("dropped");

const isDirective = (key: string) =>
  key === retainKeys || key.startsWith(orderPrefix) || key.startsWith(deletePrefix);

/** The target's fields, those alone that the patch retains where it says so. */
function retained(target: JsonRecord, fields: JsonRecord): JsonRecord {
  const keys = fields[retainKeys];
  if (keys === undefined) return target;
  const isStated = ([key, value]: [string, unknown]) => value !== null && !isDirective(key);
  const stated = Object.entries(fields).filter(isStated);
  if (!Array.isArray(keys) || stated.some(([key]) => !keys.includes(key))) {
    throw badPatch("invalid patch format of retainKeys");
  }
  return Object.fromEntries(Object.entries(target).filter(([key]) => keys.includes(key)));
}

function withoutItems(merged: Map<string, unknown>, name: string, values: unknown): void {
  const kept = merged.get(name);
  if (!Array.isArray(values) || !Array.isArray(kept)) return;
  const left = kept.filter((item) => !values.includes(item));
  merged.set(name, left);
}

function mergeField(target: unknown, patch: unknown, schema: Schema): unknown {
  const { strategy, mergeKey } = mergeRule(schema);
  if (isRecord(patch) && isRecord(target)) {
    return strategy === "replace" ? bareObject(patch) : mergeObject(target, patch, schema);
  }
  if (Array.isArray(patch) && Array.isArray(target) && strategy === "merge") {
    return mergeList(target, patch, { mergeKey, schema: itemOf(schema) });
  }
  return isRecord(patch) && patch[directive] === "delete" ? dropped : bare(patch);
}

type Items = readonly unknown[];

function mergeList(
  target: Items,
  patch: Items,
  { mergeKey, schema }: { readonly mergeKey: string | undefined; readonly schema: Schema },
): Items {
  if (mergeKey === undefined) {
    if ([...target, ...patch].some((item) => typeof item === "object")) {
      throw badPatch("cannot merge lists without merge key");
    }
    return arranged([...new Set([...target, ...patch])], {
      order: patch,
      before: target,
      mergeKey,
    });
  }
  const { kept, items, replaces } = directed(target, patch, mergeKey);
  if (replaces) return items;
  const merged = [...kept];
  for (const item of items) {
    const at = merged.findIndex((old) => isRecord(old) && old[mergeKey] === item[mergeKey]);
    const old = merged[at];
    if (isRecord(old)) merged[at] = mergeObject(old, item, schema);
    else merged.push(item);
  }
  return arranged(merged, { order: items, before: target, mergeKey }).map((item) =>
    items.includes(item as JsonRecord) ? bare(item) : item,
  );
}

/** What the directives among a list's items leave of the target, and the items without them. */
function directed(
  target: Items,
  patch: Items,
  mergeKey: string,
): { readonly kept: Items; readonly items: readonly JsonRecord[]; readonly replaces: boolean } {
  let kept = target;
  let replaces = false;
  const items: JsonRecord[] = [];
  for (const item of patch) {
    if (!isRecord(item)) throw badPatch(`an item of a list merged by ${mergeKey} is no object`);
    const told = item[directive];
    if (told === "replace") {
      replaces = true;
      continue;
    }
    if (told === "merge") throw badPatch("merging lists cannot yet be specified in the patch");
    if (told !== undefined && told !== "delete") throw unknownDirective(told);
    if (item[mergeKey] === undefined) throw keyless(mergeKey);
    if (told === undefined) items.push(item);
    else kept = kept.filter((old) => !isRecord(old) || old[mergeKey] !== item[mergeKey]);
  }
  return { kept, items, replaces };
}

function reordered(
  list: unknown,
  order: Items,
  schema: Schema,
  name: string,
  target: JsonRecord,
): unknown {
  if (!Array.isArray(list)) return list;
  const { mergeKey } = mergeRule(fieldOf(schema, name));
  const before = Array.isArray(target[name]) ? (target[name] as Items) : [];
  return arranged(list, { order, before, mergeKey });
}

/**
 * Items in the order that the patch tells; those that it does not name, in the order of before, each
 * before the first of the others that it was before.
 */
function arranged(
  items: Items,
  {
    order,
    before,
    mergeKey,
  }: { readonly order: Items; readonly before: Items; readonly mergeKey: string | undefined },
): Items {
  const keyOf = (item: unknown) =>
    mergeKey !== undefined && isRecord(item) ? item[mergeKey] : item;
  const ranks = (list: Items) =>
    new Map(list.map((item, at) => [keyOf(item), at] as const).toReversed());
  const [wanted, was] = [ranks(order), ranks(before)];
  const by = (rank: ReadonlyMap<unknown, number>) => (a: unknown, b: unknown) =>
    (rank.get(keyOf(a)) ?? 0) - (rank.get(keyOf(b)) ?? 0);
  const named = items.filter((item) => wanted.has(keyOf(item))).toSorted(by(wanted));
  const others = items.filter((item) => !wanted.has(keyOf(item))).toSorted(by(was));
  const result: unknown[] = [];
  let next = 0;
  for (const item of named) {
    const place = was.get(keyOf(item)) ?? -1;
    for (; next < others.length; next += 1) {
      const own = was.get(keyOf(others[next]));
      if (own === undefined || own > place) break;
      result.push(others[next]);
    }
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}

/** @throws {ApiError} BadRequest when the order does not name what the patch states, in its order */
function checkOrder(patch: unknown, order: Items, mergeKey: string | undefined): void {
  const keyOf = (item: unknown) => {
    if (mergeKey === undefined) return item;
    const key = isRecord(item) ? item[mergeKey] : undefined;
    if (key === undefined) throw keyless(mergeKey);
    return key;
  };
  const wanted = order.map(keyOf);
  if (!Array.isArray(patch) || order.length === 0) return;
  const stated = (patch as Items).filter(
    (item) => !isRecord(item) || item[directive] === undefined,
  );
  let at = 0;
  for (const item of stated) {
    at = wanted.indexOf(keyOf(item), at) + 1;
    if (at === 0) {
      throw badPatch("the order in the patch list does not match the $setElementOrder list");
    }
  }
}

/** @throws {ApiError} BadRequest for what is no list */
function orderOf(fields: JsonRecord, key: string): Items | undefined {
  const order = fields[`${orderPrefix}${key}`];
  if (order === undefined || Array.isArray(order)) return order;
  throw badPatch("invalid patch format of setElementOrder list");
}

/** A part of a patch that meets nothing: what it removes is not there, its directives say nothing. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.filter((item) => !isRecord(item) || item[directive] === undefined).map(bare);
  }
  if (!isRecord(value)) return value;
  return bareObject(value);
}

function bareObject(value: JsonRecord): JsonRecord {
  const kept = Object.entries(value).filter(
    ([key, held]) =>
      held !== null &&
      key !== directive &&
      !isDirective(key) &&
      !(isRecord(held) && held[directive] === "delete"),
  );
  return Object.fromEntries(kept.map(([key, held]) => [key, bare(held)]));
}

const badPatch = (message: string) => new ApiError("BadRequest", message);
const keyless = (mergeKey: string) =>
  badPatch(`map: does not contain declared merge key: ${mergeKey}`);
const unknownDirective = (told: unknown) => badPatch(`unknown patch type: ${JSON.stringify(told)}`);
