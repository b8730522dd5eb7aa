import { keyOf } from "../../../libs/cluster/key.ts";
import { node, type Node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { invariant, type Scene } from "../invariant.ts";
import { readyOf } from "../ready.ts";
import { changesOf, type State } from "../state.ts";

/** As the controllers have it: a node is silent after so long. */
const silenceMs = 4_000;

/** What is heard between a turn's decision and its commit comes too late for it. */
const underWayMs = 20;

/** A node is unreachable, and evicts, only after it was silent, and when half of the nodes were heard (N1, N4). */
export const silentBeforeLost = invariant(
  "silent-before-lost",
  (scene) =>
    function* (state) {
      for (const { key, before, after } of changesOf(state, node)) {
        if (after === undefined || !isUnreachable(after)) continue;
        if (!scene.nodes.includes(after.metadata.name)) continue; // It has no agent: `kept-before-lost`.
        if (before !== undefined && isUnreachable(before)) continue;
        yield* judged(scene, state, after.metadata.name, `${key} is unreachable`);
      }
      for (const { key, before, after } of changesOf(state, pod)) {
        if (after === undefined || !isEvicted(after)) continue;
        if (before !== undefined && isEvicted(before)) continue;
        yield* judged(scene, state, after.spec.nodeName ?? "", `${key} is evicted`);
      }
    },
);

const isUnreachable = (one: Node): boolean => readyOf(one)?.status === "Unknown";
const isEvicted = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ reason }) => reason === "DeletionByTaintManager") ?? false;

function* judged(scene: Scene, state: State, name: string, what: string): Iterable<string> {
  const { tx, cut } = state;
  const at = scene.askedAtMs(tx);
  if (at === undefined) return;
  const isRecent = (heard: number, withinMs: number) => heard <= at && heard > at - withinMs;
  const own = scene.heartbeats(name);
  const last = own.findLast((one) => isRecent(one, silenceMs * 0.99) && one < at - underWayMs);
  // Where a second agent may have had the name, the first is refused until that is silent (N5).
  const isDisputed = scene
    .anyHeartbeats(name)
    .some((one) => isRecent(one, silenceMs * 2) && !own.includes(one));
  if (last !== undefined && !isDisputed)
    yield `${what}, and ${name} was heard ${Math.round(at - last)} ms before`;
  // Those that whoever decided saw: a Node that was deleted is not silent.
  const nodes = scene.nodes.filter(
    (one) => state.asOf(keyOf(node, undefined, one), cut) !== undefined,
  );
  const heard = nodes.filter((one) =>
    scene.anyHeartbeats(one).some((beat) => isRecent(beat, silenceMs * 1.01)),
  );
  if (heard.length * 2 < nodes.length) yield `${what}, while most nodes were silent`;
}
