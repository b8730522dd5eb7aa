/** The keys of a cut: by name, by prefix and by index. */
import type { Held, ReplicaOptions } from "./replica.ts";

export type HeldKeys<T> = {
  get(key: string): Held<T> | undefined;
  set(held: Held<T>): void;
  delete(key: string): void;
  all(): Iterable<Held<T>>;
  scan(prefix: string): Iterable<Held<T>>;
  lookup(index: string, value: string): Iterable<Held<T>>;
  count(index: string, value: string): number;
};

type Group<T> = Map<string, Held<T>>;

/** Grouped by their first two tokens, `<resource>.<namespace>`: what lists ask for. */
export function heldKeys<T>(indexes: ReplicaOptions<T>["indexes"]): HeldKeys<T> {
  const keys: Group<T> = new Map();
  const tree = new Map<string, Map<string, Group<T>>>();
  const found = new Map(Object.keys(indexes).map((name) => [name, new Map<string, Group<T>>()]));

  function groupsIn(index: string): ReadonlyMap<string, Group<T>> {
    const groups = found.get(index);
    if (groups === undefined) throw new RangeError(`no index ${JSON.stringify(index)}`);
    return groups;
  }

  function remove(key: string): void {
    const held = keys.get(key);
    if (held === undefined) return;
    keys.delete(key);
    const [resource, namespace] = tokensOf(key);
    const branch = tree.get(resource);
    if (branch !== undefined) drop(branch, namespace, key);
    if (branch?.size === 0) tree.delete(resource);
    for (const [name, valuesOf] of Object.entries(indexes)) {
      const groups = found.get(name);
      if (groups === undefined) continue;
      for (const value of valuesOf(held)) drop(groups, value, key);
    }
  }

  return {
    get: (key) => keys.get(key),
    all: () => keys.values(),
    delete: remove,
    set(held) {
      remove(held.key);
      keys.set(held.key, held);
      const [resource, namespace] = tokensOf(held.key);
      const branch = tree.get(resource) ?? new Map<string, Group<T>>();
      tree.set(resource, branch);
      add(branch, namespace, held);
      for (const [name, valuesOf] of Object.entries(indexes)) {
        const groups = found.get(name);
        if (groups === undefined) continue;
        for (const value of valuesOf(held)) add(groups, value, held);
      }
    },
    *scan(prefix) {
      for (const group of groupsOf(tree, prefix)) {
        for (const held of group.values()) if (held.key.startsWith(prefix)) yield held;
      }
    },
    lookup: (index, value) => groupsIn(index).get(value)?.values() ?? [],
    count: (index, value) => groupsIn(index).get(value)?.size ?? 0,
  };
}

function* groupsOf<T>(
  tree: ReadonlyMap<string, ReadonlyMap<string, Group<T>>>,
  prefix: string,
): Iterable<Group<T>> {
  const [resource = "", namespace, ...rest] = prefix.split(".");
  if (namespace === undefined) {
    for (const branch of tree.values()) yield* branch.values(); // Not even a whole resource.
    return;
  }
  const branch = tree.get(resource);
  if (branch === undefined) return;
  if (rest.length === 0) {
    yield* branch.values();
    return;
  }
  const group = branch.get(namespace);
  if (group !== undefined) yield group;
}

function tokensOf(key: string): readonly [string, string] {
  const [resource = "", namespace = ""] = key.split(".", 2);
  return [resource, namespace];
}

function add<T>(groups: Map<string, Group<T>>, value: string, held: Held<T>): void {
  const group = groups.get(value);
  if (group === undefined) groups.set(value, new Map([[held.key, held]]));
  else group.set(held.key, held);
}

function drop<T>(groups: Map<string, Group<T>>, value: string, key: string): void {
  const group = groups.get(value);
  group?.delete(key);
  if (group?.size === 0) groups.delete(value);
}
