import { isDeepStrictEqual } from "node:util";
import { invariant } from "../invariant.ts";

/** What follows from an object is written when it changes, and not for its status (S10). */
export const nothingForNothing = invariant(
  "nothing-for-nothing",
  () =>
    function* (state) {
      for (const [key, { before, after }] of state.changes) {
        if (!key.startsWith("assign.") && !key.startsWith("alloc.")) continue;
        if (before !== undefined && isDeepStrictEqual(before, after))
          yield `${key} is written as it was`;
      }
    },
);
