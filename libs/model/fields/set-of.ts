import { asOwned, emptySet, type FieldSet, leafNode, nodeOf } from "./field-set.ts";
import {
  type FieldType,
  formOf,
  isObject,
  type JsonObject,
  type ListType,
  memberType,
  type ObjectType,
} from "./field-type.ts";
import { fieldElement, itemElement } from "./path-element.ts";

/**
 * The fields that a configuration states: its leaves, the items of its lists, and members of maps.
 * Fields that only hold others are not among them.
 */
export function setOf(type: FieldType, value: unknown): FieldSet {
  if (value === undefined) return emptySet;
  const form = formOf(type, value);
  if (form === "leaf") return leafNode;
  return form.type === "list"
    ? setOfItems(form, value as readonly unknown[])
    : setOfMembers(form, value as JsonObject);
}

function setOfMembers(type: ObjectType, value: JsonObject): FieldSet {
  const members = Object.entries(value).map(([name, member]): [string, FieldSet] => {
    const node = setOf(memberType(type, name), member);
    const isBare = member === null || (isObject(member) && Object.keys(member).length === 0);
    return [fieldElement(name), isBare || !type.fields.has(name) ? asOwned(node) : node];
  });
  return nodeOf(members);
}

/** Items that are there twice are one field without parts: nobody can say which is meant. */
function setOfItems(type: ListType, items: readonly unknown[]): FieldSet {
  const nodes = new Map<string, FieldSet>();
  for (const [element, values] of groupedItems(type, items)) {
    const [only] = values;
    nodes.set(element, values.length > 1 ? leafNode : asOwned(setOf(type.items(), only)));
  }
  return nodeOf(nodes);
}

/** Items by their step; those that have none are passed over. */
export function groupedItems(
  type: ListType,
  items: readonly unknown[],
): ReadonlyMap<string, readonly unknown[]> {
  const groups = new Map<string, unknown[]>();
  for (const item of items) {
    const found = itemElement(type, item);
    if ("fault" in found) continue;
    const group = groups.get(found.element);
    if (group === undefined) groups.set(found.element, [item]);
    else group.push(item);
  }
  return groups;
}
