import { expect, test } from "vitest";
import { claimOf, type PodFacts } from "./claim.ts";
import { type Parked, queue } from "./queue.ts";

const parkedAs = (app: string, spec: Partial<PodFacts["spec"]> = {}): Parked => ({
  claim: claimOf({
    metadata: { name: app, namespace: "a", labels: { app } },
    spec: { containers: [], ...spec },
  }),
  home: "",
});

test("a change wakes the parked pods that it concerns, and no others", () => {
  const pods = queue();
  for (const app of ["db", "web"]) pods.park(`a/${app}`, parkedAs(app));
  pods.park("b/db", parkedAs("db"));
  const asked: string[] = [];
  pods.unpark(({ claim }) => {
    asked.push(claim.address);
    return claim.labels["app"] === "db";
  });
  expect(asked).toEqual(["a/db", "a/web"]); // Pods that are alike are one question.
  expect(pods.take(9)).toEqual(["a/db", "b/db"]);
  expect(pods.parked).toBe(1);
  pods.unpark(() => true);
  expect(pods.take(9)).toEqual(["a/web"]);
  expect(pods.waiting).toBe(0);
});

test("the higher priority is taken first, and of equals the one that came first", () => {
  const pods = queue();
  pods.add("low-1", 0);
  pods.add("high", 7);
  pods.add("low-2", 0);
  pods.add("low-1", 0);
  expect(pods.take(2)).toEqual(["high", "low-1"]);
  pods.add("lowest", -1);
  pods.add("low-2", 9);
  expect(pods.take(9)).toEqual(["low-2", "lowest"]);
});

test("what is removed waits no more, parked or not", () => {
  const pods = queue();
  pods.add("a/web", 0);
  pods.park("a/db", parkedAs("db"));
  pods.remove("a/web");
  pods.remove("a/db");
  pods.unpark(() => true);
  expect([pods.waiting, pods.parked, pods.take(9)]).toEqual([0, 0, []]);
});
