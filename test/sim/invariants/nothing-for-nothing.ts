import { isDeepStrictEqual } from "node:util";
import { prefixOf } from "../../../libs/cluster/key.ts";
import { ipAddress } from "../../../libs/model/kinds/ipaddress.ts";
import { invariant } from "../invariant.ts";

const follows = ["assign.", "alloc.", prefixOf(ipAddress)];

/** What follows from an object is written when it changes, and not for its status (S10). */
export const nothingForNothing = invariant(
  "nothing-for-nothing",
  () =>
    function* (state) {
      for (const [key, { before, after }] of state.changes) {
        if (!follows.some((prefix) => key.startsWith(prefix))) continue;
        if (before !== undefined && isDeepStrictEqual(before, after))
          yield `${key} is written as it was`;
      }
    },
);
