/** What may be wrong with webhooks and policies, in Kubernetes' words; expressions are compiled. */
import { checkCel, type Declared } from "../../cel/cel.ts";
import { shownType } from "../../cel/compile-fault.ts";
import type { Cause } from "../errors.ts";
import { webhookVariables } from "./expression-types.ts";
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

/**
 * Whether an expression compiles and gives what is wanted of it.
 *
 * @param wanted one of these types; what is only known when it is evaluated is none of them
 */
export function expressionFaults(
  field: string,
  expression: string,
  { wanted, variables }: { readonly wanted: readonly string[]; readonly variables: Declared },
): readonly Cause[] {
  if (expression.trim() === "") return [required(field, "expression is not specified")];
  const checked = checkCel(expression, variables);
  if (!checked.ok) {
    return [invalidValue(field, expression, `compilation failed: ${checked.message}`)];
  }
  if (wanted.includes(checked.type)) return [];
  const words = wanted.length === 1 ? wanted.join("") : `one of [${wanted.join(" ")}]`;
  const got = shownType(checked.type);
  return [invalidValue(field, expression, `must evaluate to ${words} but got ${got}`)];
}

const conditionsMax = 64;
const conditionName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9](\/[A-Za-z0-9][-A-Za-z0-9_.]*)?$/;

export function conditionFaults(
  field: string,
  conditions: readonly MatchCondition[] = [],
  variables: Declared = webhookVariables(),
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
    ...expressionFaults(`${field}[${at}].expression`, expression, { wanted: ["bool"], variables }),
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
