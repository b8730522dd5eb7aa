/** A cut made of values, for tests of what reads one. */
import { replicaOptions, type ClusterView, clusterView, decode } from "./view.ts";
import type { Op, Revision } from "../store/store.ts";
import type { Held } from "../store/replica.ts";

/** A cut that holds exactly what transactions put into it, one revision a write. */
export type WritableView = { readonly view: ClusterView; commit(ops: readonly Op[]): void };

/** @throws {RangeError} from `commit`, when an expectation does not hold */
export function writableView(): WritableView {
  const held = new Map<string, Held<unknown>>();
  const known = new Map<string, Revision>();
  let revision = 0;
  const lookup = (index: string, value: string) => lookedUp(held.values(), index, value);
  const view = clusterView({
    get revision() {
      return revision;
    },
    get: (key) => held.get(key),
    revisionOf: (key) => known.get(key) ?? 0,
    *scan(prefix) {
      for (const one of held.values()) if (one.key.startsWith(prefix)) yield one;
    },
    lookup,
    count: (index, value) => lookup(index, value).length,
  });
  return {
    view,
    commit(ops) {
      for (const { key, expect } of ops) {
        if ((held.get(key)?.revision ?? "absent") !== expect)
          throw new RangeError(`${key} has moved`);
      }
      for (const op of ops) {
        if (op.op === "guard") continue;
        revision += 1;
        known.set(op.key, revision);
        held.delete(op.key);
        if (op.op === "put")
          held.set(op.key, { key: op.key, revision, value: valueOf(op, revision) });
      }
    },
  };
}

/** What of `held` an index of the state's replicas finds, without the index. */
export function lookedUp(
  held: Iterable<Held<unknown>>,
  index: string,
  value: string,
): readonly Held<unknown>[] {
  const valuesOf = replicaOptions.indexes[index];
  if (valuesOf === undefined) throw new RangeError(`no index ${JSON.stringify(index)}`);
  return [...held].filter((one) => [...valuesOf(one)].includes(value));
}

const valueOf = (op: Op & { readonly op: "put" }, revision: Revision): unknown =>
  decode({
    key: op.key,
    value: op.value,
    revision,
    deleted: false,
    storedAtMs: 0,
    tx: { id: "", index: 1, count: 1 },
    previous: 0,
    cut: 0,
  });
