import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LbSnapshot } from "../../../libs/protocol/lb.ts";
import { serviceDigest } from "../../../libs/protocol/service-digest.ts";
import { rawService } from "../fixtures.ts";
import { known, restored } from "./known.ts";

const names = ["a", "b", "c"];
const keyOf = (name: string) => `services.default.${name}`;
type Write = { readonly revision: number; readonly name: string; readonly deleted: boolean };

/** What is true after `writes`. */
function truth(writes: readonly Write[], cut = writes.length): LbSnapshot {
  const newest = new Map(writes.slice(0, cut).map((write) => [write.name, write]));
  const live = [...newest.values()].filter(({ deleted }) => !deleted);
  return {
    cut,
    services: live.map(({ name, revision }) => ({ revision, object: rawService(name) })),
    slices: [],
    nodes: [],
  };
}
const hintOf = ({ name, revision, deleted }: Write) => ({
  key: keyOf(name),
  revision,
  deleted,
  object: rawService(name),
});
function digestOf({ services }: LbSnapshot): string {
  const digest = serviceDigest();
  for (const { object, revision } of services) {
    digest.toggle(keyOf((object as ReturnType<typeof rawService>).metadata.name), revision);
  }
  return digest.text();
}

const histories = fc
  .array(fc.record({ name: fc.constantFrom(...names), deleted: fc.boolean() }), { maxLength: 20 })
  .map((writes) => writes.map((write, nth): Write => ({ ...write, revision: nth + 1 })));

describe("what an lb knows", () => {
  test("is the truth once all hints have come, in whatever order and however often", () => {
    fc.assert(
      fc.property(histories, fc.array(fc.nat(), { maxLength: 40 }), (writes, picks) => {
        const state = known();
        state.sync(truth([], 0));
        const mixed = picks.flatMap((pick) => writes[pick % Math.max(writes.length, 1)] ?? []);
        for (const write of [...mixed, ...writes]) state.hint(hintOf(write));
        expect(state.now()).toMatchObject({
          revision: writes.length,
          digest: digestOf(truth(writes)),
        });
      }),
    );
  });

  test("is the truth after a snapshot, whatever hints were lost and whenever it was made", () => {
    fc.assert(
      fc.property(histories, fc.nat(20), fc.array(fc.boolean()), (writes, at, heard) => {
        const state = known();
        const cut = Math.min(at, writes.length);
        const before = writes.slice(0, cut).filter((_, nth) => heard[nth]);
        const during = writes.slice(cut);
        for (const write of [...before, ...during]) state.hint(hintOf(write));
        state.sync(truth(writes, cut)); // Made before `during` happened, here after their hints.
        expect(state.now().digest).toBe(digestOf(truth(writes)));
      }),
    );
  });

  test("does not raise the dead by a hint that comes after the snapshot that left it out", () => {
    const state = known();
    state.sync(truth([], 9));
    expect(state.hint(hintOf({ name: "a", revision: 5, deleted: false }))).toBe(false);
    expect(state.now().services).toEqual([]);
  });

  test("shows by its digest that a hint was lost before a later one", () => {
    const state = known();
    state.sync(truth([], 0));
    const writes = names.map((name, nth): Write => ({ name, revision: nth + 1, deleted: false }));
    for (const write of writes.filter(({ name }) => name !== "b")) state.hint(hintOf(write));
    expect(state.now().revision).toBe(3);
    expect(state.now().digest).not.toBe(digestOf(truth(writes)));
  });

  test("counts for nothing before the first sync, and when it comes from the disk (N6)", () => {
    const state = known();
    state.hint(hintOf({ name: "a", revision: 5, deleted: false }));
    expect(state.now().revision).toBe(0);
    state.sync(truth([{ name: "a", revision: 5, deleted: false }]));
    const kept = restored(JSON.parse(JSON.stringify(state.saved())));
    expect(kept).toMatchObject({ revision: 0, services: [{ metadata: { name: "a" } }] });
    expect(restored({ something: "else" })).toBeUndefined();
  });

  test("keeps the revision of an object that it cannot read, and routes nothing by it", () => {
    const state = known();
    state.sync(truth([], 0));
    state.hint({ key: keyOf("a"), revision: 4, deleted: false, object: { spec: 7 } });
    expect(state.now()).toMatchObject({ revision: 4, services: [] });
  });
});
