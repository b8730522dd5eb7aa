/** `metadata.managedFields`: who manages which fields, read and written. */
import type { Metadata } from "../metadata.ts";
import { emptySet, type FieldSet, isEmpty, union } from "./field-set.ts";
import { isObject } from "./field-type.ts";
import { decodeFields, encodeFields } from "./fields-v1.ts";
import { compareText } from "./path-element.ts";

export type ManagedFields = NonNullable<Metadata["managedFields"]>;
type Entry = ManagedFields[number];

/** Who writes: under a name, in a way, through the object itself or a subresource. */
export type Manager = {
  readonly name: string;
  readonly operation: "Apply" | "Update";
  /** In whose words its fields are. */
  readonly apiVersion: string;
  /** Empty: the object itself. */
  readonly subresource: string;
};

export type Managed = {
  readonly manager: Manager;
  readonly set: FieldSet;
  /** RFC 3339; undefined: nobody said when. */
  readonly time: string | undefined;
};

/** By `keyOf`: one who applies is the same in any version, one who updates is another in each. */
export type AllManaged = ReadonlyMap<string, Managed>;

export const keyOf = ({ name, operation, apiVersion, subresource }: Manager): string =>
  JSON.stringify([name, operation, operation === "Update" ? apiVersion : "", subresource]);

/** @returns undefined when the entries, or a part of one, are none: nothing is known then */
export function decodeManaged(entries: unknown): AllManaged | undefined {
  if (entries === undefined || entries === null) return new Map();
  if (!Array.isArray(entries)) return undefined;
  const all = new Map<string, Managed>();
  for (const entry of entries as readonly unknown[]) {
    const one = decodeEntry(entry);
    if (one === undefined) return undefined;
    all.set(keyOf(one.manager), one);
  }
  return all;
}

function decodeEntry(entry: unknown): Managed | undefined {
  if (!isObject(entry)) return undefined;
  const { manager = "", operation, apiVersion, subresource = "", time, fieldsType } = entry;
  const isKnown = operation === "Apply" || operation === "Update";
  const isNamed = typeof manager === "string" && typeof subresource === "string";
  if (!isKnown || !isNamed || typeof apiVersion !== "string" || apiVersion === "") return undefined;
  if (fieldsType !== "FieldsV1") return undefined;
  const set = decodeFields(entry["fieldsV1"] ?? {});
  if (set === undefined) return undefined;
  const at = typeof time === "string" && time !== "" ? time : undefined;
  return { manager: { name: manager, operation, apiVersion, subresource }, set, time: at };
}

/** In Kubernetes' order; undefined when nobody manages anything. */
export function encodeManaged(all: AllManaged): ManagedFields | undefined {
  const entries = [...all.values()].filter(({ set }) => !isEmpty(set)).map(encodeEntry);
  return entries.length === 0 ? undefined : entries.toSorted(compareEntries);
}

function encodeEntry({ manager, set, time }: Managed): Entry {
  return {
    ...(manager.name !== "" && { manager: manager.name }),
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: "FieldsV1",
    fieldsV1: encodeFields(set),
    ...(manager.subresource !== "" && { subresource: manager.subresource }),
  };
}

function compareEntries(a: Entry, b: Entry): number {
  return (
    compareText(a.operation ?? "", b.operation ?? "") ||
    secondsOf(a.time) - secondsOf(b.time) ||
    compareText(a.manager ?? "", b.manager ?? "") ||
    compareText(a.apiVersion ?? "", b.apiVersion ?? "") ||
    compareText(a.subresource ?? "", b.subresource ?? "")
  );
}

const secondsOf = (time: string | undefined): number =>
  time === undefined ? 0 : Math.floor(Date.parse(time) / 1_000);

/** So many entries of updates are kept; of more, the oldest become one. */
export const updateManagersMax = 10;

/** The oldest entries of updates, beyond so many, as one of `ancient-changes` for each version. */
export function withoutAncient(all: AllManaged): AllManaged {
  const updates = [...all].filter(([, { manager }]) => manager.operation === "Update");
  if (updates.length <= updateManagersMax) return all;
  const oldestFirst = updates.toSorted(
    ([a, one], [b, other]) => secondsOf(one.time) - secondsOf(other.time) || compareText(a, b),
  );
  const kept = new Map(all);
  const firsts = new Map<string, string>();
  let count = updates.length;
  for (const [key, one] of oldestFirst) {
    if (count <= updateManagersMax) break;
    const { apiVersion } = one.manager;
    const first = firsts.get(apiVersion);
    if (first === undefined) {
      firsts.set(apiVersion, key);
      continue;
    }
    const bucket: Manager = {
      name: "ancient-changes",
      operation: "Update",
      apiVersion,
      subresource: "",
    };
    const bucketKey = keyOf(bucket);
    const before = kept.get(bucketKey) ?? kept.get(first);
    if (!kept.has(bucketKey)) kept.delete(first);
    if (key !== bucketKey) kept.delete(key);
    kept.set(bucketKey, {
      manager: bucket,
      set: union(before?.set ?? emptySet, one.set),
      time: one.time,
    });
    count -= 1;
  }
  return kept;
}

/** Whether a client asks to forget who manages what: `[]` or `[{}]`. */
export function isReset(entries: unknown): boolean {
  if (!Array.isArray(entries)) return false;
  const [only, ...others] = entries as readonly unknown[];
  if (only === undefined) return true;
  return others.length === 0 && isObject(only) && Object.keys(only).length === 0;
}
