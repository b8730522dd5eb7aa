import type * as z from "zod";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { isRecord, type JsonRecord } from "../patch/record.ts";

export type FieldValidation = "Strict" | "Warn" | "Ignore";

export type Validated = { readonly input: unknown; readonly warnings: readonly string[] };

/**
 * What is done with fields that the kind does not know: refused, or dropped, with or without a warning.
 * What is wrong in other ways is left to admission.
 *
 * @throws {ApiError} BadRequest under Strict, naming every unknown field
 */
export function validateFields(kind: Kind, input: unknown, mode: FieldValidation): Validated {
  const result = kind.schema.safeParse(input);
  if (result.success) return { input, warnings: [] };
  const unknown = result.error.issues.flatMap(unknownKeys);
  if (unknown.length === 0) return { input, warnings: [] };
  const messages = unknown.map((path) => `unknown field "${written(path)}"`);
  if (mode === "Strict") {
    throw new ApiError(
      "BadRequest",
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${messages.join(", ")}`,
    );
  }
  const pruned = unknown.reduce<unknown>((value, path) => without(value, path), input);
  return { input: pruned, warnings: mode === "Warn" ? messages : [] };
}

type Path = readonly (string | number)[];

function unknownKeys(issue: z.core.$ZodIssue): readonly Path[] {
  const at = issue.path.filter((step) => typeof step !== "symbol");
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => [...at, key]);
  if (issue.code !== "invalid_union") return [];
  // A union's branches each have their issues: a field is unknown when every branch says so.
  const [first = [], ...others] = issue.errors.map((errors) => errors.flatMap(unknownKeys));
  const known = (path: Path) =>
    others.every((paths) => paths.some((one) => written(one) === written(path)));
  return first.filter(known).map((path) => [...at, ...path]);
}

/** A path as Kubernetes writes it: `spec.containers[0].imag`. */
const written = (path: Path): string =>
  path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .slice(1);

/** A copy of `value` without what is at `path`. */
function without(value: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined) return value;
  if (Array.isArray(value)) {
    return value.map((item, at) => (at === step ? without(item, rest) : (item as unknown)));
  }
  if (!isRecord(value)) return value;
  const { [String(step)]: held, ...others }: JsonRecord = value;
  return rest.length === 0 ? others : { ...others, [String(step)]: without(held, rest) };
}
