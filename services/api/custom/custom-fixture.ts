/** CustomResourceDefinitions for tests. */
import type { JsonSchema } from "../../../libs/model/extensions/json-schema.ts";

export const group = "example.dev";
export const definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

type Version = Readonly<Record<string, unknown>>;

/** One version, of which `spec` and `status` are as given. */
export const versionOf = (
  name: string,
  schema: JsonSchema = { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  rest: Version = {},
): Version => ({
  name,
  served: true,
  storage: true,
  schema: { openAPIV3Schema: schema },
  ...rest,
});

/** `<plural>.example.dev` of kind `kind`, namespaced. */
export function definitionOf(
  kind: string,
  versions: readonly Version[] = [versionOf("v1")],
  rest: Readonly<Record<string, unknown>> = {},
) {
  const plural = `${kind.toLowerCase()}s`;
  const { names = {}, ...spec } = rest;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, kind, ...(names as object) }, // An object, as its users give it.
      versions,
      ...spec,
    },
  };
}

/** A schema whose `spec` has these fields. */
export const withSpec = (
  properties: Readonly<Record<string, JsonSchema>>,
  rest: JsonSchema = {},
): JsonSchema => ({
  type: "object",
  properties: { spec: { type: "object", properties: { ...properties }, ...rest } },
});
