import * as fc from "fast-check";
import { expect, test } from "vitest";
import { longText, sliceBytes } from "./long-text.ts";

const bytesOf = (text: ReturnType<typeof longText>) =>
  Buffer.concat([...text.slices()].map(({ bytes }) => bytes));

test("is the same bytes as the text whole, of any characters", () => {
  const item = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("x".repeat(sliceBytes), "é".repeat(sliceBytes / 2 + 1), "x".repeat(200_000)),
  );
  fc.assert(
    fc.property(fc.string(), fc.array(item, { maxLength: 8 }), fc.string(), (head, items, tail) => {
      const text = longText(head, items, tail);
      const whole = Buffer.from(`${head}${items.join(",")}${tail}`);
      expect(String(text)).toBe(`${head}${items.join(",")}${tail}`);
      expect(bytesOf(text).equals(whole)).toBe(true);
      expect(text.byteLength).toBe(whole.byteLength);
    }),
    { numRuns: 50 },
  );
});

test("comes in slices of a bounded size", () => {
  const items = Array.from({ length: 2_000 }, (_, nth) => `${nth}`.padEnd(1_000));
  const sizes = [...longText("[", items, "]").slices()].map(({ bytes }) => bytes.byteLength);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(sliceBytes);
  expect(sizes.length).toBeLessThan(12);
});

test("a slice that is freed becomes another's, and no other does", () => {
  const items = Array.from({ length: 400 }, (_, nth) => `${nth}`.padEnd(1_000));
  const [first, second] = [...longText("", items, "").slices()];
  first?.free();
  const [again] = longText("", ["other"], "").slices();
  expect(again?.bytes.buffer).toBe(first?.bytes.buffer);
  expect(Buffer.from(second?.bytes ?? []).toString()).toContain("399".padEnd(1_000));
});
