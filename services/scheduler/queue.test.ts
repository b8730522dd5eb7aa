import { expect, test } from "vitest";
import { queue } from "./queue.ts";

test("a change wakes the parked pods that it concerns, and no others", () => {
  const pods = queue();
  for (const address of ["a/db", "a/web", "b/db"]) pods.park(address);
  pods.unpark((address) => address.endsWith("/db"));
  expect(pods.take(9)).toEqual(["a/db", "b/db"]);
  expect(pods.parked).toBe(1);
  pods.unpark();
  expect(pods.take(9)).toEqual(["a/web"]);
});
