import { describe, expect, test } from "vitest";
import { memoryBus, memoryNetwork } from "../../../libs/bus/memory.ts";
import type { ReportedMetric } from "../../../libs/protocol/reported-metrics.ts";
import { reportedMetricsSubject } from "../../../libs/protocol/subjects.ts";
import { usageMaxAgeMs } from "../../../libs/protocol/usage.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { listenToMetrics, reportedValues, seriesMax } from "./reported.ts";

const log = createLog("test", "silent");
const told = (
  metric: string,
  value: string,
  more: Partial<ReportedMetric> = {},
): ReportedMetric => ({ namespace: "default", metric, value, ...more });
const asked = (name: string, matchLabels?: Record<string, string>, namespace = "default") => ({
  namespace,
  name,
  selector: matchLabels && { matchLabels },
});
const main = { apiVersion: "networking.k8s.io/v1", kind: "Ingress", name: "main" };

function stage(heardForMs = 60_000) {
  const clock = virtualClock();
  return { clock, values: reportedValues({ clock, log }, () => heardForMs) };
}

describe("a metric that programs tell", () => {
  test("of nothing in particular is external: of all that is selected, the sum", async () => {
    const { clock, values } = stage();
    const [eu, us] = [{ region: "eu" }, { region: "us" }];
    values.hear({ metrics: [told("waiting", "1500m", { labels: eu })] });
    await clock.advance(1_000);
    values.hear({ metrics: [told("waiting", "4", { labels: us }), told("waiting", "9", main9)] });
    expect(values.external(asked("waiting"), "")).toEqual({
      known: true,
      milli: 5_500,
      ageMs: 1_000,
    });
    expect(values.external(asked("waiting", us), "")).toMatchObject({ milli: 4_000, ageMs: 0 });
    values.hear({ metrics: [told("waiting", "3", { labels: us })] });
    expect(values.external(asked("waiting", us), "")).toMatchObject({ milli: 3_000 });
  });

  test("of an object is that object's", () => {
    const { values } = stage();
    values.hear({ metrics: [told("hits", "120", { object: main })] });
    expect(values.object(asked("hits"), main)).toMatchObject({ known: true, milli: 120_000 });
    expect(values.object(asked("hits"), { kind: "Ingress", name: "main" })).toMatchObject({
      known: true,
    });
    for (const other of [
      { ...main, name: "other" },
      { ...main, kind: "Service" },
      { ...main, apiVersion: "v1" },
    ]) {
      expect(values.object(asked("hits"), other)).toMatchObject({ known: false });
    }
  });

  test("of pods is each pod's, its labels apart or together", () => {
    const { values } = stage();
    const get = { labels: { verb: "GET" } };
    values.hear({
      metrics: [
        told("rps", "10", { pod: "a", ...get }),
        told("rps", "5", { pod: "a", labels: { verb: "PUT" } }),
        told("rps", "7", { pod: "b", ...get }),
      ],
    });
    const milli = (matchLabels?: Record<string, string>) => {
      const found = values.pods(asked("rps", matchLabels));
      return found.known ? [...found.byPod].map(([pod, one]) => [pod, one.milli]) : [];
    };
    expect(milli()).toEqual([
      ["a", 15_000],
      ["b", 7_000],
    ]);
    expect(milli({ verb: "PUT" })).toEqual([["a", 5_000]]);
  });

  test("is of its namespace alone", () => {
    const { values } = stage();
    values.hear({ metrics: [told("waiting", "1")] });
    expect(values.external(asked("waiting", undefined, "team"), "")).toMatchObject({
      known: false,
      why: "unable to get external metric team/waiting: nobody tells it",
    });
  });

  test("is unknown when it was not told again for too long, and was never zero (N1)", async () => {
    const { clock, values } = stage();
    values.hear({ metrics: [told("waiting", "1")] });
    await clock.advance(usageMaxAgeMs);
    expect(values.external(asked("waiting"), "")).toMatchObject({ known: true });
    await clock.advance(1);
    expect(values.external(asked("waiting"), "")).toMatchObject({ known: false });
  });

  test("may have been told before this instance listened (N1)", () => {
    const { values } = stage(usageMaxAgeMs - 1);
    const unknown = { known: false, why: undefined };
    expect(values.external(asked("waiting"), "")).toEqual(unknown);
    expect(values.object(asked("hits"), main)).toEqual(unknown);
    expect(values.pods(asked("rps"))).toEqual(unknown);
  });

  test("is dropped beyond what is remembered, until others are forgotten", async () => {
    const { clock, values } = stage();
    const metrics = Array.from({ length: seriesMax }, (_, nth) =>
      told("waiting", "1", { labels: { nth: String(nth) } }),
    );
    values.hear({ metrics });
    values.hear({ metrics: [told("late", "1")] });
    expect(values.external(asked("late"), "")).toMatchObject({ known: false });
    await clock.advance(usageMaxAgeMs + 1);
    values.hear({ metrics: [told("late", "1")] });
    expect(values.external(asked("late"), "")).toMatchObject({ known: true });
  });
});

const main9 = { object: main };

test.each([
  ["a message as documented", { metrics: [told("waiting", "2")] }, true],
  ["a number", { metrics: [{ ...told("waiting", ""), value: 2 }] }, true],
  ["no quantity", { metrics: [told("waiting", "two")] }, false],
  ["another field", { metrics: [{ ...told("waiting", "2"), unit: "s" }] }, false],
  ["no list", { waiting: 2 }, false],
])("%s on the bus is heard: %s", async (_name, message, isHeard) => {
  const clock = virtualClock();
  const network = memoryNetwork();
  await using bus = memoryBus({ network, clock });
  await using program = memoryBus({ network, clock });
  const values = reportedValues({ clock, log }, () => 60_000);
  await using _listening = await listenToMetrics(bus, values, log);
  program.publish(reportedMetricsSubject, new TextEncoder().encode(JSON.stringify(message)));
  await clock.advance(1);
  expect(values.external(asked("waiting"), "").known).toBe(isHeard);
});
