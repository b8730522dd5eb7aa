/**
 * Who manages which field after a write. An update takes what it changes from whoever had it; an
 * applied configuration is merged, takes what it states, and gives up what it stated before.
 *
 * Each manager's fields are named in the version that it wrote in; objects are compared in that one.
 */
import { type Comparison, compare, isSame, nothing } from "./compare.ts";
import {
  difference,
  emptySet,
  type FieldSet,
  intersection,
  isEmpty,
  sameSet,
  setOfPaths,
  shownPaths,
  union,
} from "./field-set.ts";
import type { FieldType } from "./field-type.ts";
import { type AllManaged, keyOf, type Managed, type Manager, withoutAncient } from "./managed.ts";
import { merge } from "./merge.ts";
import { compareText } from "./path-element.ts";
import { fittedSet, remove as removed, withNamedFields } from "./remove.ts";
import { setOf } from "./set-of.ts";

/** The versions that an object is served in. */
export type Versions = {
  /** undefined: it is not served in that one any more. */
  typeIn(apiVersion: string): FieldType | undefined;
  /** An object of one version in another; both are served. */
  convert(object: unknown, from: string, to: string): unknown;
};

/** Fields that a write cannot change are nobody's by it. */
export type Filter = (set: FieldSet) => FieldSet;

type Write = {
  readonly versions: Versions;
  readonly by: Manager;
  /** RFC 3339. */
  readonly now: string;
  readonly filter: Filter;
  readonly managed: AllManaged;
};

/**
 * @param write.before in the version of `by`, as `after`
 * @returns the very `managed` that was given when nothing has changed hands
 */
export function manageUpdate({
  before,
  after,
  ...write
}: Write & { readonly before: unknown; readonly after: unknown }): AllManaged {
  const { by, now, filter, versions, managed } = write;
  const change = changeOf(write, before, after);
  const own = change(by.apiVersion);
  if (own === undefined || (isSame(own) && managed.size > 0)) return managed;
  const fitted = fittedAll(managed, versions);
  const left = taken(fitted, change, { conflicts: conflictsIn(fitted, change) });
  const taking = withoutIdentity(filter(union(own.modified, own.added)));
  if (isEmpty(taking)) return left;
  const key = keyOf(by);
  const set = union(left.get(key)?.set ?? emptySet, taking);
  return withoutAncient(new Map(left).set(key, { manager: by, set, time: now }));
}

export type Conflict = { readonly manager: Manager; readonly set: FieldSet };
export type Applied =
  | { readonly ok: true; readonly object: unknown; readonly managed: AllManaged }
  | { readonly ok: false; readonly conflicts: readonly Conflict[] };

/**
 * @param write.live in the version of `by`, as `config`
 * @param write.force takes what conflicts
 */
export function manageApply({
  live,
  config,
  force,
  ...write
}: Write & {
  readonly live: unknown;
  readonly config: unknown;
  readonly force: boolean;
}): Applied {
  const { by, now, filter, versions } = write;
  const type = versions.typeIn(by.apiVersion);
  if (type === undefined) throw new TypeError(`nothing is served in ${by.apiVersion}`);
  const fitted = fittedAll(write.managed, versions);
  const key = keyOf(by);
  const last = fitted.get(key);
  const stated = filter(setOf(type, config));
  const claimed = new Map(fitted).set(key, { manager: by, set: stated, time: last?.time });
  const object = pruned(merge(type, live, config), { last, claimed, by, versions });
  const change = changeOf(write, live, object);
  const conflicts = conflictsIn(claimed, change, key);
  if (conflicts.length > 0 && !force) return { ok: false, conflicts };
  const left = taken(claimed, change, { conflicts, except: key });
  const set = withoutIdentity(stated);
  const isNews = !isSame(change(by.apiVersion) ?? nothing) || !sameSet(last?.set ?? emptySet, set);
  const managed = new Map(left);
  if (isEmpty(set)) managed.delete(key);
  else managed.set(key, { manager: by, set, time: isNews ? now : last?.time });
  return { ok: true, object, managed };
}

/** What the fields of everybody are before anything was applied. */
export function managedBefore({
  object,
  empty,
  ...write
}: Omit<Write, "managed"> & { readonly object: unknown; readonly empty: unknown }): AllManaged {
  return manageUpdate({
    ...write,
    by: { ...write.by, name: "before-first-apply", operation: "Update" },
    managed: new Map(),
    before: empty,
    after: object,
  });
}

/** Identity and what the cluster keeps by itself: nobody manages these. */
const withoutIdentity = (set: FieldSet): FieldSet => difference(set, identity);
const identity = setOfPaths(
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  ...[
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
  ].map((name) => ["f:metadata", `f:${name}`]),
);

type Change = (apiVersion: string) => Comparison | undefined;

/** The change as each version shows it; undefined in one that is not served. */
function changeOf({ versions, by, filter }: Write, before: unknown, after: unknown): Change {
  const known = new Map<string, Comparison | undefined>();
  const made = (version: string): Comparison | undefined => {
    const type = versions.typeIn(version);
    if (type === undefined) return undefined;
    const at = (object: unknown) => converted(versions, object, by.apiVersion, version);
    const { removed, modified, added } = compare(type, at(before), at(after));
    return { removed: filter(removed), modified: filter(modified), added: filter(added) };
  };
  return (version) => {
    if (!known.has(version)) known.set(version, made(version));
    return known.get(version);
  };
}

const converted = (versions: Versions, object: unknown, from: string, to: string): unknown =>
  from === to ? object : versions.convert(object, from, to);

function fittedAll(managed: AllManaged, versions: Versions): AllManaged {
  return new Map(
    [...managed].map(([key, one]): [string, Managed] => {
      const type = versions.typeIn(one.manager.apiVersion);
      return [key, type === undefined ? one : { ...one, set: fittedSet(type, one.set) }];
    }),
  );
}

/** What others than `except` manage of what the change writes. */
function conflictsIn(managed: AllManaged, change: Change, except?: string): readonly Conflict[] {
  return [...managed].flatMap(([key, { manager, set }]) => {
    const found = change(manager.apiVersion);
    if (key === except || found === undefined) return [];
    const shared = intersection(set, union(found.modified, found.added));
    return isEmpty(shared) ? [] : [{ manager, set: shared }];
  });
}

/** What the managers, other than `except`, are left with. */
function taken(
  managed: AllManaged,
  change: Change,
  { conflicts, except }: { readonly conflicts: readonly Conflict[]; readonly except?: string },
): AllManaged {
  const lost = new Map(conflicts.map(({ manager, set }) => [keyOf(manager), set]));
  const left = new Map<string, Managed>();
  for (const [key, one] of managed) {
    if (key === except) {
      left.set(key, one);
      continue;
    }
    const found = change(one.manager.apiVersion);
    if (found === undefined) continue; // Of a version that there is not: so is its manager.
    const set = difference(difference(one.set, lost.get(key) ?? emptySet), found.removed);
    if (!isEmpty(set)) left.set(key, set === one.set ? one : { ...one, set });
  }
  return left;
}

/**
 * The merged object without what `by` applied last time, states no longer, and nobody else manages.
 */
function pruned(
  merged: unknown,
  {
    last,
    claimed,
    by,
    versions,
  }: {
    readonly last: Managed | undefined;
    readonly claimed: AllManaged;
    readonly by: Manager;
    readonly versions: Versions;
  },
): unknown {
  if (last === undefined || isEmpty(last.set)) return merged;
  const version = last.manager.apiVersion;
  const type = versions.typeIn(version);
  if (type === undefined) return merged;
  const whole = converted(versions, merged, by.apiVersion, version);
  const lastSet = withNamedFields(type, last.set);
  const ofOthers = new Map<string, FieldSet>();
  for (const { manager, set } of claimed.values()) {
    ofOthers.set(manager.apiVersion, union(ofOthers.get(manager.apiVersion) ?? emptySet, set));
  }
  // The version of the last apply first: the others may need fields that are back by then.
  const order = [version, ...[...ofOthers.keys()].filter((one) => one !== version)];
  let kept = remove(type, whole, lastSet);
  for (const one of order) {
    const set = ofOthers.get(one);
    const typeThere = versions.typeIn(one);
    if (set === undefined || typeThere === undefined) continue;
    const there = (object: unknown) => converted(versions, object, version, one);
    const back = keeping(typeThere, there(whole), there(kept), set);
    kept = converted(versions, back, one, version);
  }
  const fields = (object: unknown) => withNamedFields(type, setOf(type, object));
  // Only what was applied goes: what conversions dropped besides is back.
  const gone = intersection(difference(fields(whole), fields(kept)), lastSet);
  return converted(versions, remove(type, whole, gone), version, by.apiVersion);
}

/** A whole object that has lost everything is still one. */
const remove: typeof removed = (type, object, set) => removed(type, object, set) ?? {};

/** What `kept` holds, and of `whole` what is in `set`. */
function keeping(type: FieldType, whole: unknown, kept: unknown, set: FieldSet): unknown {
  const fields = (object: unknown) => withNamedFields(type, setOf(type, object));
  const wanted = union(fields(kept), withNamedFields(type, set));
  return remove(type, whole, difference(fields(whole), wanted));
}

/** Kubernetes' words for a refused apply, and its causes. */
export function conflictMessage(conflicts: readonly Conflict[]): {
  readonly message: string;
  readonly causes: readonly { reason: string; field: string; message: string }[];
} {
  const sorted = conflicts.toSorted((a, b) => compareText(keyOf(a.manager), keyOf(b.manager)));
  const told = sorted.map(({ manager, set }) => ({
    manager: shownManager(manager),
    paths: shownPaths(set),
  }));
  const causes = told.flatMap(({ manager, paths }) =>
    paths.map((field) => ({
      reason: "FieldManagerConflict",
      message: `conflict with ${manager}`,
      field,
    })),
  );
  const [only, ...others] = causes;
  if (only !== undefined && others.length === 0) {
    return { message: `Apply failed with 1 conflict: ${only.message}: ${only.field}`, causes };
  }
  const lines = told.flatMap(({ manager, paths }) => [
    `conflicts with ${manager}:`,
    ...paths.map((path) => `- ${path}`),
  ]);
  return { message: `Apply failed with ${causes.length} conflicts: ${lines.join("\n")}`, causes };
}

function shownManager({ name, operation, apiVersion, subresource }: Manager): string {
  const where = subresource === "" ? "" : ` with subresource ${JSON.stringify(subresource)}`;
  const using = operation === "Update" ? ` using ${apiVersion}` : "";
  return `${JSON.stringify(name)}${where}${using}`;
}

/** The conflicts without the fields in `allowed`. */
export function otherConflicts(
  conflicts: readonly Conflict[],
  allowed: FieldSet,
): readonly Conflict[] {
  return conflicts.flatMap(({ manager, set }) => {
    const left = difference(set, allowed);
    return isEmpty(left) ? [] : [{ manager, set: left }];
  });
}
