/**
 * A cluster for tests: every cut that there ever was, and behaviours whose turns are decided at any of
 * them and committed only if their expectations still hold, as the store would.
 */
import type { Behaviour, Turn } from "../../libs/actor/behaviour.ts";
import { type ClusterView, clusterView, decode } from "../../libs/cluster/view.ts";
import { lookedUp } from "../../libs/cluster/view-of.ts";
import { transactionOf } from "../../libs/admission/transaction.ts";
import { keyOf } from "../../libs/cluster/key.ts";
import type { Kind, ObjectOf } from "../../libs/model/kind.ts";
import type { Advance, Change, Held, Replica, View } from "../../libs/store/replica.ts";
import type { Op } from "../../libs/store/store.ts";
import type { EpochMs } from "../../libs/telemetry/clock.ts";

type Keys = ReadonlyMap<string, Held<unknown>>;

export type SimulatedCluster = {
  /** The newest cut. */
  readonly view: ClusterView;
  /** The cut that was `ago` transactions before the newest. */
  cut(ago: number): ClusterView;
  /** False: an expectation did not hold, and nothing was written. */
  commit(ops: readonly Op[]): boolean;
  /** Takes a turn at an old cut; undefined when it wrote nothing. */
  turn(behaviour: AnyBehaviour, name: string, ago: number, now: EpochMs): boolean | undefined;
  /** Turns every actor at the newest cut until none writes, at most `rounds` times. */
  settle(behaviours: readonly AnyBehaviour[], now: () => EpochMs, rounds?: number): boolean;
  /** Writes an object as it is, without admission: what a node or a user did. */
  put<K extends Kind>(kind: K, object: ObjectOf<K>): void;
  /** Takes an object's keys away, likewise. */
  drop<K extends Kind>(kind: K, object: ObjectOf<K>): void;
  /** Tells each commit, as a replica that never lags would. */
  subscribe: Replica<unknown>["subscribe"];
};
export type AnyBehaviour = Behaviour<ClusterView, Change<unknown>>;

export function simulatedCluster(): SimulatedCluster {
  const cuts: { readonly revision: number; readonly keys: Keys }[] = [
    { revision: 0, keys: new Map() },
  ];
  const newest = () => cuts.at(-1) ?? { revision: 0, keys: new Map<string, Held<unknown>>() };
  const cut = (ago: number) => {
    const at = cuts[Math.max(cuts.length - 1 - ago, 0)] ?? newest();
    return clusterView(viewOf(at.revision, at.keys));
  };

  const listeners = new Set<(advance: Advance<unknown>) => void>();

  function commit(ops: readonly Op[]): boolean {
    const { revision, keys } = newest();
    const stale = ops.some(({ key, expect }) => (keys.get(key)?.revision ?? "absent") !== expect);
    if (stale) return false;
    const next = new Map(keys);
    let at = revision;
    for (const op of ops) {
      if (op.op === "guard") continue;
      at += 1;
      if (op.op === "delete") next.delete(op.key);
      else next.set(op.key, { key: op.key, revision: at, value: valueOf(op, at) });
    }
    cuts.push({ revision: at, keys: next });
    const changes = ops
      .filter(({ op }) => op !== "guard")
      .map(({ key }) => changeOf(key, keys, next, at));
    for (const listener of listeners)
      listener({ revision: at, changes, entries: [], loaded: false });
    return true;
  }

  /** Whatever was expected of the object's own key, it is as it is now. */
  function write<K extends Kind>(
    kind: K,
    object: ObjectOf<K>,
    after: ObjectOf<K> | undefined,
  ): void {
    const { namespace, name } = (object as Named).metadata; // Every object has metadata.
    const before = cut(0).get(kind, namespace, name);
    const ops = transactionOf(kind, before as never, after as never, cut(0));
    const key = keyOf(kind, namespace, name);
    const expect = newest().keys.get(key)?.revision ?? "absent";
    commit(ops.map((op) => (op.key === key ? { ...op, expect } : op)));
  }

  function turn(behaviour: AnyBehaviour, name: string, ago: number, now: EpochMs) {
    const decided: Turn | undefined = behaviour.turn(name, cut(ago), now);
    if (decided === undefined) return undefined;
    if (decided.ops.length === 0) {
      decided.committed?.(decided.cut);
      return undefined;
    }
    const committed = commit(decided.ops);
    if (committed) decided.committed?.(newest().revision);
    return committed;
  }

  return {
    get view() {
      return cut(0);
    },
    cut,
    commit,
    turn,
    settle(behaviours, now, rounds = 200) {
      for (let round = 0; round < rounds; round += 1) {
        const wrote = behaviours.map((behaviour) =>
          [...behaviour.all(cut(0))].map((name) => turn(behaviour, name, 0, now()) === true),
        );
        if (!wrote.flat().includes(true)) return true;
      }
      return false;
    },
    put: (kind, object) => write(kind, object, object),
    drop: (kind, object) => write(kind, object, undefined),
    subscribe(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
}

type Named = { readonly metadata: { readonly name: string; readonly namespace?: string } };

function changeOf(key: string, was: Keys, is: Keys, revision: number): Change<unknown> {
  const [before, after] = [was.get(key), is.get(key)];
  return { key, revision, before, after, last: after === undefined ? before?.value : undefined };
}

function valueOf(op: Op & { readonly op: "put" }, revision: number): unknown {
  const tx = { id: "", index: 1, count: 1 };
  const entry = { ...op, revision, deleted: false, storedAtMs: 0, tx, previous: 0, cut: 0 };
  return decode(entry);
}

function viewOf(revision: number, keys: Keys): View<unknown> {
  const all = [...keys.values()];
  return {
    revision,
    get: (key) => keys.get(key),
    revisionOf: (key) => keys.get(key)?.revision ?? 0,
    scan: (prefix) => all.filter(({ key }) => key.startsWith(prefix)),
    lookup: (index, value) => lookedUp(all, index, value),
    count: (index, value) => lookedUp(all, index, value).length,
  };
}
