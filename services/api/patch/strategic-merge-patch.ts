/**
 * Kubernetes' strategic merge patch: a merge patch in which lists whose schema names a merge key are
 * merged item by item, with its directives.
 *
 * @see https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 */
import type * as z from "zod";
import { dequal } from "dequal";
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
  const { [directive]: told, [retainKeys]: retained, ...fields } = patch;
  if (told === "replace") return withoutDirectives(fields) as JsonRecord; // Of a record, a record.
  if (told === "delete") return {};
  if (told !== undefined && told !== "merge")
    throw badPatch(`unknown $patch type: ${JSON.stringify(told)}`);
  const merged = new Map(Object.entries(target));
  if (Array.isArray(retained)) {
    for (const key of merged.keys()) if (!retained.includes(key)) merged.delete(key);
  }
  for (const [key, value] of Object.entries(fields)) {
    if (key.startsWith(orderPrefix) || key.startsWith(deletePrefix)) continue;
    const field = fieldOf(schema, key);
    if (value === null) merged.delete(key);
    else merged.set(key, mergeValue(merged.get(key), value, field, orderOf(fields, key)));
  }
  for (const [key, values] of Object.entries(fields)) {
    if (!key.startsWith(deletePrefix) || !Array.isArray(values)) continue;
    const name = key.slice(deletePrefix.length);
    const kept = merged.get(name);
    if (Array.isArray(kept))
      merged.set(
        name,
        kept.filter((item) => !values.includes(item)),
      );
  }
  for (const key of Object.keys(fields)) {
    if (!key.startsWith(orderPrefix)) continue;
    const name = key.slice(orderPrefix.length);
    const [list, order] = [merged.get(name), orderOf(fields, name)];
    if (!Object.hasOwn(fields, name) && Array.isArray(list) && order !== undefined) {
      merged.set(name, ordered(list, order, mergeRule(fieldOf(schema, name)).mergeKey));
    }
  }
  return Object.fromEntries(merged);
}

function mergeValue(
  target: unknown,
  patch: unknown,
  schema: Schema,
  order: readonly unknown[] | undefined,
): unknown {
  if (isRecord(patch)) {
    const { strategy } = mergeRule(schema);
    if (strategy === "replace" || !isRecord(target)) {
      return strategy === "replace" ? withoutDirectives(patch) : mergeObject({}, patch, schema);
    }
    return mergeObject(target, patch, schema);
  }
  if (!Array.isArray(patch)) return patch;
  const { strategy, mergeKey } = mergeRule(schema);
  const list = Array.isArray(target) ? (target as readonly unknown[]) : [];
  if (strategy !== "merge") {
    return patch.filter((item) => !isReplace(item)).map(withoutDirectives);
  }
  if (mergeKey === undefined) {
    const union = [...list, ...patch.filter((item) => !list.some((old) => dequal(old, item)))];
    return order === undefined ? union : ordered(union, order, undefined);
  }
  return mergeList(list, patch, { mergeKey, schema: itemOf(schema), order });
}

function mergeList(
  target: readonly unknown[],
  patch: readonly unknown[],
  {
    mergeKey,
    schema,
    order,
  }: {
    readonly mergeKey: string;
    readonly schema: Schema;
    readonly order: readonly unknown[] | undefined;
  },
): readonly unknown[] {
  if (patch.some(isReplace)) {
    return patch.filter((item) => !isReplace(item)).map(withoutDirectives);
  }
  let merged = [...target];
  for (const item of patch) {
    if (!isRecord(item)) throw badPatch(`an item of a list merged by ${mergeKey} is no object`);
    const key = item[mergeKey];
    if (key === undefined) throw badPatch(`map: does not contain declared merge key: ${mergeKey}`);
    const matches = (old: unknown) => isRecord(old) && old[mergeKey] === key;
    if (item[directive] === "delete") {
      merged = merged.filter((old) => !matches(old));
      continue;
    }
    const at = merged.findIndex(matches);
    const old = at < 0 ? {} : merged[at];
    const made = mergeObject(isRecord(old) ? old : {}, item, schema);
    if (at < 0) merged.push(made);
    else merged[at] = made;
  }
  return order === undefined ? merged : ordered(merged, order, mergeKey);
}

/** Items that the order names come in that order; the others keep their place before their followers. */
function ordered(
  items: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string | undefined,
): readonly unknown[] {
  const keyOf = (item: unknown) =>
    mergeKey !== undefined && isRecord(item) ? item[mergeKey] : item;
  const wanted = order.map(keyOf);
  const rank = new Map(wanted.map((key, nth) => [key, nth]));
  const named = items
    .filter((item) => rank.has(keyOf(item)))
    .toSorted((a, b) => (rank.get(keyOf(a)) ?? 0) - (rank.get(keyOf(b)) ?? 0));
  const result: unknown[] = [];
  let next = 0;
  for (const item of items) {
    if (!rank.has(keyOf(item))) result.push(item);
    else result.push(named[next++]);
  }
  return result;
}

function orderOf(fields: JsonRecord, key: string): readonly unknown[] | undefined {
  const order = fields[`${orderPrefix}${key}`];
  return Array.isArray(order) ? order : undefined;
}

const isReplace = (item: unknown) => isRecord(item) && item[directive] === "replace";

/** A patch that stands alone: what it removes is not there, its directives say nothing more. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives);
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([key, held]) => !key.startsWith("$") && held !== null);
  return Object.fromEntries(kept.map(([key, held]) => [key, withoutDirectives(held)]));
}

const badPatch = (message: string) => new ApiError("BadRequest", message);
