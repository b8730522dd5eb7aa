import { isDeepStrictEqual } from "node:util";
import { prefixOf } from "../../../libs/cluster/key.ts";
import { lease, type Lease, nodeLeaseNamespace } from "../../../libs/model/kinds/lease.ts";
import { node, type Node } from "../../../libs/model/kinds/node.ts";
import type { Revision } from "../../../libs/store/store.ts";
import { invariant } from "../invariant.ts";
import { readyOf } from "../ready.ts";
import { changesOf, type State } from "../state.ts";
import { keptNodes, kubeletReady } from "../workload.ts";

/** kube-controller-manager's node-monitor-grace-period. */
const graceMs = 40_000;

type Sign = { readonly revision: Revision; readonly atMs: number };

/** A node without an agent is unreachable only when its last sign of life, as of the cut, is 40 s old (N1, N4). */
export const keptBeforeLost = invariant("kept-before-lost", ({ askedAtMs }) => {
  const signs = new Map<string, Sign[]>();
  return function* (state) {
    for (const name of signsIn(state)) {
      const known = signs.get(name) ?? [];
      signs.set(name, [...known, { revision: state.revision, atMs: state.storedAtMs }]);
    }
    for (const { key, before, after } of keptIn(state)) {
      if (after === undefined || !isUnknown(after)) continue;
      if (before !== undefined && isUnknown(before)) continue;
      const at = askedAtMs(state.tx) ?? state.storedAtMs;
      const last = signs
        .get(after.metadata.name)
        ?.findLast(({ revision }) => revision <= state.cut);
      const silentMs = at - (last?.atMs ?? 0);
      if (silentMs < graceMs) yield `${key} is unreachable after ${silentMs} ms of silence`;
    }
  };
});

/** Nobody but its kubelet writes a Node that is kept through the API for a sign of life alone. */
export const keptIsNotRewritten = invariant(
  "kept-is-not-rewritten",
  () =>
    function* (state) {
      for (const { key, before, after } of keptIn(state)) {
        if (before === undefined || after === undefined) continue;
        const isKubelets = readyOf(after)?.reason === kubeletReady;
        if (isDeepStrictEqual(before, after)) yield `${key} is written as it was`;
        else if (!isKubelets && isDeepStrictEqual(timeless(before), timeless(after))) {
          yield `${key} is written for a heartbeat alone`;
        }
      }
    },
);

const names: readonly string[] = keptNodes;
const keptIn = (state: State) =>
  [...changesOf(state, node)].filter(({ before, after }) =>
    names.includes((after ?? before)?.metadata.name ?? ""),
  );

const isUnknown = (one: Node): boolean => readyOf(one)?.status === "Unknown";

function timeless({ status, ...rest }: Node): object {
  const conditions = status?.conditions?.map((one) => ({ ...one, lastHeartbeatTime: undefined }));
  return { ...rest, status: { ...status, conditions } };
}

/** The kept nodes of which the transaction is a sign of life: their birth, a renewal, what a kubelet writes. */
function* signsIn(state: State): Iterable<string> {
  for (const { before, after } of keptIn(state)) {
    if (after === undefined) continue;
    const isBorn = before?.metadata.uid !== after.metadata.uid;
    const isSaid =
      readyOf(after)?.reason === kubeletReady &&
      !isDeepStrictEqual(readyOf(before), readyOf(after));
    if (isBorn || isSaid) yield after.metadata.name;
  }
  const prefix = prefixOf(lease, nodeLeaseNamespace);
  for (const [key, { before, after }] of state.changes) {
    if (!key.startsWith(prefix)) continue;
    const [was, is] = [before as Lease | undefined, after as Lease | undefined]; // The keys of Leases.
    if (is !== undefined && was?.spec.renewTime !== is.spec.renewTime) yield is.metadata.name;
  }
}
