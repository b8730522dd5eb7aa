import { expect, test } from "vitest";
import { benchGroupCommit } from "../../bench/store/group-commit.ts";

test("the store's benchmark runs", async () => {
  const results = await benchGroupCommit({ writers: 4, seconds: 0.2, runs: 1 });
  expect(results.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["group-commit", "individual-puts"]),
  );
  for (const { perSecond } of results) expect(perSecond[0]).toBeGreaterThan(0);
});
