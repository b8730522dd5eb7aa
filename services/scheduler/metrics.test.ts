import { expect, test } from "vitest";
import { schedulerMetrics } from "./metrics.ts";

test("what becomes of batches is counted, and how long they take, in seconds", async () => {
  const metrics = schedulerMetrics();
  metrics.ended({ bound: 3, refused: 1, again: 0, decidedMs: 40, committedMs: 60 });
  metrics.ended({ bound: 2, refused: 0, again: 4, decidedMs: 10, committedMs: 40 });
  metrics.caughtUp(20);
  const lines = (await metrics.text()).split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      'berth_scheduler_pods_total{end="bound"} 5',
      'berth_scheduler_pods_total{end="refused"} 1',
      'berth_scheduler_pods_total{end="again"} 4',
      "berth_scheduler_decide_seconds_sum 0.05",
      "berth_scheduler_decide_seconds_count 2",
      "berth_scheduler_commit_seconds_sum 0.1",
      "berth_scheduler_catch_up_seconds_sum 0.02",
    ]),
  );
});
