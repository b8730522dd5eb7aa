import type * as z from "zod";

/**
 * `input` without the fields that were refused for being empty: Kubernetes reads `""` and `0` as
 * absent where they cannot be meant, and Go clients and templates write them (`imagePullPolicy: ""`).
 * undefined when no field was refused for that.
 */
export function withoutRefusedEmpties(
  input: unknown,
  issues: readonly z.core.$ZodIssue[],
): unknown {
  const empty = issues.filter(isForEmptiness);
  if (empty.length === 0) return undefined;
  return empty.reduce<unknown>((value, { path }) => without(value, path), input);
}

/** What names a reason of its own is about more than the value, or about what may not be empty. */
function isForEmptiness(issue: z.core.$ZodIssue): boolean {
  if (issue.input !== "" && issue.input !== 0) return false;
  if (issue.code === "invalid_type" || issue.code === "invalid_key") return false;
  return issue.code !== "custom" || issue.params === undefined;
}

function without(value: unknown, [step, ...rest]: readonly PropertyKey[]): unknown {
  if (step === undefined) return value;
  if (Array.isArray(value)) {
    if (rest.length === 0) return value; // An item that is empty is there.
    return value.map((item: unknown, at) => (at === step ? without(item, rest) : item));
  }
  if (typeof value !== "object" || value === null || typeof step !== "string") return value;
  const entries = Object.entries(value).flatMap(([key, member]: [string, unknown]) => {
    if (key !== step) return [[key, member] as const];
    return rest.length === 0 ? [] : [[key, without(member, rest)] as const];
  });
  return Object.fromEntries(entries);
}
