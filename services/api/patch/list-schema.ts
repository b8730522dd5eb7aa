/** What a kind's zod schema says of how lists and objects merge. */
import * as z from "zod";

export type MergeRule = {
  /** Lists: items with the same value of that field are one item. */
  readonly mergeKey?: string | undefined;
  readonly strategy?: "merge" | "replace" | undefined;
};

/** The schema of a field of an object, or of a map's values; undefined where the schema is open. */
export function fieldOf(
  schema: z.core.$ZodType | undefined,
  field: string,
): z.core.$ZodType | undefined {
  const bare = unwrapped(schema);
  if (bare instanceof z.ZodObject) {
    const shape = bare.shape as Record<string, z.core.$ZodType>; // As zod types it.
    return Object.hasOwn(shape, field) ? shape[field] : undefined;
  }
  if (bare instanceof z.ZodRecord) return bare.valueType;
  return undefined;
}

/** The schema of a list's items. */
export function itemOf(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  const bare = unwrapped(schema);
  return bare instanceof z.ZodArray ? bare.element : undefined;
}

/** The merge metadata nearest to the outside: `.meta()` may stand before or after `.optional()`. */
export function mergeRule(schema: z.core.$ZodType | undefined): MergeRule {
  for (let at = schema; at !== undefined; at = inner(at)) {
    const meta = z.globalRegistry.get(at);
    const mergeKey = meta?.["x-kubernetes-patch-merge-key"];
    const strategy = meta?.["x-kubernetes-patch-strategy"];
    if (mergeKey === undefined && strategy === undefined) continue;
    return {
      mergeKey: typeof mergeKey === "string" ? mergeKey : undefined,
      strategy: typeof strategy === "string" && strategy.includes("replace") ? "replace" : "merge",
    };
  }
  return {};
}

export function unwrapped(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  let at = schema;
  for (let next = at; next !== undefined; next = inner(next)) at = next;
  return at;
}

/** What a wrapper wraps: optional, nullable, default, prefault, readonly, lazy, pipe. */
export function inner(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodLazy) return schema.unwrap();
  if (schema instanceof z.ZodPipe)
    return schema.in instanceof z.ZodTransform ? schema.out : schema.in;
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
  ) {
    return schema.unwrap();
  }
  return undefined;
}
