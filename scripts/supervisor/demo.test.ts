import { expect, test } from "vitest";
import { refusalOf } from "./demo.ts";

const refused = (...codes: number[]) =>
  refusalOf({
    ok: false,
    results: [{}, ...codes.map((code) => ({ status: { code, message: `says ${code}` } }))],
  });

test.each([
  [[404, 404], true],
  [[409], true],
  [[503, 429], true],
  [[404, 422], false],
  [[400], false],
])("a refusal of the demo with %j is tried again: %s", (codes, passing) => {
  expect(refused(...codes)).toMatchObject({ passing });
});

test("a refusal says why", () => {
  expect(refused(422).message).toBe("the demo was refused: says 422");
});
