import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anAssignment } from "../agent-fixture.ts";
import { known } from "./known.ts";

const hint = (name: string, revision: number, deleted = false) => ({
  key: `default/${name}`,
  revision,
  deleted,
  value: anAssignment(name, {}, { annotations: { at: String(revision) } }),
});

describe("what an agent knows", () => {
  test("a late hint changes nothing", () => {
    const state = known();
    expect(state.hint(hint("a", 5), 0)).toBe(true);
    expect(state.hint(hint("a", 4), 0)).toBe(false);
    state.hint(hint("a", 6, true), 0);
    expect(state.hint(hint("a", 5), 0)).toBe(false);
    expect(state.held()).toEqual([]);
  });

  test("absence counts only at a cut as new as what was applied (N3)", () => {
    const state = known();
    state.hint(hint("a", 5), 0);
    expect(state.sync({ cut: 4, assignments: [] }, 0)).toBe(false);
    expect(state.held()).toHaveLength(1);
    expect(state.sync({ cut: 5, assignments: [] }, 0)).toBe(true);
    expect(state.held()).toEqual([]);
  });

  test("what is on disk proves nothing, and gives way to what is newer", () => {
    const before = known();
    before.hint(hint("a", 5), 7);
    const state = known();
    state.restore(JSON.parse(JSON.stringify(before.saved())));
    expect(state.held()).toMatchObject([{ revision: 5, startTime: 7 }]);
    expect(state.applied()).toBe(0);
  });

  test("whatever the order of hints and snapshots, the newest of each pod is held", () => {
    const writes = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.boolean()), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(writes, fc.infiniteStream(fc.nat()), (list, order) => {
        const hints = list.map(([name, deleted], nth) => hint(name, nth + 1, deleted));
        const state = known();
        const shuffled = hints
          .map((one) => ({ one, at: order.next().value ?? 0 }))
          .toSorted((x, y) => x.at - y.at);
        for (const { one } of shuffled) state.hint(one, 0);
        const newest = new Map(hints.map((one) => [one.key, one]));
        const wanted = [...newest.values()]
          .filter(({ deleted }) => !deleted)
          .map(({ revision }) => revision);
        expect(new Set(state.held().map(({ revision }) => revision))).toEqual(new Set(wanted));
        expect(state.applied()).toBe(list.length);
      }),
    );
  });
});
