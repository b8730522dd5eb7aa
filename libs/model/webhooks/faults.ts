/** What may be wrong with webhooks and policies, in Kubernetes' words; expressions are compiled. */
import { type CelType, compileCel } from "../../cel/cel.ts";
import type { Cause } from "../errors.ts";
import type { MatchCondition, RuleWithOperations } from "./match.ts";

export const required = (field: string, detail = ""): Cause => ({
  reason: "FieldValueRequired",
  field,
  message: detail === "" ? "Required value" : `Required value: ${detail}`,
});
export const invalidValue = (field: string, value: unknown, detail: string): Cause => ({
  reason: "FieldValueInvalid",
  field,
  message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
});
const duplicate = (field: string, value: string): Cause => ({
  reason: "FieldValueDuplicate",
  field,
  message: `Duplicate value: ${JSON.stringify(value)}`,
});

/** Each value that an earlier one has already. */
export function duplicatesIn(
  items: readonly { readonly field: string; readonly value: string }[],
): readonly Cause[] {
  const seen = new Set<string>();
  return items.flatMap(({ field, value }) => {
    const again = seen.has(value);
    seen.add(value);
    return again ? [duplicate(field, value)] : [];
  });
}

/** Variables of every expression about a request. */
const aboutRequests = { object: "dyn", oldObject: "dyn", request: "dyn" } as const;
export type Variables = Readonly<Record<string, CelType>>;

/**
 * Whether an expression compiles and may give what is wanted of it.
 *
 * @param wanted any of these types; `dyn` is only known when it is evaluated
 */
export function expressionFaults(
  field: string,
  expression: string,
  { wanted, more = {} }: { readonly wanted?: readonly string[]; readonly more?: Variables },
): readonly Cause[] {
  if (expression.trim() === "") return [required(field, "")];
  const compiled = compileCel(expression, { ...aboutRequests, ...more });
  if (!compiled.ok) {
    return [invalidValue(field, expression, `compilation failed: ${compiled.message}`)];
  }
  const { type } = compiled.program;
  if (wanted === undefined || type === "dyn" || wanted.includes(type)) return [];
  const words = wanted.length === 1 ? wanted.join("") : `one of [${wanted.join(" ")}]`;
  return [invalidValue(field, expression, `must evaluate to ${words}`)];
}

const conditionsMax = 64;
const conditionName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9](\/[A-Za-z0-9][-A-Za-z0-9_.]*)?$/;

export function conditionFaults(
  field: string,
  conditions: readonly MatchCondition[] = [],
  more: Variables = {},
): readonly Cause[] {
  if (conditions.length > conditionsMax) {
    const message = `Too many: ${conditions.length}: must have at most ${conditionsMax} items`;
    return [{ reason: "FieldValueTooMany", field, message }];
  }
  const each = conditions.flatMap(({ name, expression }, at) => [
    ...(name === "" ? [required(`${field}[${at}].name`, "")] : []),
    ...(name !== "" && !conditionName.test(name)
      ? [
          invalidValue(
            `${field}[${at}].name`,
            name,
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
          ),
        ]
      : []),
    ...expressionFaults(`${field}[${at}].expression`, expression, { wanted: ["bool"], more }),
  ]);
  const names = conditions.map(({ name }, at) => ({ field: `${field}[${at}].name`, value: name }));
  return [...each, ...duplicatesIn(names)];
}

/** Of one rule: everything is named, and `*` stands alone. */
export function ruleFaults(
  field: string,
  { operations = [], apiGroups = [], apiVersions = [], resources = [] }: RuleWithOperations,
): readonly Cause[] {
  return [
    ...wildcardFaults(`${field}.operations`, operations, "operations"),
    ...wildcardFaults(`${field}.apiGroups`, apiGroups, "API groups"),
    ...wildcardFaults(`${field}.apiVersions`, apiVersions, "API versions"),
    ...apiVersions.flatMap((version, at) =>
      version === "" ? [required(`${field}.apiVersions[${at}]`, "")] : [],
    ),
    ...(resources.length === 0 ? [required(`${field}.resources`, "")] : []),
    ...resources.flatMap((resource, at) =>
      resource === "" ? [required(`${field}.resources[${at}]`, "")] : [],
    ),
    ...(resources.includes("*/*") && resources.length > 1
      ? [
          invalidValue(
            `${field}.resources`,
            resources,
            "if '*/*' is present, must not specify other resources",
          ),
        ]
      : []),
  ];
}

function wildcardFaults(field: string, values: readonly string[], what: string): readonly Cause[] {
  if (values.length === 0) return [required(field, "")];
  if (values.length === 1 || !values.includes("*")) return [];
  return [invalidValue(field, values, `if '*' is present, must not specify other ${what}`)];
}
