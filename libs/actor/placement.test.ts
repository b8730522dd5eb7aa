import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { Member, Memberships } from "../store/memberships.ts";
import { createLog } from "../telemetry/log.ts";
import { virtualClock } from "../telemetry/virtual-clock.ts";
import { addressHash, type AddressHash, joinPlacement, ownerOf } from "./placement.ts";

let hash: AddressHash;
beforeAll(async () => {
  hash = await addressHash();
});

const addresses = Array.from({ length: 3_000 }, (_, nth) => `pods/default/web-${nth}`);
const log = createLog("test", "silent");

describe("rendezvous hashing", () => {
  test("moves only the addresses of the member that went", () => {
    const names = fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(names, fc.string(), ([gone = "", ...rest], address) => {
        const before = ownerOf(address, [gone, ...rest], hash);
        const after = ownerOf(address, rest, hash);
        expect(before === gone || before === after).toBe(true);
      }),
    );
  });

  test("does not depend on the order of the members", () => {
    const names = fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(names, fc.string(), (members, address) => {
        expect(ownerOf(address, members, hash)).toBe(ownerOf(address, members.toReversed(), hash));
      }),
    );
  });

  test("spreads evenly", () => {
    const members = ["controllers-a", "controllers-b", "controllers-c"];
    for (const member of members) {
      const share = addresses.filter((address) => ownerOf(address, members, hash) === member);
      expect(share.length).toBeGreaterThan(900);
      expect(share.length).toBeLessThan(1_100);
    }
  });
});

describe("a placement", () => {
  test("owns nothing after its stop, nor while its own lease is lost", async () => {
    const stop = new AbortController();
    const group = fakeGroup();
    const member = { id: "a", group: "controllers" };
    const { signal } = stop;
    const placement = await joinPlacement({
      memberships: group,
      member,
      clock: virtualClock(),
      log,
      signal,
    });
    let changes = 0;
    using _counted = placement.onChange(() => {
      changes += 1;
    });
    expect(addresses.every((address) => placement.owns(address))).toBe(true);
    group.set(["a", "b"]);
    const shared = addresses.filter((address) => placement.owns(address));
    expect(shared.length).toBeLessThan(addresses.length);
    group.set(["b"]);
    expect(addresses.some((address) => placement.owns(address))).toBe(false);
    group.set(["a"]);
    expect(changes).toBe(3);
    stop.abort();
    expect(addresses.some((address) => placement.owns(address))).toBe(false);
  });
});

function fakeGroup(): Memberships & { readonly set: (ids: readonly string[]) => void } {
  let tell: (members: readonly Member[]) => void = () => undefined;
  const set = (ids: readonly string[]) => tell(ids.map((id) => ({ id, group: "controllers" })));
  return {
    set,
    announce: async ({ id }) => set([id]),
    follow: async (_group, changed) => {
      tell = changed;
    },
  };
}
