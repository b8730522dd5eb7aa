import { expect, test } from "vitest";
import { consistentReads } from "./consistent-read.ts";
import { oneAtATime } from "./one-at-a-time.ts";

test("reads that wait share one question, asked after they began", async () => {
  const asked: PromiseWithResolvers<number>[] = [];
  const reached: number[] = [];
  const read = consistentReads(
    {
      lastRevision: () => {
        const question = Promise.withResolvers<number>();
        asked.push(question);
        return question.promise;
      },
      isLast: async () => false,
    },
    { caughtUp: async (revision) => void reached.push(revision), revision: 0 },
  );
  const first = read();
  const [second, third] = [read(), read()];
  await Promise.resolve();
  expect(asked).toHaveLength(1); // It may have been answered before the second's own write.
  asked[0]?.resolve(1);
  await first;
  expect(asked).toHaveLength(2);
  asked[1]?.resolve(2);
  await Promise.all([second, third]);
  expect(reached).toEqual([1, 2, 2].slice(0, reached.length));
  expect(asked).toHaveLength(2);
});

test("while nothing is on its way the quicker question does", async () => {
  let [stored, quick, full] = [7, 0, 0];
  const replica = { revision: 7, caughtUp: async (to: number) => void (replica.revision = to) };
  const read = consistentReads(
    {
      async isLast(revision) {
        quick += 1;
        return stored <= revision;
      },
      async lastRevision() {
        full += 1;
        return stored;
      },
    },
    replica,
  );
  await read();
  expect([quick, full]).toEqual([1, 0]);
  stored = 9;
  await read();
  expect([replica.revision, quick, full]).toEqual([9, 2, 1]);
  stored = 10;
  await read(); // What is under way is likely followed by more: it asks once.
  expect([replica.revision, quick, full]).toEqual([10, 2, 2]);
  await read();
  await read();
  expect([quick, full]).toEqual([3, 3]);
});

test("a question that fails is asked anew by the next reader", async () => {
  let calls = 0;
  const lastRevision = async () => {
    calls += 1;
    if (calls === 1) throw new Error("down");
    return 7;
  };
  const read = consistentReads(
    { lastRevision, isLast: async () => false },
    { caughtUp: async () => undefined, revision: 0 },
  );
  await expect(read()).rejects.toThrow("down");
  await read();
  expect(calls).toBe(2);
});

test("what concerns one key runs one after the other, a failure stops none", async () => {
  const { inTurn: run, waits } = oneAtATime();
  const order: string[] = [];
  const step = (name: string) => async () => {
    order.push(`${name} begins`);
    await Promise.resolve();
    order.push(`${name} ends`);
    if (name === "a") throw new Error("a");
  };
  const all = [run("k", step("a")), run("k", step("b")), run("other", step("c"))];
  expect(waits("k")).toBe(true);
  await Promise.allSettled(all);
  expect(waits("k")).toBe(false);
  expect(order.indexOf("b begins")).toBeGreaterThan(order.indexOf("a ends"));
  expect(order.indexOf("c begins")).toBeLessThan(order.indexOf("b begins"));
});
