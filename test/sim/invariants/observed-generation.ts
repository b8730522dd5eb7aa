import { invariant } from "../invariant.ts";

type Observed = {
  readonly metadata?: { readonly uid?: string; readonly generation?: number };
  readonly status?: { readonly observedGeneration?: number };
};

/** No status claims a generation that was not seen: at its cut it was not there yet (S5). */
export const observedGeneration = invariant(
  "observed-generation",
  () =>
    function* (state) {
      for (const [key, { before, after }] of state.changes) {
        const [was, is] = [before as Observed | undefined, after as Observed | undefined]; // Of any kind.
        const claimed = is?.status?.observedGeneration;
        if (claimed === undefined || claimed === was?.status?.observedGeneration) continue;
        const seen = state.asOf(key, state.cut) as Observed | undefined; // As above.
        if (seen?.metadata?.uid !== is?.metadata?.uid) continue;
        if (claimed > (seen?.metadata?.generation ?? 0)) {
          yield `${key} claims generation ${claimed}, and was decided at ${seen?.metadata?.generation}`;
        }
      }
    },
);
