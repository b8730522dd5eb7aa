/** What ConfigMaps and Secrets have in common. */
import { dequal } from "dequal";
import type { Cause } from "./errors.ts";

const bytesMax = 1_048_576;

export function tooLarge(values: readonly string[]): readonly Cause[] {
  const size = values.reduce((sum, value) => sum + value.length, 0);
  if (size <= bytesMax) return [];
  const message = `Too long: may not be more than ${bytesMax} bytes`;
  return [{ reason: "FieldValueTooLong", field: "", message }];
}

/** Keys that both maps have. */
export function sharedKeys(
  data: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
  field: string,
): readonly Cause[] {
  return Object.keys(other)
    .filter((key) => Object.hasOwn(data, key))
    .map((key) => ({
      reason: "FieldValueInvalid",
      field: `${field}[${key}]`,
      message: "Invalid value: duplicate of key present in data and binaryData",
    }));
}

/** What changed although the object says that it is immutable. No value is quoted. */
export function immutableDataCauses<F extends string>(
  before: { readonly immutable?: boolean | undefined } & Readonly<Partial<Record<F, unknown>>>,
  after: { readonly immutable?: boolean | undefined } & Readonly<Partial<Record<F, unknown>>>,
  fields: readonly F[],
): readonly Cause[] {
  if (before.immutable !== true) return [];
  const message = "Forbidden: field is immutable when `immutable` is set";
  const changed = fields.filter((field) => !dequal(before[field], after[field]));
  const unset = after.immutable === true ? [] : ["immutable"];
  return [...unset, ...changed].map((field) => ({ reason: "FieldValueForbidden", field, message }));
}
