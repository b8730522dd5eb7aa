/** A field set's JSON, as `managedFields` hold it. */
import { type FieldSet, inOrder, isEmpty, leafNode, nodeOf, union } from "./field-set.ts";
import { isObject } from "./field-type.ts";
import { canonicalElement } from "./path-element.ts";

export type FieldsV1 = { readonly [element: string]: FieldsV1 };

/** In the order, and in the words, of Kubernetes' own implementation. */
export function encodeFields(set: FieldSet): FieldsV1 {
  const fields: Record<string, FieldsV1> = {};
  if (set.owned && set.children.size > 0) fields["."] = {};
  for (const [element, node] of inOrder(set)) fields[element] = encodeFields(node);
  return fields;
}

/**
 * The set that a client, or the store, wrote.
 *
 * @returns undefined when it is no such JSON
 */
export function decodeFields(value: unknown): FieldSet | undefined {
  try {
    const { children } = nodeFrom(value, 0);
    return nodeOf(children);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Of any object, and more than any has. */
const depthMax = 200;

function nodeFrom(value: unknown, depth: number): FieldSet {
  if (!isObject(value)) throw new SyntaxError("a field set is an object");
  if (depth > depthMax) throw new SyntaxError("too deep");
  let owned = false;
  const children = new Map<string, FieldSet>();
  for (const [key, member] of Object.entries(value)) {
    if (key === ".") {
      owned = true;
      continue;
    }
    const element = canonicalElement(key);
    if (element === undefined) continue;
    const node = nodeFrom(member, depth + 1);
    const known = children.get(element);
    children.set(element, known === undefined ? node : union(known, node));
  }
  const node = nodeOf(children, owned);
  return isEmpty(node) ? leafNode : node;
}
