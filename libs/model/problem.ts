import type * as z from "zod";

/** Kubernetes' reasons for a field that is at fault. */
export type ProblemReason =
  | "FieldValueRequired"
  | "FieldValueInvalid"
  | "FieldValueDuplicate"
  | "FieldValueNotFound"
  | "FieldValueNotSupported"
  | "FieldValueForbidden";

const words = {
  FieldValueRequired: "Required value",
  FieldValueInvalid: "Invalid value",
  FieldValueDuplicate: "Duplicate value",
  FieldValueNotFound: "Not found",
  FieldValueNotSupported: "Unsupported value",
  FieldValueForbidden: "Forbidden",
} as const;

type Path = readonly (string | number)[];

/** A zod issue that becomes a cause of that reason, in Kubernetes' words. */
export const problem = (reason: ProblemReason, path: Path, detail: string) => ({
  code: "custom" as const,
  path: [...path],
  message: detail === "" ? words[reason] : `${words[reason]}: ${detail}`,
  params: { reason },
});

type Report = Pick<z.core.$RefinementCtx, "addIssue">;

/** Reports each value that an earlier item has already, at its own place. */
export function refuseDuplicates(
  context: Report,
  items: readonly { readonly at: Path; readonly value: string }[],
): void {
  const seen = new Set<string>();
  for (const { at, value } of items) {
    if (seen.has(value))
      context.addIssue(problem("FieldValueDuplicate", at, JSON.stringify(value)));
    seen.add(value);
  }
}

/** Reports an object of which not exactly one of `names` is set: a probe without handler, with two. */
export function requireOneOf(
  context: Report,
  object: Readonly<Record<string, unknown>>,
  names: readonly string[],
  what: string,
): void {
  const [first, ...more] = names.filter((name) => object[name] !== undefined);
  if (first === undefined) {
    context.addIssue(problem("FieldValueRequired", [], `must specify ${what}`));
  }
  for (const name of more) {
    context.addIssue(
      problem("FieldValueForbidden", [name], `may not specify more than one ${what}`),
    );
  }
}
