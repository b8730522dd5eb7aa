import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  below,
  firstMissing,
  hasIndex,
  indexesText,
  noIndexes,
  parseIndexes,
  sizeInBoth,
  sizeOf,
  union,
  withIndexes,
} from "./indexes.ts";

const some = fc.uniqueArray(fc.nat(40), { maxLength: 25 });
const of = (numbers: readonly number[]) => withIndexes(noIndexes, numbers);
const upTo = (limit: number) => Array.from({ length: limit }, (_, index) => index);

describe("completion indexes", () => {
  test.each([
    ["", []],
    ["3", [[3, 3]]],
    ["0,1", [[0, 1]]],
    ["1,3-5,7", [[1, 1], [3, 5], [7, 7]]], // prettier-ignore
  ])("reads %s", (text, ranges) => {
    expect(parseIndexes(text)).toEqual(ranges);
    expect(indexesText(parseIndexes(text) ?? [])).toBe(text);
  });

  test.each(["a", "1-", "3,1", "1,1", "5-3", "4-4", "1,,2", " 1"])("refuses %j", (text) => {
    expect(parseIndexes(text)).toBeUndefined();
  });

  test("does what a set does", () => {
    fc.assert(
      fc.property(some, some, fc.nat(45), fc.nat(10), (left, right, limit, count) => {
        const [a, b] = [of(left), of(right)];
        expect(upTo(42).filter((index) => hasIndex(a, index))).toEqual(left.toSorted(byValue));
        expect(parseIndexes(indexesText(a))).toEqual(a);
        expect(sizeOf(a)).toBe(left.length);
        expect(union(a, b)).toEqual(of([...left, ...right]));
        expect(sizeInBoth(a, b)).toBe(left.filter((index) => right.includes(index)).length);
        expect(below(a, limit)).toEqual(of(left.filter((index) => index < limit)));
        expect(firstMissing(a, limit, count)).toEqual(
          upTo(limit)
            .filter((index) => !left.includes(index))
            .slice(0, count),
        );
      }),
    );
  });
});

const byValue = (a: number, b: number) => a - b;
