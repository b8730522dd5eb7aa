import { invariant } from "../invariant.ts";
import { isAvailable, promised } from "../promises.ts";

/** A Deployment never takes more pods than `maxUnavailable` allows, beside those that it loses (O2). */
export const maxUnavailable = invariant("max-unavailable", () =>
  promised(({ self, live, promise, losses, state }) => {
    if (self.metadata.deletionTimestamp !== undefined) return undefined;
    const available = live.filter((one) => isAvailable(one, state)).length;
    return available < promise.fewest - losses
      ? `${self.metadata.name} has ${available} available pods, lost ${losses}, ${promise.fewest} are promised`
      : undefined;
  }),
);
