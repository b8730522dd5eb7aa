/** What a ValidatingAdmissionPolicy or its binding says wrongly. */
import { checkCel, type Declared } from "../../cel/cel.ts";
import type { Cause } from "../errors.ts";
import { policyVariables } from "./expression-types.ts";
import {
  conditionFaults,
  duplicatesIn,
  expressionFaults,
  invalidValue,
  required,
  ruleFaults,
} from "./faults.ts";
import type { MatchCondition, MatchResources } from "./match.ts";
import type { ParamKind, ParamRef } from "./policy.ts";

type Validation = {
  readonly expression: string;
  readonly message?: string | undefined;
  readonly reason?: string | undefined;
  readonly messageExpression?: string | undefined;
};
type PolicySpec = {
  readonly paramKind?: ParamKind | undefined;
  readonly matchConstraints?: MatchResources | undefined;
  readonly validations?: readonly Validation[] | undefined;
  readonly auditAnnotations?:
    | readonly { readonly key: string; readonly valueExpression: string }[]
    | undefined;
  readonly matchConditions?: readonly MatchCondition[] | undefined;
  readonly variables?:
    | readonly { readonly name: string; readonly expression: string }[]
    | undefined;
};

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const reasons = ["Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"];

export function policyFaults({
  paramKind,
  matchConstraints,
  validations = [],
  auditAnnotations = [],
  matchConditions,
  variables = [],
}: PolicySpec): readonly Cause[] {
  const hasParams = paramKind !== undefined;
  const early = policyVariables(hasParams);
  const own = typedVariables(variables, hasParams);
  const all = policyVariables(hasParams, own.types);
  return [
    ...paramKindFaults(paramKind),
    ...(matchConstraints === undefined
      ? [required("spec.matchConstraints")]
      : constraintFaults("spec.matchConstraints", matchConstraints)),
    ...conditionFaults("spec.matchConditions", matchConditions, early),
    ...own.faults,
    ...duplicatesIn(
      variables.map(({ name }, at) => ({ field: `spec.variables[${at}].name`, value: name })),
    ),
    ...(validations.length + auditAnnotations.length === 0
      ? [
          required(
            "spec.validations",
            "validations or auditAnnotations must contain at least one item",
          ),
          required(
            "spec.auditAnnotations",
            "validations or auditAnnotations must contain at least one item",
          ),
        ]
      : []),
    ...validations.flatMap((one, at) => validationFaults(`spec.validations[${at}]`, one, all)),
    ...auditAnnotations.flatMap(({ key, valueExpression }, at) => [
      ...(key === "" ? [required(`spec.auditAnnotations[${at}].key`)] : []),
      ...expressionFaults(`spec.auditAnnotations[${at}].valueExpression`, valueExpression, {
        wanted: ["string", "null"],
        variables: all,
      }),
    ]),
    ...duplicatesIn(
      auditAnnotations.map(({ key }, at) => ({
        field: `spec.auditAnnotations[${at}].key`,
        value: key,
      })),
    ),
  ];
}

type OwnVariables = { readonly faults: readonly Cause[]; readonly types: Record<string, string> };

/** Each may read those before it; what is wrong with one is of any type to the others. */
function typedVariables(
  variables: NonNullable<PolicySpec["variables"]>,
  hasParams: boolean,
): OwnVariables {
  const types: Record<string, string> = {};
  const faults: Cause[] = [];
  for (const [at, { name, expression }] of variables.entries()) {
    const field = `spec.variables[${at}]`;
    const named = nameFaults(`${field}.name`, name);
    faults.push(...named);
    if (expression.trim() === "") {
      faults.push(required(`${field}.expression`, "expression is not specified"));
      continue;
    }
    const checked = checkCel(expression, policyVariables(hasParams, types));
    if (!checked.ok) {
      const detail = `compilation failed: ${checked.message}`;
      faults.push(invalidValue(`${field}.expression`, expression, detail));
    }
    if (named.length === 0) types[name] = checked.ok ? checked.type : "dyn";
  }
  return { faults, types };
}

function paramKindFaults(kind: ParamKind | undefined): readonly Cause[] {
  if (kind === undefined) return [];
  return (["apiVersion", "kind"] as const)
    .filter((field) => (kind[field] ?? "") === "")
    .map((field) => required(`spec.paramKind.${field}`));
}

function nameFaults(field: string, name: string): readonly Cause[] {
  if (name === "") return [required(field, "name is not specified")];
  return identifier.test(name)
    ? []
    : [invalidValue(field, name, "name is not a valid CEL identifier")];
}

function constraintFaults(
  field: string,
  { resourceRules = [], excludeResourceRules = [] }: MatchResources,
): readonly Cause[] {
  return [
    ...(resourceRules.length === 0 ? [required(`${field}.resourceRules`)] : []),
    ...resourceRules.flatMap((rule, at) => ruleFaults(`${field}.resourceRules[${at}]`, rule)),
    ...excludeResourceRules.flatMap((rule, at) =>
      ruleFaults(`${field}.excludeResourceRules[${at}]`, rule),
    ),
  ];
}

function validationFaults(
  field: string,
  { expression, message = "", reason, messageExpression = "" }: Validation,
  variables: Declared,
): readonly Cause[] {
  const faults: Cause[] = [];
  if (message !== "" && message.trim() === "") {
    faults.push(
      invalidValue(`${field}.message`, message, "message must be non-empty if specified"),
    );
  }
  if (message.trim().includes("\n")) {
    faults.push(invalidValue(`${field}.message`, message, "message must not contain line breaks"));
  }
  if (expression.includes("\n") && message === "") {
    const detail = "message must be specified if expression contains line breaks";
    faults.push(required(`${field}.message`, detail));
  }
  if (reason !== undefined && !reasons.includes(reason)) {
    const supported = reasons.map((one) => JSON.stringify(one)).join(", ");
    const detail = `Unsupported value: ${JSON.stringify(reason)}: supported values: ${supported}`;
    faults.push({ reason: "FieldValueNotSupported", field: `${field}.reason`, message: detail });
  }
  return [
    ...faults,
    ...expressionFaults(`${field}.expression`, expression, { wanted: ["bool"], variables }),
    ...(messageExpression === ""
      ? []
      : expressionFaults(`${field}.messageExpression`, messageExpression, {
          wanted: ["string"],
          variables,
        })),
  ];
}

type BindingSpec = {
  readonly policyName?: string | undefined;
  readonly paramRef?: ParamRef | undefined;
  readonly validationActions?: readonly string[] | undefined;
};

export function bindingFaults({
  policyName = "",
  paramRef,
  validationActions = [],
}: BindingSpec): readonly Cause[] {
  const faults: Cause[] = [];
  if (policyName === "") faults.push(required("spec.policyName"));
  if (validationActions.length === 0) {
    const detail = "at least one validation action is required";
    faults.push(required("spec.validationActions", detail));
  }
  if (validationActions.includes("Deny") && validationActions.includes("Warn")) {
    const detail =
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
    faults.push(invalidValue("spec.validationActions", validationActions, detail));
  }
  return [...faults, ...(paramRef === undefined ? [] : paramRefFaults("spec.paramRef", paramRef))];
}

function paramRefFaults(
  field: string,
  { name = "", selector, parameterNotFoundAction }: ParamRef,
): readonly Cause[] {
  const faults: Cause[] = [];
  if (name !== "" && selector !== undefined) {
    const message = "Forbidden: name and selector are mutually exclusive";
    faults.push({ reason: "FieldValueForbidden", field: `${field}.name`, message });
  }
  if (name === "" && selector === undefined) {
    faults.push(required(field, "one of name or selector must be specified"));
  }
  if (parameterNotFoundAction === undefined) {
    faults.push(required(`${field}.parameterNotFoundAction`));
  }
  return faults;
}
