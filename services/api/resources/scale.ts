import * as z from "zod";
import type { AnyObject } from "../../../libs/admission/context.ts";
import { readPath, withPath } from "../../../libs/model/custom/scale.ts";
import { ApiError, parse } from "../../../libs/model/errors.ts";
import { count } from "../../../libs/model/field.ts";
import { defineKind, type Kind } from "../../../libs/model/kind.ts";
import { labelsText, selectorText } from "../../../libs/model/label-selector.ts";
import { gvkOf } from "../../../libs/webhooks/request.ts";
import { isRecord } from "../patch/record.ts";
import type { AskedPart } from "./asked.ts";
import type { Target } from "./backend.ts";
import { ofKind, placed } from "./change.ts";
import { validateFields, type ValidateOptions } from "./field-validation.ts";

/** autoscaling/v1 Scale: a part of other kinds' objects, never stored. */
export const scaleKind = defineKind({
  group: "autoscaling",
  version: "v1",
  kind: "Scale",
  plural: "scales",
  namespaced: true,
  spec: z
    .strictObject({ replicas: count.default(0).meta({ proto: 1 }) })
    .prefault({})
    .meta({ title: "autoscaling.v1.ScaleSpec" }),
  status: z
    .strictObject({
      replicas: count.default(0).meta({ proto: 1 }),
      selector: z.string().optional().meta({ proto: 2 }),
    })
    .meta({ title: "autoscaling.v1.ScaleStatus" }),
  columns: [],
});

/** The Scale of what has `spec.replicas`, or has them where its definition says. */
export function scaleOf(object: AnyObject, { custom }: Pick<Kind, "custom">): AnyObject {
  const { metadata, spec, status } = object;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const selector = spec?.["selector"];
  const paths = custom?.scale;
  if (paths !== undefined) {
    const { specReplicasPath, statusReplicasPath, labelSelectorPath = "" } = paths;
    const replicas = readPath(object, specReplicasPath);
    if (typeof replicas !== "number") {
      throw new ApiError(
        "InternalError",
        `the spec replicas field ${JSON.stringify(specReplicasPath)} does not exist`,
      );
    }
    const now = readPath(object, statusReplicasPath);
    const text = labelSelectorPath === "" ? undefined : readPath(object, labelSelectorPath);
    return {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
      spec: { replicas },
      status: {
        replicas: typeof now === "number" ? now : 0,
        ...(typeof text === "string" && text !== "" && { selector: text }),
      },
    };
  }
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec?.["replicas"] ?? 0 },
    status: {
      replicas: status?.["replicas"] ?? 0,
      // Parsed as its kind, whose selector it is.
      ...(isRecord(selector) && { selector: textOf(selector) }),
    },
  };
}

/**
 * What a Scale that a client sent says.
 *
 * @throws {ApiError} BadRequest, Invalid
 */
export function parseScale(
  given: unknown,
  target: Pick<Target, "namespace" | "name">,
  options: ValidateOptions,
): {
  readonly replicas: number;
  readonly resourceVersion: string | undefined;
  readonly warnings: readonly string[];
} {
  const { input, warnings } = validateFields(scaleKind, ofKind(scaleKind, given), options);
  const { spec, metadata } = parse(scaleKind, placed(input, target));
  return { replicas: spec.replicas, resourceVersion: metadata.resourceVersion, warnings };
}

export const withReplicas = (
  object: AnyObject,
  replicas: number,
  { custom }: Pick<Kind, "custom">,
): AnyObject =>
  custom?.scale === undefined
    ? { ...object, spec: { ...object.spec, replicas } }
    : withPath(object, custom.scale.specReplicasPath, replicas);

/** A scale, as webhooks are asked about it. */
export const askedScale = (target: Target): AskedPart => ({
  subresource: "scale",
  body: gvkOf(scaleKind),
  show: (object) => scaleOf(object, target.kind),
  take: (body, object) =>
    withReplicas(
      object,
      parseScale(body, target, { mode: "Ignore", sent: "object" }).replicas,
      target.kind,
    ),
});

/** A ReplicationController's selector is a plain map of labels. */
function textOf(selector: Readonly<Record<string, unknown>>): string {
  const plain = labels.safeParse(selector);
  return plain.success ? labelsText(plain.data) : selectorText(selector);
}

const labels = z.record(z.string(), z.string());
