/**
 * A set of fields of an object, as a tree of path elements. A field is in it where its node says
 * `owned`; that a field is in it says nothing of what it lies in, or of what lies in it.
 */
import { compareElements, shownElement } from "./path-element.ts";

export type FieldSet = {
  readonly owned: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
};

const none: ReadonlyMap<string, FieldSet> = new Map();

/** The node of nothing, and the set without fields. */
export const emptySet: FieldSet = { owned: false, children: none };
/** The node of a field that is in the set while nothing in it is. */
export const leafNode: FieldSet = { owned: true, children: none };

export const isEmpty = ({ owned, children }: FieldSet): boolean => !owned && children.size === 0;

/** A node of what is not empty among `children`. */
export function nodeOf(children: Iterable<readonly [string, FieldSet]>, owned = false): FieldSet {
  const kept = new Map<string, FieldSet>();
  for (const [element, node] of children) if (!isEmpty(node)) kept.set(element, node);
  return kept.size === 0 ? (owned ? leafNode : emptySet) : { owned, children: kept };
}

export const asOwned = (node: FieldSet): FieldSet => (node.owned ? node : { ...node, owned: true });

export const setOfPaths = (...paths: readonly (readonly string[])[]): FieldSet =>
  paths.map(nodeAlong).reduce(union, emptySet);

const nodeAlong = (path: readonly string[]): FieldSet =>
  path.reduceRight<FieldSet>((node, element) => nodeOf([[element, node]]), leafNode);

export function has(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) node = node?.children.get(element);
  return node?.owned === true;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a)) return b;
  if (isEmpty(b)) return a;
  const children = new Map(a.children);
  for (const [element, node] of b.children) {
    const known = children.get(element);
    children.set(element, known === undefined ? node : union(known, node));
  }
  return { owned: a.owned || b.owned, children };
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const [small, large] = a.children.size < b.children.size ? [a, b] : [b, a];
  const shared: (readonly [string, FieldSet])[] = [];
  for (const [element, node] of small.children) {
    const other = large.children.get(element);
    if (other !== undefined) shared.push([element, intersection(node, other)]);
  }
  return nodeOf(shared, a.owned && b.owned);
}

/** The fields of `a` that are not in `b`; what lies in a field of `b` stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b)) return a;
  const left: (readonly [string, FieldSet])[] = [];
  for (const [element, node] of a.children) {
    const other = b.children.get(element);
    left.push([element, other === undefined ? node : difference(node, other)]);
  }
  return nodeOf(left, a.owned && !b.owned);
}

export const sameSet = (a: FieldSet, b: FieldSet): boolean =>
  a === b ||
  (a.owned === b.owned &&
    a.children.size === b.children.size &&
    [...a.children].every(([element, node]) => {
      const other = b.children.get(element);
      return other !== undefined && sameSet(node, other);
    }));

/** The paths of all fields as messages show them: a node's own fields before what lies in them. */
export function shownPaths(set: FieldSet): readonly string[] {
  return pathsOf(set).map((path) => path.map(shownElement).join(""));
}

export function pathsOf(set: FieldSet, prefix: readonly string[] = []): readonly string[][] {
  const children = inOrder(set);
  const fields = children.filter(([, { owned }]) => owned);
  return [
    ...fields.map(([element]) => [...prefix, element]),
    ...children.flatMap(([element, node]) => pathsOf(node, [...prefix, element])),
  ];
}

/** A node's children in Kubernetes' order. */
export const inOrder = ({ children }: FieldSet): readonly (readonly [string, FieldSet])[] =>
  children.size < 2 ? [...children] : [...children].toSorted(([a], [b]) => compareElements(a, b));
