/** What must hold after every transaction of a simulated cluster; docs/invariants.md lists the same. */
import { deployment, type Deployment } from "../../libs/model/kinds/deployment.ts";
import { node, type Node } from "../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../libs/model/kinds/pod.ts";
import { replicaSet, type ReplicaSet } from "../../libs/model/kinds/replicaset.ts";
import { service } from "../../libs/model/kinds/service.ts";
import { quantityMilli } from "../../libs/model/quantity.ts";
import { rolloutBounds } from "../../libs/model/rollout.ts";
import { assignKey, parseKey } from "../../libs/cluster/key.ts";
import type { Kind, ObjectOf } from "../../libs/model/kind.ts";
import { keyOf, prefixOf } from "../../libs/cluster/key.ts";
import { isLive, isTerminal, readySinceMs } from "../../libs/model/pod/state.ts";

/** The state as the record tells it, at the end of a transaction. */
export type State = {
  readonly revision: number;
  readonly keys: ReadonlyMap<string, unknown>;
  /** What the transaction changed: its value before, and after. */
  readonly changes: ReadonlyMap<string, { readonly before: unknown; readonly after: unknown }>;
};

/** Gives what is wrong, or nothing. One instance follows one cluster. */
export type Checker = (state: State) => Iterable<string>;

export const invariants: Readonly<Record<string, () => Checker>> = {
  "max-surge": () => promised(tooMany),
  "max-unavailable": () => promised(tooFew),
  "no-overcommit": () => overcommitted,
  "assigned-once": () => misassigned,
  "terminal-is-final": () => revived,
  "addresses-once": () => sharedAddresses,
};

function* list<K extends Kind>({ keys }: State, kind: K): Iterable<ObjectOf<K>> {
  const prefix = prefixOf(kind);
  // What lies under a kind's prefix was admitted as that kind.
  for (const [key, value] of keys) if (key.startsWith(prefix)) yield value as ObjectOf<K>;
}

/** What one Deployment promises now, and has promised since it was last complete. */
type Promise = { readonly most: number; readonly fewest: number };

type Judged = {
  readonly self: Deployment;
  readonly live: readonly Pod[];
  readonly promise: Promise;
  /** A node was lost since it was last complete: fewer pods are no fault of a controller's. */
  readonly disturbed: boolean;
};

/**
 * Follows each Deployment's promises. Until an update is complete those of before hold as well: what
 * was decided under them may be committed later.
 */
function promised(check: (judged: Judged) => string | undefined): Checker {
  const since = new Map<string, { promise: Promise; disturbed: boolean; complete: boolean }>();
  return function* (state) {
    const sets = Map.groupBy(list(state, replicaSet), ownerOf);
    const pods = Map.groupBy(list(state, pod), ownerOf);
    const nodesReady = [...list(state, node)].every(isReadyNode);
    for (const self of list(state, deployment)) {
      const { uid } = self.metadata;
      const own = (sets.get(uid) ?? []).flatMap((set) => pods.get(set.metadata.uid) ?? []);
      const now = promiseOf(self);
      const before = since.get(uid);
      const promise =
        before === undefined || before.complete
          ? now
          : {
              most: Math.max(now.most, before.promise.most),
              fewest: Math.min(now.fewest, before.promise.fewest),
            };
      // Of the update that begins with this transaction the promises of before hold too.
      const both =
        before === undefined
          ? { ...now, fewest: 0 }
          : {
              most: Math.max(promise.most, before.promise.most),
              fewest: Math.min(promise.fewest, before.promise.fewest),
            };
      const disturbed = !nodesReady || (before?.disturbed === true && !before.complete);
      const wrong = check({ self, live: own.filter(isLive), promise: both, disturbed });
      if (wrong !== undefined) yield wrong;
      const complete = isComplete(self, own.filter(isLive));
      since.set(uid, { promise: complete ? now : both, disturbed, complete });
    }
  };
}

function promiseOf({ spec }: Deployment): Promise {
  const rolling = spec.strategy.rollingUpdate;
  if (spec.strategy.type === "Recreate" || rolling === undefined) {
    return { most: spec.replicas, fewest: 0 };
  }
  const { surge, unavailable } = rolloutBounds(rolling, spec.replicas);
  return { most: spec.replicas + surge, fewest: Math.max(spec.replicas - unavailable, 0) };
}

function isComplete({ spec, metadata, status }: Deployment, live: readonly Pod[]): boolean {
  return (
    status?.observedGeneration === metadata.generation &&
    status?.updatedReplicas === spec.replicas &&
    status.availableReplicas === spec.replicas &&
    live.length === spec.replicas &&
    live.every((one) => readySinceMs(one) !== undefined)
  );
}

const tooMany = ({ self, live, promise }: Judged): string | undefined =>
  live.length > promise.most
    ? `${self.metadata.name} has ${live.length} pods, ${promise.most} are allowed`
    : undefined;

function tooFew({ self, live, promise, disturbed }: Judged): string | undefined {
  if (disturbed || self.metadata.deletionTimestamp !== undefined) return undefined;
  const available = live.filter((one) => readySinceMs(one) !== undefined).length;
  return available < promise.fewest
    ? `${self.metadata.name} has ${available} available pods, ${promise.fewest} are promised`
    : undefined;
}

/** Requests of what is bound to a node and has not ended are within what it has (B1). */
function* overcommitted(state: State): Iterable<string> {
  const used = new Map<string, { cpu: number; pods: number }>();
  for (const one of list(state, pod)) {
    const name = one.spec.nodeName ?? "";
    if (name === "" || isTerminal(one)) continue;
    const sum = used.get(name) ?? { cpu: 0, pods: 0 };
    for (const { resources } of one.spec.containers) {
      sum.cpu += quantityMilli(resources.requests?.["cpu"] ?? "0");
    }
    sum.pods += 1;
    used.set(name, sum);
  }
  for (const { metadata, status } of list(state, node)) {
    const { cpu = 0, pods = 0 } = used.get(metadata.name) ?? {};
    const has = status?.allocatable ?? {};
    if (cpu > quantityMilli(has["cpu"] ?? "0") || pods > Number(has["pods"] ?? 0)) {
      yield `${metadata.name} has ${has["cpu"]} cpu, and pods that request ${cpu}m`;
    }
  }
}

/** Every bound pod has its assignment, on its node alone, and every assignment its pod. */
function* misassigned(state: State): Iterable<string> {
  const bound = new Map<string, string>();
  for (const { metadata, spec } of list(state, pod)) {
    if (spec.nodeName === undefined || spec.nodeName === "") continue;
    bound.set(assignKey(spec.nodeName, metadata.namespace, metadata.name), metadata.uid);
  }
  for (const [key, value] of state.keys) {
    if (!key.startsWith("assign.")) continue;
    // Admission wrote it as an assignment.
    const { uid } = value as { readonly uid: string };
    if (bound.get(key) !== uid) yield `${key} is assigned, and no such pod is bound there`;
    bound.delete(key);
  }
  for (const key of bound.keys()) yield `${key} is not assigned, and its pod is bound there`;
}

/** A terminal phase is never left (O2). */
function* revived({ changes }: State): Iterable<string> {
  for (const [key, { before, after }] of changes) {
    if (parseKey(key).resource !== "pods" || before === undefined || after === undefined) continue;
    const [was, is] = [before as Pod, after as Pod]; // Admitted as pods.
    if (was.metadata.uid === is.metadata.uid && isTerminal(was) && !isTerminal(is)) {
      yield `${key} had ended, and runs again`;
    }
  }
}

/** No two Services have one cluster address or node port (O4). */
function* sharedAddresses(state: State): Iterable<string> {
  const taken = new Map<string, string>();
  for (const { metadata, spec } of list(state, service)) {
    const values = [spec.clusterIP, ...(spec.ports ?? []).map(({ nodePort }) => nodePort)];
    for (const value of values) {
      if (value === undefined || value === "" || value === "None" || value === 0) continue;
      const other = taken.get(String(value));
      if (other !== undefined) yield `${metadata.name} and ${other} have ${value}`;
      taken.set(String(value), metadata.name);
    }
  }
}

const isReadyNode = ({ status }: Node): boolean =>
  status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";

const ownerOf = ({ metadata }: ReplicaSet | Pod): string =>
  metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid ?? "";

/** Follows the record and judges every transaction. */
export function judge(): {
  see(entry: {
    readonly key: string;
    readonly revision: number;
    readonly deleted: boolean;
    readonly value: Uint8Array;
    readonly tx: { readonly index: number; readonly count: number };
  }): readonly string[];
  readonly state: State;
} {
  const keys = new Map<string, unknown>();
  const checkers = Object.entries(invariants).map(([name, make]) => ({ name, check: make() }));
  let changes = new Map<string, { before: unknown; after: unknown }>();
  let revision = 0;
  return {
    get state() {
      return { revision, keys, changes };
    },
    see({ key, revision: at, deleted, value, tx }) {
      const before = keys.get(key);
      const after = deleted ? undefined : decoded(value);
      if (deleted) keys.delete(key);
      else keys.set(key, after);
      changes.set(key, { before, after });
      revision = at;
      if (tx.index < tx.count) return [];
      const state = { revision, keys, changes };
      changes = new Map();
      return checkers.flatMap(({ name, check }) =>
        [...check(state)].map((wrong) => `${name} at ${at}: ${wrong}`),
      );
    },
  };
}

const decoded = (value: Uint8Array): unknown =>
  value.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(value));

/** The object under its key, as the record tells it. */
export const objectIn = <K extends Kind>(
  state: State,
  kind: K,
  namespace: string | undefined,
  name: string,
): ObjectOf<K> | undefined =>
  state.keys.get(keyOf(kind, namespace, name)) as ObjectOf<K> | undefined; // Admitted as that kind.
export { list as objectsIn };
