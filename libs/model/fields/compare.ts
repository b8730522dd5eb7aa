import { dequal } from "dequal";
import { asOwned, emptySet, type FieldSet, isEmpty, leafNode, nodeOf } from "./field-set.ts";
import {
  type FieldType,
  type Form,
  formOf,
  isObject,
  type JsonObject,
  type ListType,
  memberType,
  type ObjectType,
  own,
} from "./field-type.ts";
import { fieldElement } from "./path-element.ts";
import { groupedItems } from "./set-of.ts";

/** No field is in two of these. */
export type Comparison = {
  readonly removed: FieldSet;
  readonly modified: FieldSet;
  readonly added: FieldSet;
};

/** Of what is the same. */
export const nothing: Comparison = { removed: emptySet, modified: emptySet, added: emptySet };

export const isSame = ({ removed, modified, added }: Comparison): boolean =>
  isEmpty(removed) && isEmpty(modified) && isEmpty(added);

/** What must be done to `before` to get `after`; either may be undefined: there is nothing. */
export function compare(type: FieldType, before: unknown, after: unknown): Comparison {
  if (before === after) return nothing;
  if (before === undefined) return { ...nothing, added: everything(type, after) };
  if (after === undefined) return { ...nothing, removed: everything(type, before) };
  const form = sharedForm(type, before, after);
  if (form === "leaf") return dequal(before, after) ? nothing : { ...nothing, modified: leafNode };
  return form.type === "list"
    ? compareItems(form, listIn(before), listIn(after))
    : compareMembers(form, objectIn(before), objectIn(after));
}

/** A value that is there on one side alone, and all that it holds. */
function everything(type: FieldType, value: unknown): FieldSet {
  const form = isBare(value) ? "leaf" : formOf(type, value);
  if (form === "leaf") return leafNode;
  const children = new Map<string, FieldSet>();
  if (form.type === "list") {
    const items = groupedItems(form, listIn(value));
    for (const [element, [only, ...others]] of items) {
      children.set(element, others.length > 0 ? leafNode : everything(form.items(), only));
    }
  } else {
    for (const [name, member] of Object.entries(objectIn(value))) {
      children.set(fieldElement(name), everything(memberType(form, name), member));
    }
  }
  return { owned: true, children };
}

/** Two values are seen the same way: `null` and nothing as the other one, two empty ones as leaves. */
export function sharedForm(type: FieldType, before: unknown, after: unknown): Form {
  const [was, is] = [formOf(type, before), formOf(type, after)];
  if (isBare(before) && isBare(after)) return "leaf";
  if (is === "leaf") return after === undefined || after === null ? was : "leaf";
  if (was === "leaf") return before === undefined || before === null ? is : "leaf";
  return was.type === is.type ? is : "leaf";
}

function isBare(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

export const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const objectIn = (value: unknown): JsonObject => (isObject(value) ? value : {});

type Part = readonly [element: string, comparison: Comparison];

function compareMembers(type: ObjectType, before: JsonObject, after: JsonObject): Comparison {
  const parts: Part[] = [];
  for (const [name, is] of Object.entries(after)) {
    const found = compare(memberType(type, name), own(before, name), is);
    if (found !== nothing) parts.push([fieldElement(name), found]);
  }
  for (const [name, was] of Object.entries(before)) {
    if (Object.hasOwn(after, name)) continue;
    parts.push([fieldElement(name), compare(memberType(type, name), was, undefined)]);
  }
  return together(parts);
}

function compareItems(
  type: ListType,
  before: readonly unknown[],
  after: readonly unknown[],
): Comparison {
  const [was, is] = [groupedItems(type, before), groupedItems(type, after)];
  const elements = new Set([...was.keys(), ...is.keys()]);
  const parts = [...elements].map((element): Part => {
    const found = compareGroups(type.items(), was.get(element) ?? [], is.get(element) ?? []);
    return [element, found];
  });
  return together(parts);
}

/** Items of one step; where there are several they are compared as one thing. */
function compareGroups(
  type: FieldType,
  before: readonly unknown[],
  after: readonly unknown[],
): Comparison {
  const [were, are] = [before.length > 1, after.length > 1];
  if (were && are) return dequal(before, after) ? nothing : { ...nothing, modified: leafNode };
  if (!were && !are) return compare(type, before[0], after[0]);
  const single = were ? compare(type, undefined, after[0]) : compare(type, before[0], undefined);
  return were
    ? { ...single, removed: asOwned(single.removed) }
    : { ...single, added: asOwned(single.added) };
}

function together(parts: readonly Part[]): Comparison {
  if (parts.length === 0) return nothing;
  const part = (name: keyof Comparison) => {
    const some = parts.filter(([, found]) => !isEmpty(found[name]));
    if (some.length === 0) return emptySet;
    return nodeOf(some.map(([element, found]) => [element, found[name]]));
  };
  const all = { removed: part("removed"), modified: part("modified"), added: part("added") };
  return isSame(all) ? nothing : all;
}
