/** The state as the record tells it, transaction by transaction. */
import { keyOf, prefixOf } from "../../libs/cluster/key.ts";
import type { Kind, ObjectOf } from "../../libs/model/kind.ts";
import type { Entry, Revision } from "../../libs/store/store.ts";

export type Change = {
  readonly before: unknown;
  readonly after: unknown;
  /** What the record says in a deletion's place (S9). */
  readonly last: unknown;
};

/** At the end of a transaction. */
export type State = {
  readonly revision: Revision;
  /** What the transaction was decided at; 0 when it does not say. */
  readonly cut: Revision;
  /** The transaction's id. */
  readonly tx: string;
  /** When the server stored it. */
  readonly storedAtMs: number;
  readonly keys: ReadonlyMap<string, unknown>;
  /** What the transaction changed. */
  readonly changes: ReadonlyMap<string, Change>;
  /** What `key` held at a revision. */
  readonly asOf: (key: string, revision: Revision) => unknown;
  /** What the keys that begin with `prefix` held at a revision. */
  readonly allAsOf: (prefix: string, revision: Revision) => readonly unknown[];
};

type Version = { readonly revision: Revision; readonly value: unknown };

export function recordedState(): {
  /** @returns the state, when the entry is the last of its transaction */
  take(entry: Entry): State | undefined;
  readonly now: State;
} {
  const keys = new Map<string, unknown>();
  const versions = new Map<string, Version[]>();
  let changes = new Map<string, Change>();
  const asOf = (key: string, revision: Revision) =>
    versions.get(key)?.findLast((version) => version.revision <= revision)?.value;
  const allAsOf = (prefix: string, revision: Revision) =>
    [...versions.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => asOf(key, revision))
      .filter((value) => value !== undefined);
  const rest = { keys, asOf, allAsOf };
  let now: State = { ...rest, revision: 0, cut: 0, tx: "", storedAtMs: 0, changes };
  return {
    get now() {
      return now;
    },
    take({ key, revision, deleted, value, tx, cut, storedAtMs }) {
      const before = keys.get(key);
      const told = decoded(value);
      const after = deleted ? undefined : told;
      if (deleted) keys.delete(key);
      else keys.set(key, after);
      changes.set(key, { before, after, last: deleted ? told : undefined });
      const known = versions.get(key) ?? [];
      known.push({ revision, value: after });
      versions.set(key, known);
      if (tx.index < tx.count) return undefined;
      now = { ...rest, revision, cut, tx: tx.id, storedAtMs, changes };
      changes = new Map();
      return now;
    },
  };
}

const decoded = (value: Uint8Array): unknown =>
  value.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(value));

type Keyed = Pick<State, "keys" | "changes">;

/** The objects of a kind. */
export function* objectsIn<K extends Kind>({ keys }: Keyed, kind: K): Iterable<ObjectOf<K>> {
  const prefix = prefixOf(kind);
  // What lies under a kind's prefix was admitted as that kind.
  for (const [key, value] of keys) if (key.startsWith(prefix)) yield value as ObjectOf<K>;
}

export const objectIn = <K extends Kind>(
  { keys }: Keyed,
  kind: K,
  namespace: string | undefined,
  name: string,
): ObjectOf<K> | undefined => keys.get(keyOf(kind, namespace, name)) as ObjectOf<K> | undefined; // Admitted as that kind.

/** The transaction's changes of one kind's objects. */
export function* changesOf<K extends Kind>(
  { changes }: Keyed,
  kind: K,
): Iterable<{
  readonly key: string;
  readonly before: ObjectOf<K> | undefined;
  readonly after: ObjectOf<K> | undefined;
}> {
  const prefix = prefixOf(kind);
  for (const [key, { before, after }] of changes) {
    if (!key.startsWith(prefix)) continue;
    // Admitted as that kind, as above.
    yield {
      key,
      before: before as ObjectOf<K> | undefined,
      after: after as ObjectOf<K> | undefined,
    };
  }
}

/** Whether the transaction changed an object of one of the kinds. */
export const touches = ({ changes }: Keyed, ...kinds: readonly Kind[]): boolean => {
  const prefixes = kinds.map((kind) => prefixOf(kind));
  return [...changes.keys()].some((key) => prefixes.some((prefix) => key.startsWith(prefix)));
};
