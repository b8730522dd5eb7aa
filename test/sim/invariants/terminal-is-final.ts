import { pod } from "../../../libs/model/kinds/pod.ts";
import { isTerminal } from "../../../libs/model/pod/state.ts";
import { invariant } from "../invariant.ts";
import { changesOf } from "../state.ts";

/** A terminal phase is never left (O2). */
export const terminalIsFinal = invariant(
  "terminal-is-final",
  () =>
    function* (state) {
      for (const { key, before, after } of changesOf(state, pod)) {
        if (before === undefined || after === undefined) continue;
        const isSame = before.metadata.uid === after.metadata.uid;
        if (isSame && isTerminal(before) && before.status?.phase !== after.status?.phase) {
          yield `${key} had ended as ${before.status?.phase}, and is ${after.status?.phase}`;
        }
      }
    },
);
