import { describe, expect, test } from "vitest";
import { timeOf } from "../../../../libs/model/time.ts";
import { anAutoscaler } from "../../autoscaler-fixture.ts";
import { start } from "../../fixtures.ts";
import { type Said, type Status, withConditions, worthWriting } from "./status.ts";

const { metrics } = anAutoscaler().spec; // 50 % of CPU.
const cpu = (averageUtilization: number) => ({
  type: "Resource" as const,
  resource: {
    name: "cpu",
    current: { averageUtilization, averageValue: `${averageUtilization}m` },
  },
});
const condition = (type: string, status: "True" | "False", reason: string) => ({
  type,
  status,
  reason,
  message: "",
  lastTransitionTime: timeOf(start),
});
const able = condition("AbleToScale", "True", "ReadyForNewScale");
const active = condition("ScalingActive", "True", "ValidMetricFound");
const free = condition("ScalingLimited", "False", "DesiredWithinRange");
const fine = [able, active, free];
const status = (more: Partial<Status> = {}): Status => ({
  observedGeneration: 1,
  currentReplicas: 2,
  desiredReplicas: 2,
  currentMetrics: [cpu(10)],
  conditions: fine,
  ...more,
});

describe("a status is written", () => {
  const limited = [able, active, condition("ScalingLimited", "True", "TooFewReplicas")];
  test.each<readonly [string, Status, number, boolean]>([
    ["not when nothing changed", status(), 60, false],
    [
      "not for a metric that moved by a tenth of its target",
      status({ currentMetrics: [cpu(15)] }),
      60,
      false,
    ],
    ["for a metric that moved by more", status({ currentMetrics: [cpu(16)] }), 60, true],
    ["but not so soon again", status({ currentMetrics: [cpu(90)] }), 14, false],
    ["for a metric that is unknown now", status({ currentMetrics: [{ type: "" }] }), 60, true],
    ["for limits that bind, not so soon again", status({ conditions: limited }), 14, false],
    ["for limits that bind, after a while", status({ conditions: limited }), 15, true],
    ["at once for another number", status({ desiredReplicas: 3 }), 0, true],
    ["at once for a spec that was seen", status({ observedGeneration: 2 }), 0, true],
    [
      "at once when it cannot go on",
      status({
        conditions: [able, condition("ScalingActive", "False", "Failed")],
      }),
      0,
      true,
    ],
  ])("%s", (_name, after, secondsAgo, written) => {
    const before = status();
    const now = start + 60_000;
    const shown = worthWriting(before, after, { metrics, shownAt: now - secondsAgo * 1_000, now });
    expect(shown.status).toBe(written ? after : before);
    expect(shown.shownAt === now).toBe(written || secondsAgo === 0);
  });

  test("little by little a metric moves far enough", () => {
    let held: Status | undefined = status();
    let writes = 0;
    for (let percent = 10; percent <= 40; percent += 1) {
      const after = status({ currentMetrics: [cpu(percent)] });
      const shown = worthWriting(held, after, { metrics, shownAt: 0, now: start });
      if (shown.status !== held) writes += 1;
      held = shown.status;
    }
    expect(writes).toBe(5);
  });
});

test("a condition keeps the time of its last change of status", () => {
  const said: Said[] = [
    { type: "AbleToScale", status: "True", reason: "Other", message: "" },
    { type: "ScalingActive", status: "False", reason: "Failed", message: "why" },
  ];
  const later = start + 5_000;
  expect(withConditions(fine, said, later)).toEqual([
    { ...said[0], lastTransitionTime: timeOf(start) },
    { ...said[1], lastTransitionTime: timeOf(later) },
    free,
  ]);
});
