import { expect, test } from "vitest";
import { singleFlight } from "./single-flight.ts";

test("one runs at a time, the next begins when it has ended, and a failure is told", async () => {
  const failures: unknown[] = [];
  const flight = singleFlight((error) => failures.push(error));
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let runs = 0;
  const begin = (gate: Promise<void>) =>
    flight.start(async () => {
      runs += 1;
      await gate;
    });
  begin(first.promise);
  begin(second.promise);
  expect(runs).toBe(1);
  first.reject(new Error("no"));
  await flight[Symbol.asyncDispose]();
  expect(failures).toEqual([new Error("no")]);
  begin(second.promise);
  expect(runs).toBe(2);
  second.resolve();
  await flight[Symbol.asyncDispose]();
});
