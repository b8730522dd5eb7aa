import * as z from "zod";
import { metricTypes } from "./metric-spec.ts";
import { crossVersionObjectReference, metricIdentifier, metricValue } from "./metric-target.ts";

const current = metricValue;

/** What one metric was when it was last looked at. */
export const metricStatus = z
  .strictObject({
    /** Empty while nothing is known of the metric. */
    type: z.enum(["", ...metricTypes]).meta({ proto: 1 }),
    object: z
      .strictObject({
        metric: metricIdentifier.meta({ proto: 1 }),
        current: current.meta({ proto: 2 }),
        describedObject: crossVersionObjectReference.meta({ proto: 3 }),
      })
      .meta({ title: "autoscaling.v2.ObjectMetricStatus" })
      .optional()
      .meta({ proto: 2 }),
    pods: z
      .strictObject({
        metric: metricIdentifier.meta({ proto: 1 }),
        current: current.meta({ proto: 2 }),
      })
      .meta({ title: "autoscaling.v2.PodsMetricStatus" })
      .optional()
      .meta({ proto: 3 }),
    resource: z
      .strictObject({ name: z.string().meta({ proto: 1 }), current: current.meta({ proto: 2 }) })
      .meta({ title: "autoscaling.v2.ResourceMetricStatus" })
      .optional()
      .meta({ proto: 4 }),
    external: z
      .strictObject({
        metric: metricIdentifier.meta({ proto: 1 }),
        current: current.meta({ proto: 2 }),
      })
      .meta({ title: "autoscaling.v2.ExternalMetricStatus" })
      .optional()
      .meta({ proto: 5 }),
    containerResource: z
      .strictObject({
        name: z.string().meta({ proto: 1 }),
        current: current.meta({ proto: 2 }),
        container: z.string().meta({ proto: 3 }),
      })
      .meta({ title: "autoscaling.v2.ContainerResourceMetricStatus" })
      .optional()
      .meta({ proto: 7 }),
  })
  .meta({ title: "autoscaling.v2.MetricStatus" });
export type MetricStatus = z.output<typeof metricStatus>;
