import { expect, test } from "vitest";
import { lostOf } from "./acknowledged-writes.ts";

const list = (counts: Readonly<Record<string, string>>) =>
  JSON.stringify({
    items: Object.entries(counts).map(([name, count]) => ({ metadata: { name }, data: { count } })),
  });

test("names what was acknowledged and is not there, or is older", () => {
  const counts = new Map([
    ["a", 3],
    ["b", 3],
    ["c", 3],
  ]);
  const acknowledged = { made: ["made-1", "made-2"], counts, unanswered: 0 };
  const there = list({ "made-1": "1", a: "3", b: "2", c: "4" });
  expect(lostOf(acknowledged, there)).toEqual(["made-2", "b"]);
});
