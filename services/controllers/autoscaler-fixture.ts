/** A HorizontalPodAutoscaler for tests, through its kind's schema. */
import { parse } from "../../libs/model/errors.ts";
import {
  horizontalPodAutoscaler,
  type HorizontalPodAutoscaler,
} from "../../libs/model/kinds/horizontalpodautoscaler.ts";
import { timeOf } from "../../libs/model/time.ts";
import { start } from "./fixtures.ts";

/** Of the Deployment `web`; by 50 % of CPU unless `spec` says otherwise. */
export const anAutoscaler = (
  spec: Readonly<Record<string, unknown>> = {},
  more: { readonly status?: object; readonly metadata?: object } = {},
): HorizontalPodAutoscaler =>
  parse(horizontalPodAutoscaler, {
    metadata: {
      name: "web",
      namespace: "default",
      uid: "hpa1",
      generation: 1,
      creationTimestamp: timeOf(start),
      ...more.metadata,
    },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      maxReplicas: 10,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
      ...spec,
    },
    ...(more.status !== undefined && { status: more.status }),
  });
