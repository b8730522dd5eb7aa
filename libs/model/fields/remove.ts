import { asOwned, type FieldSet, isEmpty, leafNode, nodeOf } from "./field-set.ts";
import {
  type FieldType,
  formOf,
  type JsonObject,
  type ListType,
  memberType,
  type ObjectType,
  untyped,
} from "./field-type.ts";
import { fieldElement, itemElement } from "./path-element.ts";

/**
 * `value` without the fields in `set`. What has lost all that it held is `null`: it counts as absent,
 * while its own field stays.
 */
export function remove(type: FieldType, value: unknown, set: FieldSet): unknown {
  if (set.children.size === 0) return value;
  const form = formOf(type, value);
  if (form === "leaf") return typeof value === "object" ? null : value;
  return form.type === "list"
    ? removeItems(form, value as readonly unknown[], set)
    : removeMembers(form, value as JsonObject, set);
}

function removeMembers(type: ObjectType, value: JsonObject, set: FieldSet): unknown {
  const kept = Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
    const node = set.children.get(fieldElement(name));
    if (node === undefined) return [[name, member]];
    return node.owned ? [] : [[name, remove(memberType(type, name), member, node)]];
  });
  return kept.length === 0 ? null : Object.fromEntries(kept);
}

function removeItems(type: ListType, items: readonly unknown[], set: FieldSet): unknown {
  const kept = items.flatMap((item): unknown[] => {
    const found = itemElement(type, item);
    const node = "fault" in found ? undefined : set.children.get(found.element);
    if (node === undefined) return [item];
    return node.owned ? [] : [remove(type.items(), item, node)];
  });
  return kept.length === 0 ? null : kept;
}

/** `set` with all fields that a type names and that hold something in it, though they are not in it. */
export function withNamedFields(type: FieldType, set: FieldSet): FieldSet {
  const children = [...set.children].map(([element, node]): [string, FieldSet] => {
    const whole = withNamedFields(typeAt(type, element), node);
    const isNamed =
      node.children.size > 0 &&
      type.type === "object" &&
      element.startsWith("f:") &&
      type.fields.has(element.slice(2));
    return [element, isNamed ? asOwned(whole) : whole];
  });
  return nodeOf(children, set.owned);
}

function typeAt(type: FieldType, element: string): FieldType {
  if (type.type === "object" && element.startsWith("f:")) {
    return memberType(type, element.slice(2));
  }
  return type.type === "list" && element.startsWith("k:") ? type.items() : untyped;
}

/**
 * `set` as it is when the schema has changed since it was written: what has become one whole is owned
 * as such by whoever owned a part of it.
 */
export function fittedSet(type: FieldType, set: FieldSet): FieldSet {
  if (isEmpty(set) || type.type === "untyped") return set;
  const isWhole =
    (type.type === "object" && type.atomic) || (type.type === "list" && type.relation === "atomic");
  if (isWhole) return set.children.size > 0 ? leafNode : set;
  if (type.type === "scalar") return set;
  let changed = false;
  const children = [...set.children].map(([element, node]): [string, FieldSet] => {
    const fitted = fittedSet(typeAt(type, element), node);
    if (fitted !== node) changed = true;
    return [element, fitted];
  });
  return changed ? nodeOf(children, set.owned) : set;
}
