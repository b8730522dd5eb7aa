import { describe, expect, test } from "vitest";
import { mailbox } from "./mailbox.ts";

const namesTaken = (box: ReturnType<typeof mailbox>, count: number) =>
  Array.from({ length: count }, () => box.take()?.name);

describe("a mailbox", () => {
  test("makes one turn of many messages", () => {
    const box = mailbox(["a"]);
    for (let nth = 0; nth < 3; nth += 1) box.put("a", "x", 0);
    expect(namesTaken(box, 2)).toEqual(["x", undefined]);
  });

  test("gives another turn for messages that came during one, after it", () => {
    const box = mailbox(["a"]);
    box.put("a", "x", 0);
    box.take();
    box.put("a", "x", 0);
    box.put("a", "x", 0);
    expect(box.take()).toBeUndefined();
    box.done("a", "x");
    expect(namesTaken(box, 2)).toEqual(["x", undefined]);
    box.done("a", "x");
    expect(box.take()).toBeUndefined();
  });

  test("lets kinds take turns, and each keep its order", () => {
    const box = mailbox(["many", "few"]);
    for (const name of ["m1", "m2", "m3", "m4"]) box.put("many", name, 0);
    box.put("few", "f1", 0);
    expect(namesTaken(box, 5)).toEqual(["m1", "f1", "m2", "m3", "m4"]);
  });

  test("says since when each waits, and how many of each kind do", () => {
    const box = mailbox(["a", "b"]);
    box.put("a", "x", 10);
    box.put("a", "x", 20);
    expect(box.take()).toEqual({ kind: "a", name: "x", sinceMs: 10 });
    box.put("a", "x", 30);
    box.put("a", "x", 40);
    expect(box.depths()).toEqual(
      new Map([
        ["a", 0],
        ["b", 0],
      ]),
    );
    box.done("a", "x");
    expect(box.depths()).toEqual(
      new Map([
        ["a", 1],
        ["b", 0],
      ]),
    );
    expect(box.take()).toEqual({ kind: "a", name: "x", sinceMs: 30 });
  });

  test("forgets what waits when it is cleared", () => {
    const box = mailbox(["a"]);
    box.put("a", "x", 0);
    box.take();
    box.put("a", "x", 0);
    box.put("a", "y", 0);
    box.clear();
    box.done("a", "x");
    expect([box.take(), box.waiting]).toEqual([undefined, 0]);
  });
});
