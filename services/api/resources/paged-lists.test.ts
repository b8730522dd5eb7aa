import * as fc from "fast-check";
import { expect, test } from "vitest";
import { byKey, pagedLists, placeAfter } from "./paged-lists.ts";

const listOf = (count: number) =>
  Array.from({ length: count }, (_, nth) => ({ key: `k-${nth}`, value: nth, revision: nth }));

test("remembers a list by its prefix and revision", () => {
  const lists = pagedLists();
  const held = listOf(3);
  lists.put("pods.", 7, held);
  expect(lists.get("pods.", 7)).toBe(held);
  expect(lists.get("pods.", 8)).toBeUndefined();
  expect(lists.get("pods.home.", 7)).toBeUndefined();
});

test("forgets the list that nobody has asked for for longest", () => {
  const lists = pagedLists();
  for (let nth = 0; nth < 8; nth += 1) lists.put("pods.", nth, listOf(1));
  lists.get("pods.", 0);
  lists.put("pods.", 8, listOf(1));
  expect(lists.get("pods.", 0)).toHaveLength(1);
  expect(lists.get("pods.", 1)).toBeUndefined();
});

test("holds no more objects than it may, however many lists that is", () => {
  const lists = pagedLists();
  for (let nth = 0; nth < 5; nth += 1) lists.put("pods.", nth, listOf(150_000));
  expect([0, 1, 2, 3, 4].filter((nth) => lists.get("pods.", nth) !== undefined)).toEqual([3, 4]);
  lists.put("pods.", 5, listOf(400_001));
  expect(lists.get("pods.", 5)).toBeUndefined();
  expect(lists.get("pods.", 4)).toHaveLength(150_000);
});

test("finds the place after a key, whether that is there or not", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), fc.string(), (keys, key) => {
      const held = keys.map((one) => ({ key: one, value: 0, revision: 1 })).toSorted(byKey);
      const after = held.findIndex((one) => one.key > key);
      expect(placeAfter(held, key)).toBe(after < 0 ? held.length : after);
    }),
  );
});
