/** The kinds that a CustomResourceDefinition adds: one for each version that it serves. */
import * as z from "zod";
import type { Conformed, Path } from "../conform.ts";
import { conform } from "../conform.ts";
import { ApiError, type Cause, invalid, parse } from "../errors.ts";
import type { JsonSchema } from "../extensions/json-schema.ts";
import type {
  CustomResourceDefinition,
  CustomResourceVersion,
} from "../kinds/customresourcedefinition.ts";
import { apiVersionOf, type CustomSchema, type Kind } from "../kind.ts";
import { type OpenApiSchema, typeOfResource } from "../fields/openapi-type.ts";
import { clusterMetadata, namespacedMetadata } from "../metadata.ts";
import { dnsSubdomain } from "../names.ts";
import { columnsOf } from "./columns.ts";
import { withDefaults } from "./defaults.ts";
import { embeddedFaults } from "./embedded-faults.ts";
import { prune } from "./prune.ts";
import { isRecord } from "./record.ts";
import { ruleFaults } from "./rules.ts";
import { valueFaults } from "./validate.ts";
import { compareVersions } from "./version-order.ts";

/** How objects come from one version into another. */
export type Conversion = {
  /**
   * @param object never changed; the result has `apiVersion`
   * @throws whatever tells the caller to wait for a webhook, and to ask again
   */
  readonly convert: (object: unknown, apiVersion: string) => unknown;
  /** Converts many at once, so that `convert` finds them done. */
  readonly prepare: (objects: readonly unknown[], apiVersion: string) => Promise<void>;
};

/** Versions of which nothing differs but the name. */
const sameButName: Conversion = {
  convert: (object, apiVersion) =>
    isRecord(object) && object["apiVersion"] !== apiVersion ? { ...object, apiVersion } : object,
  prepare: async () => undefined,
};

/** The served versions, the most preferred first; none as long as its names are not accepted. */
export function customKinds(
  definition: CustomResourceDefinition,
  conversion: Conversion = sameButName,
): readonly Kind[] {
  const { conditions = [] } = definition.status ?? {};
  const isEstablished = conditions.some(
    ({ type, status }) => type === "Established" && status === "True",
  );
  if (!isEstablished) return [];
  return definition.spec.versions
    .filter(({ served }) => served)
    .toSorted((a, b) => compareVersions(a.name, b.name))
    .map((version) => kindOf(definition, version, conversion));
}

function kindOf(
  { metadata, spec }: CustomResourceDefinition,
  version: CustomResourceVersion,
  conversion: Conversion,
): Kind {
  const { group, names, scope } = spec;
  const { status, scale } = version.subresources ?? {};
  const namespaced = scope === "Namespaced";
  const head = headSchema(names.kind, apiVersionOf({ group, version: version.name }), namespaced);
  const self = { group, version: version.name, kind: names.kind, schema: head };
  const storage = spec.versions.find((one) => one.storage)?.name ?? version.name;
  const schema = version.schema?.openAPIV3Schema ?? { type: "object" };
  return {
    ...self,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    short: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced,
    subresources: [
      ...(status === undefined ? [] : ["status" as const]),
      ...(scale === undefined ? [] : ["scale" as const]),
    ],
    statusSchema: z.looseObject({}),
    columns: columnsOf(version.additionalPrinterColumns),
    validateUpdate: () => [],
    fieldType: typeOfResource(schema as OpenApiSchema), // It is structural: `items` is one schema.
    versions: [],
    selectable: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.slice(1)),
    custom: {
      definition: { name: metadata.name, uid: metadata.uid },
      schema,
      scale,
      deprecation: deprecationOf(self, version),
      ...operations({
        self,
        schema,
        conversion,
        storage: apiVersionOf({ group, version: storage }),
      }),
    },
  };
}

/** What every object has, whatever its schema says. */
const headSchema = (kind: string, apiVersion: string, namespaced: boolean) =>
  z.strictObject({
    apiVersion: z.literal(apiVersion).default(apiVersion),
    kind: z.literal(kind).default(kind),
    metadata: (namespaced ? namespacedMetadata : clusterMetadata)(dnsSubdomain),
  });

function deprecationOf(
  { group, version, kind }: Pick<Kind, "group" | "version" | "kind">,
  { deprecated, deprecationWarning }: CustomResourceVersion,
): string | undefined {
  if (deprecated !== true) return undefined;
  return deprecationWarning ?? `${apiVersionOf({ group, version })} ${kind} is deprecated`;
}

type Self = Pick<Kind, "group" | "version" | "kind" | "schema">;

function operations({
  self,
  schema,
  conversion,
  storage,
}: {
  readonly self: Self;
  readonly schema: JsonSchema;
  readonly conversion: Conversion;
  readonly storage: string;
}): Pick<CustomSchema, "decode" | "parse" | "served" | "stored" | "prepare"> {
  const apiVersion = apiVersionOf(self);
  const shown = new WeakMap<object, unknown>();
  const served = (object: unknown): unknown => {
    if (!isRecord(object)) return object;
    const known = shown.get(object);
    if (known !== undefined) return known;
    const converted = conversion.convert(object, apiVersion);
    const made = withDefaults(schema, prune(schema, converted, true).value);
    shown.set(object, made);
    if (isRecord(made)) shown.set(made, made);
    return made;
  };
  return {
    decode: (value) => decode(self.schema, schema, value),
    parse: (value, before) => parseObject(self, schema, value, before),
    served,
    stored: (object) => conversion.convert(object, storage),
    prepare: (objects) =>
      conversion.prepare(
        objects.filter((one) => isRecord(one) && !shown.has(one)),
        apiVersion,
      ),
  };
}

/** Without what nobody knows; its metadata is judged as every object's is. */
function decode(head: z.core.$ZodType, schema: JsonSchema, value: unknown): Conformed {
  const { value: pruned, unknown } = prune(schema, value, true);
  if (!isRecord(pruned)) return { value: pruned, unknown, mistyped: [] };
  const { apiVersion, kind, metadata } = pruned;
  const known = conform(head, { apiVersion, kind, metadata });
  const heads = isRecord(known.value) ? known.value : {};
  const paths: readonly Path[] = [...known.unknown, ...unknown];
  return { value: { ...pruned, ...heads }, unknown: paths, mistyped: known.mistyped };
}

/** @throws {ApiError} Invalid */
function parseObject(self: Self, schema: JsonSchema, given: unknown, before: unknown): unknown {
  const record = isRecord(given) ? given : {};
  const { apiVersion, kind, metadata } = record;
  const head = headOf(self, { apiVersion, kind, metadata });
  const pruned = prune(schema, { ...record, ...head.value }, true).value;
  const object = withDefaults(schema, pruned);
  const old = before === undefined ? undefined : { value: before };
  const shape = [
    ...head.causes,
    ...valueFaults(schema, object, old),
    ...embeddedFaults(schema, object),
  ];
  const causes = shape.length > 0 ? shape : ruleFaults(schema, object, old);
  if (causes.length === 0) return object;
  const name =
    isRecord(metadata) && typeof metadata["name"] === "string" ? metadata["name"] : undefined;
  throw invalid(self, name, causes);
}

function headOf(
  self: Self,
  given: unknown,
): { readonly value: object; readonly causes: readonly Cause[] } {
  try {
    return { value: parse(self, given) as object, causes: [] };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { value: {}, causes: error.details.causes ?? [] };
  }
}
