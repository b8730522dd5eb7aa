import * as z from "zod";
import { atomicList } from "../field.ts";
import { configKey, dnsLabel, envName, labelKeyFault } from "../names.ts";
import { problem, requireOneOf } from "../problem.ts";
import { quantity } from "../quantity.ts";

const optional = z.boolean().optional();
/** The name lies in a LocalObjectReference that JSON inlines. */
const referenceName = z
  .string()
  .default("")
  .meta({ proto: [1, 1] });

const podFields = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
  "metadata.labels",
  "metadata.annotations",
];

export const objectFieldSelector = z
  .strictObject({
    apiVersion: z.string().default("v1").meta({ proto: 1 }),
    fieldPath: z
      .string()
      .refine(isPodField, { error: ({ input }) => `Unsupported value: "${String(input)}"` })
      .meta({ proto: 2, description: "Path of a field of the pod, such as status.podIP." }),
  })
  .meta({ title: "core.v1.ObjectFieldSelector", "x-kubernetes-map-type": "atomic" });

function isPodField(path: string): boolean {
  const keyed = /^metadata\.(?:labels|annotations)\['(.+)'\]$/.exec(path)?.[1];
  return keyed === undefined ? podFields.includes(path) : labelKeyFault(keyed) === undefined;
}

export const resourceFieldSelector = z
  .strictObject({
    containerName: z.string().optional().meta({ proto: 1 }),
    resource: z
      .string()
      .regex(/^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/, {
        error: "Unsupported value: must be limits or requests of cpu, memory or ephemeral-storage",
      })
      .meta({ proto: 2 }),
    divisor: quantity.default("0").meta({ proto: 3 }),
  })
  .meta({ title: "core.v1.ResourceFieldSelector", "x-kubernetes-map-type": "atomic" });

const keySelector = (title: string) =>
  z
    .strictObject({
      name: referenceName,
      key: configKey.meta({ proto: 2 }),
      optional: optional.meta({ proto: 3 }),
    })
    .meta({ title, "x-kubernetes-map-type": "atomic" });

const envVarSource = z
  .strictObject({
    fieldRef: objectFieldSelector.optional().meta({ proto: 1 }),
    resourceFieldRef: resourceFieldSelector.optional().meta({ proto: 2 }),
    configMapKeyRef: keySelector("core.v1.ConfigMapKeySelector").optional().meta({ proto: 3 }),
    secretKeyRef: keySelector("core.v1.SecretKeySelector").optional().meta({ proto: 4 }),
    fileKeyRef: z
      .strictObject({
        volumeName: dnsLabel.meta({ proto: 1 }),
        path: z.string().min(1, "Required value").meta({ proto: 2 }),
        key: envName.meta({ proto: 3 }),
        optional: z.boolean().default(false).meta({ proto: 4 }),
      })
      .meta({ title: "core.v1.FileKeySelector", "x-kubernetes-map-type": "atomic" })
      .optional()
      .meta({ proto: 5, description: "A line of a file that the pod wrote." }),
  })
  .superRefine((source, context) =>
    requireOneOf(
      context,
      source,
      ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"],
      "one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
    ),
  )
  .meta({ title: "core.v1.EnvVarSource" });

export const envVar = z
  .strictObject({
    name: envName.meta({ proto: 1 }),
    value: z
      .string()
      .optional()
      .meta({ proto: 2, description: "$(NAME) is replaced by an earlier variable." }),
    valueFrom: envVarSource.optional().meta({ proto: 3 }),
  })
  .superRefine(({ value = "", valueFrom }, context) => {
    if (value === "" || valueFrom === undefined) return;
    const detail = "may not be specified when `value` is not empty";
    context.addIssue(problem("FieldValueInvalid", ["valueFrom"], detail));
  })
  .meta({ title: "core.v1.EnvVar" });

const envSource = (title: string) =>
  z.strictObject({ name: referenceName, optional: optional.meta({ proto: 2 }) }).meta({ title });

export const envFromSource = z
  .strictObject({
    prefix: z.string().optional().meta({ proto: 1 }),
    configMapRef: envSource("core.v1.ConfigMapEnvSource").optional().meta({ proto: 2 }),
    secretRef: envSource("core.v1.SecretEnvSource").optional().meta({ proto: 3 }),
  })
  .superRefine((source, context) =>
    requireOneOf(
      context,
      source,
      ["configMapRef", "secretRef"],
      "one of: `configMapRef` or `secretRef`",
    ),
  )
  .meta({ title: "core.v1.EnvFromSource" });

export const envFrom = z
  .array(envFromSource)
  .optional()
  .meta({ proto: 19, ...atomicList });
