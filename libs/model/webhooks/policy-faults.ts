/** What a ValidatingAdmissionPolicy or its binding says wrongly. */
import type { Cause } from "../errors.ts";
import {
  conditionFaults,
  duplicatesIn,
  expressionFaults,
  invalidValue,
  required,
  ruleFaults,
  type Variables,
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
  const early: Variables = {
    namespaceObject: "dyn",
    ...(paramKind !== undefined && { params: "dyn" as const }),
  };
  const all: Variables = { ...early, variables: "dyn" };
  return [
    ...paramKindFaults(paramKind),
    ...(matchConstraints === undefined
      ? [required("spec.matchConstraints")]
      : constraintFaults("spec.matchConstraints", matchConstraints)),
    ...conditionFaults("spec.matchConditions", matchConditions, early),
    ...variables.flatMap(({ name, expression }, at) => [
      ...nameFaults(`spec.variables[${at}].name`, name),
      ...expressionFaults(`spec.variables[${at}].expression`, expression, { more: all }),
    ]),
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
        more: all,
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
  more: Variables,
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
    ...expressionFaults(`${field}.expression`, expression, { wanted: ["bool"], more }),
    ...(messageExpression === ""
      ? []
      : expressionFaults(`${field}.messageExpression`, messageExpression, {
          wanted: ["string"],
          more,
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
