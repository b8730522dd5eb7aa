/**
 * What a kind is: everything that the system knows of it, derived from one zod definition. A kind is
 * one file in `kinds/`; `registry.ts` finds it there.
 *
 *     export const widget = defineKind({ group: "example.dev", version: "v1", kind: "Widget",
 *       plural: "widgets", singular: "widget", namespaced: true, spec, columns: [] });
 *     export type Widget = ObjectOf<typeof widget>;
 */
import * as z from "zod";
import type { Conformed } from "./conform.ts";
import type { ScalePaths } from "./custom/scale.ts";
import type { Cause } from "./errors.ts";
import type { JsonSchema } from "./extensions/json-schema.ts";
import type { FieldType } from "./fields/field-type.ts";
import { clusterMetadata, type Metadata, namespacedMetadata } from "./metadata.ts";
import { dnsSubdomain } from "./names.ts";
import { ageOf, type EpochMs } from "./time.ts";

/** A column of `kubectl get`; `priority` 1 shows with `-o wide` only. */
export type Column<O> = {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  readonly format?: string;
  readonly priority?: number;
  readonly description?: string;
  /** null: there is nothing to show. */
  read(object: O, now: EpochMs): string | number | boolean | null;
};

/**
 * A part of an object that is read and written by itself. What is sent is the whole object, but for a
 * scale; what of it is another part's counts for nothing.
 */
export type Subresource = Part | "scale";
export type Part = "status" | "ephemeralcontainers" | "resize";

export interface Kind<O = unknown> {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly short: readonly string[];
  /** Names of several kinds at once, such as `all`. */
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly subresources: readonly Subresource[];
  /** Takes what a user wrote and gives the storage form: validated, canonical, with its defaults. */
  readonly schema: z.ZodType<O>;
  /** The same of the status alone: no rule of the rest concerns it. */
  readonly statusSchema: z.ZodType<StatusOnly>;
  /** How its fields are owned and merged, where `schema` cannot tell: a custom resource's. */
  readonly fieldType?: FieldType;
  readonly columns: readonly Column<O>[];
  /** What must not change, beside what the schema says of `after` alone. */
  validateUpdate(before: O, after: O): readonly Cause[];
  /** The same objects in other versions, as clients may ask for them; none is stored in one. */
  readonly versions: readonly Kind[];
  /** What who uses it is warned of. */
  readonly deprecation?: string;
  /** Of a version in `versions`: the kind that its objects are stored as, and the way there and back. */
  readonly stored?: Stored;
  /** Fields that objects are selected by, beside those that every kind has. */
  readonly selectable?: readonly string[];
  /** Of a kind that a user has added: `schema` then says no more than what every object has. */
  readonly custom?: CustomSchema;
}

/** What stands in for the zod schema where a user wrote the schema: a version of a custom resource. */
export interface CustomSchema {
  readonly definition: { readonly name: string; readonly uid: string };
  readonly schema: JsonSchema;
  readonly scale: ScalePaths | undefined;
  /** What who uses the version is warned of. */
  readonly deprecation: string | undefined;
  /** What a decoder makes of what was sent: unknown fields are told, and left out. */
  decode(value: unknown): Conformed;
  /**
   * Defaults, and everything judged: the object in this version.
   *
   * @param before what it replaces; undefined: it is new
   * @throws {ApiError} Invalid
   */
  parse(value: unknown, before: unknown): unknown;
  /** An object as it is stored, in this version and with its defaults. */
  served(stored: unknown): unknown;
  /** An object of this version in the one that is stored. */
  stored(object: unknown): unknown;
  /** Does ahead, for many at once, what `served` may have to ask others for. */
  prepare(objects: readonly unknown[]): Promise<void>;
}

type Stored = {
  readonly kind: Kind;
  /** Of an object whose fields are this version's; what it says wrongly is refused as stored. */
  toStorage(object: unknown): unknown;
  /** Of an object in storage form. */
  fromStorage(object: unknown): unknown;
};

export type StatusOnly = { readonly status?: Readonly<Record<string, unknown>> | undefined };

/** The object of a kind: `ObjectOf<typeof pod>`. */
export type ObjectOf<K> = K extends { readonly schema: z.ZodType<infer O> } ? O : never;

type Flat<T> = { [K in keyof T]: T[K] };
type Head<N extends boolean> = {
  apiVersion: string;
  kind: string;
  metadata: N extends true ? Metadata & { namespace: string } : Metadata;
};
type PartOf<Name extends string, S> = [S] extends [z.ZodType]
  ? { [K in Name]: z.output<S> }
  : unknown;
type OptionalPart<Name extends string, S> = [S] extends [z.ZodType]
  ? { [K in Name]?: z.output<S> | undefined }
  : unknown;
type FieldsPart<Fields> = [Fields] extends [z.ZodRawShape]
  ? z.output<z.ZodObject<Fields>>
  : unknown;
type Definition<N extends boolean, Spec, Status, Fields, O> = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  /** The lower case kind when absent. */
  readonly singular?: string;
  readonly short?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: N;
  readonly description?: string;
  /** What a name must be; a DNS subdomain when absent. */
  readonly name?: z.ZodType<string>;
  readonly spec?: Spec;
  /** Makes `/status` a subresource. */
  readonly status?: Status;
  /** Fields beside metadata, spec and status. */
  readonly fields?: Fields;
  /** `/scale` sets `spec.replicas`. */
  readonly scale?: boolean;
  /** Further subresources that are parts of its spec. */
  readonly parts?: readonly Exclude<Part, "status">[];
  /** Further versions that the kind is served in, the most preferred first. */
  readonly versions?: readonly VersionDefinition[];
  /** Fills in what follows from several fields; before `validate`. */
  readonly complete?: (object: NoInfer<O>) => NoInfer<O>;
  /** Rules across fields, told at the path where they belong. */
  readonly validate?: (object: NoInfer<O>) => readonly Cause[];
  readonly validateUpdate?: (before: NoInfer<O>, after: NoInfer<O>) => readonly Cause[];
  /** Between NAME and AGE; those of priority 1 come after AGE. */
  readonly columns: readonly Column<NoInfer<O>>[];
  /** The columns are all there are: no NAME, no AGE added. */
  readonly columnsAreAll?: boolean;
  readonly deprecation?: string;
};

type VersionDefinition = Omit<Stored, "kind"> & {
  /** The kind's own when absent. */
  readonly group?: string;
  readonly version: string;
  readonly spec?: z.ZodType;
  readonly status?: z.ZodType;
  readonly fields?: z.ZodRawShape;
};

const kinds = new WeakSet<object>();

/** Whether a value was made by `defineKind`. */
export const isKind = (value: unknown): value is Kind =>
  typeof value === "object" && value !== null && kinds.has(value);

export function defineKind<
  N extends boolean,
  Spec extends z.ZodType | undefined = undefined,
  Status extends z.ZodType | undefined = undefined,
  Fields extends z.ZodRawShape | undefined = undefined,
  O = Flat<Head<N> & PartOf<"spec", Spec> & OptionalPart<"status", Status> & FieldsPart<Fields>>,
>(definition: Definition<N, Spec, Status, Fields, O>): Kind<O> {
  const { group, version, kind, spec, status, namespaced } = definition;
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const metadata = (namespaced ? namespacedMetadata : clusterMetadata)(
    definition.name ?? dnsSubdomain,
  );
  const shape = {
    apiVersion: z.literal(apiVersion).default(apiVersion),
    kind: z.literal(kind).default(kind),
    metadata: metadata.meta({ proto: 1, description: "Standard object metadata." }),
    ...(spec !== undefined && { spec: withMeta(spec, { proto: 2 }) }),
    ...(status !== undefined && { status: withMeta(status.optional(), { proto: 3 }) }),
    ...definition.fields,
  };
  const { complete, validate = () => [], validateUpdate = () => [] } = definition;
  const schema = z
    .strictObject(shape)
    .overwrite((object) =>
      complete === undefined ? object : (complete(object as O) as typeof object),
    ) // As below.
    .superRefine((object, context) => {
      for (const cause of validate(object as O)) context.addIssue(issueOf(cause)); // It is the output of `shape`.
    })
    .meta({ title: kind, ...(definition.description && { description: definition.description }) });
  const made: Kind<O> = {
    group,
    version,
    kind,
    plural: definition.plural,
    singular: definition.singular ?? kind.toLowerCase(),
    short: definition.short ?? [],
    categories: definition.categories ?? [],
    namespaced,
    subresources: [
      ...(status === undefined ? [] : ["status" as const]),
      ...(definition.scale === true ? ["scale" as const] : []),
      ...(definition.parts ?? []),
    ],
    statusSchema: statusOnly(status),
    schema: schema as unknown as z.ZodType<O>, // `O` is computed from the very schemas in `shape`.
    columns:
      definition.columnsAreAll === true ? definition.columns : withNameAndAge(definition.columns),
    validateUpdate,
    versions: [],
    ...(definition.deprecation !== undefined && { deprecation: definition.deprecation }),
  };
  const versions = (definition.versions ?? []).map((one) =>
    versionOf(made as Kind, definition, one),
  );
  const whole = Object.assign(made, { versions });
  kinds.add(whole);
  return whole;
}

/** A kind in a version that it is not stored in. It is shown as it would be stored. */
function versionOf(
  kind: Kind,
  { namespaced, description }: { readonly namespaced: boolean; readonly description?: string },
  { group = kind.group, version, toStorage, fromStorage, ...parts }: VersionDefinition,
): Kind {
  const made = defineKind({
    group,
    version,
    kind: kind.kind,
    plural: kind.plural,
    singular: kind.singular,
    short: kind.short,
    categories: kind.categories,
    namespaced,
    ...(description !== undefined && { description }),
    ...parts,
    columns: kind.columns.map((column) => ({
      ...column,
      read: (object: unknown, now: EpochMs) => column.read(toStorage(object), now),
    })),
    columnsAreAll: true,
  });
  return { ...(made as Kind), stored: { kind, toStorage, fromStorage } };
}

/** `apiVersion` of a kind's objects. */
export const apiVersionOf = ({ group, version }: Pick<Kind, "group" | "version">): string =>
  group === "" ? version : `${group}/${version}`;

/** Every status is an object. */
const statusOnly = (status: z.ZodType | undefined) =>
  z.object({ status: (status ?? z.never()).optional() }) as unknown as z.ZodType<StatusOnly>;

const withMeta = (schema: z.ZodType, meta: z.GlobalMeta): z.ZodType => schema.meta(meta);

function issueOf({ field, message, reason }: Cause) {
  const steps = field.matchAll(/\[([^\]]*)\]|[^.[\]]+/g);
  const path = [...steps].map(([step, index = step]) =>
    /^\d+$/.test(index) ? Number(index) : index,
  );
  return { code: "custom" as const, path, message, params: { reason, field } };
}

/** What `kubectl get` shows of kinds that nobody wrote columns for. */
export const nameAndCreation: readonly Column<unknown>[] = [
  {
    name: "Name",
    type: "string",
    format: "name",
    description: "Name must be unique within a namespace.",
    read: (object) => (object as Head<false>).metadata.name, // Every object has it.
  },
  {
    name: "Created At",
    type: "string",
    format: "date-time",
    description: "When the object was made.",
    read: (object) => (object as Head<false>).metadata.creationTimestamp ?? "", // As above.
  },
];

/** Named by a kind itself where it is not the last one. */
export const ageColumn = <O>(): Column<O> => ({
  name: "Age",
  type: "string",
  description: "Time since the object was made.",
  // Every object has it.
  read: (object, now) => ageOf((object as Head<false>).metadata.creationTimestamp, now),
});

/** What every column list of Kubernetes begins and ends with. */
function withNameAndAge<O>(columns: readonly Column<O>[]): readonly Column<O>[] {
  const named = (object: O) => (object as Head<false>).metadata; // Every object has it.
  const name: Column<O> = {
    name: "Name",
    type: "string",
    format: "name",
    description: "Name must be unique within a namespace.",
    read: (object) => named(object).name,
  };
  const narrow = columns.filter(({ priority }) => priority !== 1);
  const wide = columns.filter(({ priority }) => priority === 1);
  const own = columns.some((column) => column.name === "Age");
  return own ? [name, ...columns] : [name, ...narrow, ageColumn(), ...wide];
}
