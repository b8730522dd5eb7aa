import { invariant } from "../invariant.ts";
import { promised } from "../promises.ts";

/** A Deployment never has more live pods than `replicas` + `maxSurge` (O2, S2). */
export const maxSurge = invariant("max-surge", () =>
  promised(({ self, live, promise }) =>
    live.length > promise.most
      ? `${self.metadata.name} has ${live.length} pods, ${promise.most} are allowed`
      : undefined,
  ),
);
