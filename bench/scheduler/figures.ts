/** What the schedulers did, summed over the instances, from their metrics. */
import * as z from "zod";
import type { Bus } from "../../libs/bus/bus.ts";
import { schedulerMetricsSubject } from "../../libs/protocol/subjects.ts";

const names = {
  bound: 'pods_total{end="bound"}',
  refused: 'pods_total{end="refused"}',
  again: 'pods_total{end="again"}',
  batches: "decide_seconds_count",
  decideSeconds: "decide_seconds_sum",
  commitSeconds: "commit_seconds_sum",
  catchUpSeconds: "catch_up_seconds_sum",
} as const;
export type SchedulerFigures = { readonly [Name in keyof typeof names]: number };

const answer = z.array(z.object({ metrics: z.string() }));

export async function schedulerFigures(bus: Pick<Bus, "request">): Promise<SchedulerFigures> {
  const reply = await bus.request(schedulerMetricsSubject, new Uint8Array());
  const lines = answer
    .parse(JSON.parse(new TextDecoder().decode(reply)))
    .flatMap(({ metrics }) => metrics.split("\n"));
  return figuresOf((name) => {
    const start = `berth_scheduler_${names[name]} `;
    return lines
      .filter((line) => line.startsWith(start))
      .reduce((sum, line) => sum + Number(line.slice(start.length)), 0);
  });
}

export const figuresSince = (before: SchedulerFigures, after: SchedulerFigures): SchedulerFigures =>
  figuresOf((name) => after[name] - before[name]);

function figuresOf(value: (name: keyof SchedulerFigures) => number): SchedulerFigures {
  return {
    bound: value("bound"),
    refused: value("refused"),
    again: value("again"),
    batches: value("batches"),
    decideSeconds: value("decideSeconds"),
    commitSeconds: value("commitSeconds"),
    catchUpSeconds: value("catchUpSeconds"),
  };
}
