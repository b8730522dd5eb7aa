import * as z from "zod";
import { conditionStatus } from "../condition.ts";
import { definitionFaults, definitionUpdateFaults } from "../custom/definition-faults.ts";
import { jsonSchema } from "../extensions/json-schema.ts";
import { atomicList, int32, int64, mapBy } from "../field.ts";
import { defineKind, nameAndCreation, type ObjectOf } from "../kind.ts";
import { time } from "../time.ts";
import { webhookClientConfig } from "../webhooks/client-config.ts";

const names = z
  .strictObject({
    plural: z.string().meta({ proto: 1, description: "As in its URLs: lower case." }),
    singular: z.string().optional().meta({ proto: 2 }),
    shortNames: z
      .array(z.string())
      .optional()
      .meta({ proto: 3, ...atomicList }),
    kind: z.string().meta({ proto: 4 }),
    listKind: z.string().optional().meta({ proto: 5 }),
    categories: z
      .array(z.string())
      .optional()
      .meta({ proto: 6, ...atomicList }),
  })
  .meta({ title: "apiextensions.v1.CustomResourceDefinitionNames" });

const column = z
  .strictObject({
    name: z.string().meta({ proto: 1 }),
    type: z.string().meta({ proto: 2 }),
    format: z.string().optional().meta({ proto: 3 }),
    description: z.string().optional().meta({ proto: 4 }),
    priority: int32.optional().meta({ proto: 5, description: "Above 0: with -o wide only." }),
    jsonPath: z.string().meta({ proto: 6 }),
  })
  .meta({ title: "apiextensions.v1.CustomResourceColumnDefinition" });

const scale = z
  .strictObject({
    specReplicasPath: z.string().meta({ proto: 1 }),
    statusReplicasPath: z.string().meta({ proto: 2 }),
    labelSelectorPath: z.string().optional().meta({ proto: 3 }),
  })
  .meta({ title: "apiextensions.v1.CustomResourceSubresourceScale" });

const subresources = z
  .strictObject({
    status: z
      .strictObject({})
      .meta({ title: "apiextensions.v1.CustomResourceSubresourceStatus" })
      .optional()
      .meta({ proto: 1 }),
    scale: scale.optional().meta({ proto: 2 }),
  })
  .meta({ title: "apiextensions.v1.CustomResourceSubresources" });

const version = z
  .strictObject({
    name: z.string().meta({ proto: 1 }),
    served: z.boolean().meta({ proto: 2 }),
    storage: z.boolean().meta({ proto: 3, description: "Of exactly one version." }),
    deprecated: z.boolean().optional().meta({ proto: 7 }),
    deprecationWarning: z.string().optional().meta({ proto: 8 }),
    schema: z
      .strictObject({ openAPIV3Schema: jsonSchema.optional().meta({ proto: 1 }) })
      .meta({ title: "apiextensions.v1.CustomResourceValidation" })
      .optional()
      .meta({ proto: 4 }),
    subresources: subresources.optional().meta({ proto: 5 }),
    additionalPrinterColumns: z
      .array(column)
      .optional()
      .meta({ proto: 6, ...atomicList }),
    selectableFields: z
      .array(
        z
          .strictObject({ jsonPath: z.string().meta({ proto: 1 }) })
          .meta({ title: "apiextensions.v1.SelectableField" }),
      )
      .optional()
      .meta({ proto: 9, ...atomicList }),
  })
  .meta({ title: "apiextensions.v1.CustomResourceDefinitionVersion" });

const conversion = z
  .strictObject({
    strategy: z.enum(["None", "Webhook"]).meta({ proto: 1 }),
    webhook: z
      .strictObject({
        clientConfig: webhookClientConfig("apiextensions").optional().meta({ proto: 2 }),
        conversionReviewVersions: z.array(z.string()).meta({ proto: 3, ...atomicList }),
      })
      .meta({ title: "apiextensions.v1.WebhookConversion" })
      .optional()
      .meta({ proto: 2 }),
  })
  .meta({ title: "apiextensions.v1.CustomResourceConversion" });

const spec = z
  .strictObject({
    group: z.string().meta({ proto: 1 }),
    names: names.meta({ proto: 3 }),
    scope: z.enum(["Cluster", "Namespaced"]).meta({ proto: 4 }),
    versions: z.array(version).meta({ proto: 7, ...atomicList }),
    conversion: conversion.prefault({ strategy: "None" }).meta({ proto: 9 }),
    preserveUnknownFields: z.boolean().optional().meta({ proto: 10 }),
  })
  .overwrite((one) => ({ ...one, names: withDefaultNames(one.names) }))
  .meta({ title: "apiextensions.v1.CustomResourceDefinitionSpec" });

const condition = z
  .strictObject({
    type: z.string().meta({ proto: 1 }),
    status: conditionStatus.meta({ proto: 2 }),
    lastTransitionTime: time.optional().meta({ proto: 3 }),
    reason: z.string().optional().meta({ proto: 4 }),
    message: z.string().optional().meta({ proto: 5 }),
    observedGeneration: int64.optional().meta({ proto: 6 }),
  })
  .meta({ title: "apiextensions.v1.CustomResourceDefinitionCondition" });

const status = z
  .strictObject({
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 1, ...mapBy("type") }),
    acceptedNames: names.optional().meta({ proto: 2 }),
    storedVersions: z
      .array(z.string())
      .optional()
      .meta({ proto: 3, ...atomicList, description: "In which objects were ever stored." }),
    observedGeneration: int64.optional().meta({ proto: 4 }),
  })
  .meta({ title: "apiextensions.v1.CustomResourceDefinitionStatus" });

export const customResourceDefinition = defineKind({
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  short: ["crd", "crds"],
  categories: ["api-extensions"],
  namespaced: false,
  description: "A kind that a user adds to the API; named `<plural>.<group>`.",
  spec,
  status,
  validate: (definition) => definitionFaults(definition),
  validateUpdate: (before, after) => definitionUpdateFaults(before, after),
  columnsAreAll: true,
  columns: nameAndCreation,
});
export type CustomResourceDefinition = ObjectOf<typeof customResourceDefinition>;
export type CustomResourceDefinitionSpec = z.output<typeof spec>;
export type CustomResourceDefinitionStatus = z.output<typeof status>;
export type CustomResourceNames = z.output<typeof names>;
export type CustomResourceVersion = z.output<typeof version>;

function withDefaultNames(given: CustomResourceNames): CustomResourceNames {
  const { kind, singular = "", listKind = "" } = given;
  return {
    ...given,
    singular: singular === "" ? kind.toLowerCase() : singular,
    ...(kind !== "" && { listKind: listKind === "" ? `${kind}List` : listKind }),
  };
}
