import * as z from "zod";
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { selectorText } from "../../../libs/model/label-selector.ts";
import { isRecord } from "../patch/record.ts";

/** autoscaling/v1 Scale of what has `spec.replicas`. */
export function scaleOf({ metadata, spec, status }: AnyObject): AnyObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const selector = spec?.["selector"];
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec?.["replicas"] ?? 0 },
    status: {
      replicas: status?.["replicas"] ?? 0,
      // Parsed as its kind, whose selector it is.
      ...(isRecord(selector) && { selector: selectorText(selector) }),
    },
  };
}

const scale = z.object({
  metadata: z.object({ resourceVersion: z.string().optional() }).optional(),
  spec: z.object({ replicas: z.int().min(0).default(0) }).default({ replicas: 0 }),
});

/** @throws {ApiError} Invalid */
export function parseScale(input: unknown): z.output<typeof scale> {
  const parsed = scale.safeParse(input);
  if (parsed.success) return parsed.data;
  const message = "Invalid value: must be an integer, greater than or equal to 0";
  const cause = { reason: "FieldValueInvalid", field: "spec.replicas", message };
  throw new ApiError("Invalid", `Scale is invalid: spec.replicas: ${message}`, { causes: [cause] });
}
