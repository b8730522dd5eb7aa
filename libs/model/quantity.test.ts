import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonicalQuantity,
  compareQuantities,
  quantity,
  quantityMilli,
  quantityNumber,
  quantityValue,
} from "./quantity.ts";

test("a quantity as a number keeps its fraction, and is 0 when there is none", () => {
  expect(["250m", "64Mi", "1e3", undefined].map(quantityNumber)).toEqual([0.25, 2 ** 26, 1_000, 0]);
});

describe("a quantity", () => {
  test.each([
    ["0", "0"],
    ["0Mi", "0"],
    ["0.5", "500m"],
    [".5", "500m"],
    ["1.", "1"],
    ["+1", "1"],
    ["1.5Gi", "1536Mi"],
    ["1024Mi", "1Gi"],
    ["1000", "1k"],
    ["1500m", "1500m"],
    ["100m", "100m"],
    ["0.5Mi", "512Ki"],
    ["1023", "1023"],
    ["0.1Ki", "102400m"],
    ["1e3", "1e3"],
    ["9E", "9E"],
    ["1E3", "1e3"],
    ["1e-3", "1e-3"],
    ["-1500m", "-1500m"],
    ["0.0000000001", "1n"],
    ["99999999999999999999", "9223372036854775807"],
  ])("%s is canonically %s", (text, expected) => {
    expect(canonicalQuantity(text)).toBe(expected);
  });

  test.each(["", "Mi", "1.5.5", "1 Gi", "1GB", "0x10", "1e", "--1", "١"])("is not %j", (text) => {
    expect(quantity.safeParse(text).success).toBe(false);
    expect(() => canonicalQuantity(text)).toThrow(RangeError);
  });

  test("may be a number", () => {
    expect(quantity.parse(2)).toBe("2");
    expect(quantity.parse(0.25)).toBe("250m");
  });

  test.each([
    ["1.5", 2, 1_500],
    ["100m", 1, 100],
    ["1Ki", 1_024, 1_024_000],
    ["1u", 1, 1],
  ])("%s is %i units and %i thousandths, rounded up", (text, value, milli) => {
    expect(quantityValue(text)).toBe(value);
    expect(quantityMilli(text)).toBe(milli);
  });

  const suffix = fc.constantFrom("", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "e-2");
  const anyQuantity = fc
    .tuple(fc.integer({ min: 0, max: 99_999 }), fc.integer({ min: 0, max: 999 }), suffix)
    .map(([whole, fraction, unit]) => `${whole}.${fraction}${unit}`);

  test("stays the same when it is written canonically", () => {
    fc.assert(
      fc.property(anyQuantity, (text) => {
        const written = canonicalQuantity(text);
        expect(compareQuantities(written, text)).toBe(0);
        expect(canonicalQuantity(written)).toBe(written);
        expect(written).not.toContain(".");
      }),
    );
  });

  test("is ordered as its thousandths are", () => {
    fc.assert(
      fc.property(anyQuantity, anyQuantity, (a, b) => {
        const [less, more] = compareQuantities(a, b) <= 0 ? [a, b] : [b, a];
        expect(compareQuantities(more, less)).toBeGreaterThanOrEqual(0);
        expect(quantityMilli(less)).toBeLessThanOrEqual(quantityMilli(more));
      }),
    );
  });
});
