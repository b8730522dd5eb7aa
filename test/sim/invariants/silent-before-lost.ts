import { node, type Node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { invariant, type Scene } from "../invariant.ts";
import { changesOf, type State } from "../state.ts";

/** As the controllers have it: a node is silent after so long. */
const silenceMs = 4_000;
/** A decision rests on what was heard so long before its cut, at most. */
const lookedBackMs = 6_000;

/** A node is unreachable, and evicts, only after it was silent, and when half of the nodes were heard (N1, N4). */
export const silentBeforeLost = invariant(
  "silent-before-lost",
  (scene) =>
    function* (state) {
      for (const { key, before, after } of changesOf(state, node)) {
        if (after === undefined || !isUnreachable(after)) continue;
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

const isUnreachable = ({ status }: Node): boolean =>
  status?.conditions?.find(({ type }) => type === "Ready")?.status === "Unknown";
const isEvicted = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ reason }) => reason === "DeletionByTaintManager") ?? false;

function* judged(scene: Scene, state: State, name: string, what: string): Iterable<string> {
  if (!wasSilent(scene, state, name)) yield `${what}, and ${name} was never silent`;
  if (!wasHalfHeard(scene, state)) yield `${what}, while most nodes were silent`;
}

/** The moments at which it may have been decided begin with its cut. */
const sinceOf = ({ storedAtMs, cut, timeOf }: State): number =>
  (timeOf(cut) === 0 ? storedAtMs : timeOf(cut)) - lookedBackMs;

/** For so long at some moment since. */
function wasSilent(scene: Scene, state: State, name: string): boolean {
  const since = sinceOf(state);
  const times = [0, ...scene.heartbeats(name), state.storedAtMs];
  return times.some((at, nth) => at > since && at - (times[nth - 1] ?? at) > silenceMs * 0.9);
}

function wasHalfHeard({ heartbeats, nodes }: Scene, state: State): boolean {
  const isHeard = (name: string, at: number) =>
    heartbeats(name).some((one) => one <= at + 500 && one > at - silenceMs - 1_000);
  for (let at = sinceOf(state); at <= state.storedAtMs; at += 250) {
    if (nodes.filter((name) => isHeard(name, at)).length * 2 >= nodes.length) return true;
  }
  return false;
}
