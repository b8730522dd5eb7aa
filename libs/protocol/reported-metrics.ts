/**
 * Numbers that programs tell the cluster, for autoscalers: plain messages on `berth.metrics`. Nobody
 * answers, none is kept on disk, every controllers instance hears them all. One that is not told again
 * is unknown after `usageMaxAgeMs` (N1).
 */
import * as z from "zod";
import { quantity } from "../model/quantity.ts";

/** A message with more is refused as a whole. */
export const metricsMax = 1_000;

const name = z.string().min(1).max(253);

const reportedMetric = z.strictObject({
  namespace: name,
  metric: name,
  /** A Kubernetes quantity: `"120"`, `"1500m"`, or a number. */
  value: z.preprocess((value) => (typeof value === "number" ? String(value) : value), quantity),
  /** What a metric's `selector` selects by. */
  labels: z.record(z.string().max(317), z.string().max(63)).optional(),
  /** Of that pod: a metric of type Pods. */
  pod: name.optional(),
  /** Of that object: a metric of type Object. With neither: of type External. */
  object: z
    .strictObject({ apiVersion: z.string().max(317).optional(), kind: name, name })
    .optional(),
});
export type ReportedMetric = z.output<typeof reportedMetric>;

export const reportedMetrics = z.strictObject({
  metrics: z.array(reportedMetric).max(metricsMax),
});
export type ReportedMetrics = z.output<typeof reportedMetrics>;
