import { pod } from "../../../libs/model/kinds/pod.ts";
import { invariant } from "../invariant.ts";
import { changesOf } from "../state.ts";

/** How far the clocks of the control plane's own processes differ, and how long a commit may take. */
const apartMs = 3_000;

/** Times that decisions compute with are the control plane's, not a node's (O8). */
export const oursAreTheTimes = invariant(
  "ours-are-the-times",
  () =>
    function* (state) {
      for (const { key, after } of changesOf(state, pod)) {
        for (const { type, lastTransitionTime } of after?.status?.conditions ?? []) {
          const aheadMs = Date.parse(lastTransitionTime ?? "") - state.storedAtMs;
          if (aheadMs > apartMs) yield `${key} is ${type} since ${aheadMs} ms from now`;
        }
      }
    },
);
