import { invariant } from "../invariant.ts";

type Named = { readonly metadata?: { readonly uid?: string } };

/** A delete carries the object's last state (S9). */
export const deletesTellLast = invariant(
  "deletes-tell-last",
  () =>
    function* (state) {
      for (const [key, { before, after, last }] of state.changes) {
        if (before === undefined || after !== undefined) continue;
        const uid = (before as Named).metadata?.uid; // What has metadata is an object.
        if (uid !== undefined && (last as Named | undefined)?.metadata?.uid !== uid) {
          yield `${key} is deleted, and nothing says what it was`;
        }
      }
    },
);
