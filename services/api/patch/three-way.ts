import type * as z from "zod";
import { dequal } from "dequal";
import { fieldOf, itemOf, mergeRule } from "./list-schema.ts";
import { isRecord, type JsonRecord } from "./record.ts";

type Schema = z.core.$ZodType | undefined;

/** Where kubectl's client-side apply, and ours over NATS, keeps what was last applied. */
export const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * Client-side apply: what `wanted` states becomes so, what `last` stated and `wanted` no longer does
 * goes, and what others added to `live` stays. Lists merge by the key that the schema names.
 */
export function threeWay(last: unknown, wanted: unknown, live: unknown, schema: Schema): unknown {
  if (isRecord(wanted) && isRecord(live)) {
    return mergeRecords(isRecord(last) ? last : {}, wanted, live, schema);
  }
  if (Array.isArray(wanted) && Array.isArray(live)) {
    const { strategy, mergeKey } = mergeRule(schema);
    const before = Array.isArray(last) ? (last as readonly unknown[]) : [];
    if (strategy !== "merge") return wanted;
    if (mergeKey === undefined) return mergeSets(before, wanted, live);
    return mergeItems(before, wanted, live, { mergeKey, schema: itemOf(schema) });
  }
  return wanted;
}

function mergeRecords(
  last: JsonRecord,
  wanted: JsonRecord,
  live: JsonRecord,
  schema: Schema,
): JsonRecord {
  const kept = Object.entries(live).filter(
    ([key]) => Object.hasOwn(wanted, key) || !Object.hasOwn(last, key),
  );
  const merged = new Map(kept);
  for (const [key, value] of Object.entries(wanted)) {
    if (value === null) merged.delete(key);
    else merged.set(key, threeWay(own(last, key), value, own(live, key), fieldOf(schema, key)));
  }
  return Object.fromEntries(merged);
}

const own = (record: JsonRecord, key: string): unknown =>
  Object.hasOwn(record, key) ? record[key] : undefined;

function mergeSets(last: readonly unknown[], wanted: readonly unknown[], live: readonly unknown[]) {
  const has = (list: readonly unknown[], item: unknown) => list.some((one) => dequal(one, item));
  const kept = live.filter((item) => has(wanted, item) || !has(last, item));
  return [...kept, ...wanted.filter((item) => !has(kept, item))];
}

function mergeItems(
  last: readonly unknown[],
  wanted: readonly unknown[],
  live: readonly unknown[],
  { mergeKey, schema }: { readonly mergeKey: string; readonly schema: Schema },
): readonly unknown[] {
  const keyOf = (item: unknown) => (isRecord(item) ? item[mergeKey] : item);
  const find = (list: readonly unknown[], key: unknown) => list.find((item) => keyOf(item) === key);
  const stated = wanted.map((item) => {
    const key = keyOf(item);
    return threeWay(find(last, key), item, find(live, key) ?? {}, schema);
  });
  const others = live.filter((item) => {
    const key = keyOf(item);
    return find(wanted, key) === undefined && find(last, key) === undefined;
  });
  return [...stated, ...others];
}
