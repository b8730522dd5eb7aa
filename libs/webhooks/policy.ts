/** ValidatingAdmissionPolicies and their bindings, judged over one request. Pure. */
import type { ClusterView } from "../cluster/view.ts";
import { celValue } from "../cel/values.ts";
import type { Kind } from "../model/kind.ts";
import { namespace as namespaceKind } from "../model/kinds/namespace.ts";
import type {
  ValidatingAdmissionPolicy,
  Validation,
} from "../model/kinds/validatingadmissionpolicy.ts";
import type { ValidatingAdmissionPolicyBinding } from "../model/kinds/validatingadmissionpolicybinding.ts";
import type { Authorize } from "./authorizer.ts";
import {
  type Bindings,
  type Budget,
  type Conditions,
  conditionsOf,
  type Expression,
  expressionOf,
  policyBudget,
} from "./conditions.ts";
import { AdmissionDenied } from "./denied.ts";
import { matchedByResources, type Matched } from "./matching.ts";
import { Misconfigured, paramsOf } from "./params.ts";
import { type AdmissionRequest, forbiddenText, isNamespace, type Objects } from "./request.ts";
import { type Sight, sightsOf } from "./sight.ts";
import { variablesOf } from "./variables.ts";

/** A policy with the bindings that make it hold, ready to be evaluated. */
export type Policy = {
  readonly name: string;
  readonly spec: ValidatingAdmissionPolicy["spec"];
  readonly bindings: readonly ValidatingAdmissionPolicyBinding[];
  /** Made at first use. */
  readonly program: () => Program;
};

type Program = {
  readonly conditions: Conditions;
  readonly variables: readonly { readonly name: string; readonly value: Expression }[];
  readonly validations: readonly {
    readonly holds: Expression;
    readonly message: Expression | undefined;
    readonly of: Validation;
  }[];
  readonly annotations: readonly { readonly key: string; readonly value: Expression }[];
};

export function policyOf(
  { metadata, spec }: ValidatingAdmissionPolicy,
  bindings: readonly ValidatingAdmissionPolicyBinding[],
): Policy {
  let made: Program | undefined;
  return { name: metadata.name, spec, bindings, program: () => (made ??= programOf(spec)) };
}

function programOf(spec: ValidatingAdmissionPolicy["spec"]): Program {
  const given = spec.paramKind === undefined ? {} : ({ params: "dyn" } as const);
  const early = { ...given, namespaceObject: "dyn" } as const;
  const all = { ...early, variables: "dyn" } as const;
  return {
    conditions: conditionsOf(spec.matchConditions, early),
    variables: (spec.variables ?? []).map(({ name, expression }) => ({
      name,
      value: expressionOf(expression, all),
    })),
    validations: (spec.validations ?? []).map((of) => ({
      holds: expressionOf(of.expression, all),
      message:
        (of.messageExpression ?? "") === ""
          ? undefined
          : expressionOf(of.messageExpression ?? "", all),
      of,
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      value: expressionOf(valueExpression, all),
    })),
  };
}

export type PolicyPorts = {
  readonly view: ClusterView;
  readonly authorize: Authorize;
  readonly kindOf: (apiVersion: string, kind: string) => Kind | undefined;
  readonly warn: (text: string) => void;
  readonly audit: (facts: AuditFacts) => void;
};
export type AuditFacts = {
  readonly policy: string;
  readonly binding: string;
  readonly annotations: Readonly<Record<string, string>>;
};

type Denial = {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly reason: string;
  readonly message: string;
};

/**
 * Judges a request by every policy that is bound to it.
 *
 * @throws {AdmissionDenied} the first denial, in the order of the policies' names
 */
export function checkPolicies(
  policies: readonly Policy[],
  request: AdmissionRequest,
  objects: Objects,
  ports: PolicyPorts,
): void {
  const sights = sightsOf(request, objects, ports);
  const matched: Matched = { request, objects, view: ports.view };
  const denials = policies.flatMap((policy) => {
    const { matchConstraints } = policy.spec;
    const form = matchConstraints && matchedByResources(matchConstraints, matched);
    return form === undefined ? [] : judge(policy, matched, sights(form), ports);
  });
  const [first] = denials;
  if (first !== undefined) throw deniedByPolicy(request, first);
}

function judge(
  policy: Policy,
  matched: Matched,
  sight: Sight,
  ports: PolicyPorts,
): readonly Denial[] {
  const fails = policy.spec.failurePolicy === "Fail";
  return policy.bindings.flatMap((binding) => {
    const { matchResources, paramRef } = binding.spec;
    if (matchResources && matchedByResources(matchResources, matched) === undefined) return [];
    const { namespace } = matched.request;
    try {
      const params = paramsOf({ ...ports, kind: policy.spec.paramKind, ref: paramRef, namespace });
      return params.flatMap((param) =>
        judgeWith(policy, binding, { matched, sight, param }, ports),
      );
    } catch (error) {
      if (!(error instanceof Misconfigured)) throw error;
      const message = `failed to configure binding: ${error.message}`;
      const denial = {
        policy: policy.name,
        binding: binding.metadata.name,
        reason: "Invalid",
        message,
      };
      return fails ? [denial] : [];
    }
  });
}

type Evidence = { readonly matched: Matched; readonly sight: Sight; readonly param: unknown };
type Failure = { readonly reason: string; readonly message: string; readonly index: number };

/** A policy under a binding, with one of its parameters. */
function judgeWith(
  policy: Policy,
  binding: ValidatingAdmissionPolicyBinding,
  evidence: Evidence,
  ports: PolicyPorts,
): readonly Denial[] {
  const { failures, faults, annotations } = evaluate(policy, evidence);
  const at = { policy: policy.name, binding: binding.metadata.name };
  const { validationActions = [] } = binding.spec;
  if (validationActions.includes("Warn")) {
    for (const { message } of failures) {
      ports.warn(
        `Validation failed for ValidatingAdmissionPolicy '${at.policy}' with binding '${at.binding}': ${message}`,
      );
    }
  }
  const audited = validationActions.includes("Audit")
    ? failureAnnotation(at, binding, failures)
    : {};
  const all = { ...annotations, ...audited };
  if (Object.keys(all).length > 0) ports.audit({ ...at, annotations: all });
  return [...(validationActions.includes("Deny") ? failures : []), ...faults].map((failure) => ({
    ...at,
    ...failure,
  }));
}

type Findings = {
  /** Validations that do not hold, or that cannot be evaluated and are to fail then. */
  readonly failures: readonly Failure[];
  /** Annotations that cannot be evaluated; whatever the binding's actions are. */
  readonly faults: readonly Failure[];
  readonly annotations: Readonly<Record<string, string>>;
};
const nothing: Findings = { failures: [], faults: [], annotations: {} };

function evaluate(policy: Policy, { matched, sight, param }: Evidence): Findings {
  const program = policy.program();
  const fails = policy.spec.failurePolicy === "Fail";
  const fault = (message: string, index = 0): readonly Failure[] =>
    fails ? [{ reason: "Invalid", message, index }] : [];
  const early: Bindings = {
    ...sight.bindings(),
    params: celValue(param),
    namespaceObject: celValue(namespaceSeen(matched)),
  };
  const met = program.conditions(() => early);
  if (met.met === undefined) return { ...nothing, failures: fault(met.fault) };
  if (!met.met) return nothing;
  const budget: Budget = { left: policyBudget };
  const bindings: Bindings = { ...early, variables: variablesOf(program.variables, early, budget) };
  const failures = program.validations.flatMap(({ holds, message, of }, index) => {
    const outcome = holds(bindings, budget);
    if (!outcome.ok) return fault(outcome.fault, index);
    if (outcome.value === true) return [];
    return [
      { reason: of.reason ?? "Invalid", message: messageOf(of, message, bindings, budget), index },
    ];
  });
  const annotations: Record<string, string> = {};
  const faults = program.annotations.flatMap(({ key, value }) => {
    const outcome = value(bindings, { left: policyBudget });
    if (!outcome.ok) return fault(outcome.fault);
    if (typeof outcome.value === "string" && outcome.value.trim() !== "") {
      annotations[`${policy.name}/${key}`] = outcome.value.trim().slice(0, annotationMaxChars);
    }
    return [];
  });
  return { failures, faults, annotations };
}

const annotationMaxChars = 10 * 1_024;
const messageMaxChars = 5 * 1_024;

function messageOf(
  { expression, message = "" }: Validation,
  computed: Expression | undefined,
  bindings: Bindings,
  budget: Budget,
): string {
  const outcome = computed?.(bindings, budget);
  const text =
    outcome?.ok === true && typeof outcome.value === "string" ? outcome.value.trim() : "";
  if (text !== "" && text.length <= messageMaxChars && !text.includes("\n")) return text;
  return message.trim() === "" ? `failed expression: ${expression.trim()}` : message.trim();
}

/** The namespace that the request's object is in; a Namespace is in none. */
function namespaceSeen({ request, view }: Matched): unknown {
  const { kind, namespace } = request;
  if (namespace === undefined || isNamespace(kind)) return null;
  return view.get(namespaceKind, undefined, namespace) ?? null;
}

const auditedMax = 50;

function failureAnnotation(
  { policy, binding: name }: { readonly policy: string; readonly binding: string },
  { spec }: ValidatingAdmissionPolicyBinding,
  failures: readonly Failure[],
): Readonly<Record<string, string>> {
  if (failures.length === 0) return {};
  const told = failures.slice(0, auditedMax).map(({ message, index }) => ({
    message,
    policy,
    binding: name,
    expressionIndex: index,
    validationActions: spec.validationActions,
  }));
  return { "validation.policy.admission.k8s.io/validation_failure": JSON.stringify(told) };
}

function deniedByPolicy(
  request: AdmissionRequest,
  { policy, binding, reason, message }: Denial,
): AdmissionDenied {
  const under = binding === undefined ? "" : ` with binding '${binding}'`;
  const text = `ValidatingAdmissionPolicy '${policy}'${under} denied request: ${message}`;
  const { kind, name } = request;
  return new AdmissionDenied(
    forbiddenText(request, text),
    { code: codeOf(reason), reason },
    {
      ...(name !== "" && { name }),
      ...(kind.group !== "" && { group: kind.group }),
      kind: kind.plural,
      causes: [{ reason: "", field: "", message: text }],
    },
  );
}

function codeOf(reason: string): number {
  switch (reason) {
    case "Forbidden":
      return 403;
    case "Unauthorized":
      return 401;
    case "RequestEntityTooLarge":
      return 413;
    default:
      return 422;
  }
}
