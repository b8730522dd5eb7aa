/** `matchConditions`: expressions all of which must hold, or the request is no business of ours. */
import { CelError, type Compiled, compileCel } from "../cel/cel.ts";
import type { CelValue } from "../cel/values.ts";
import type { MatchCondition } from "../model/webhooks/match.ts";

export type Bindings = Readonly<Record<string, CelValue>>;

export type ConditionsOutcome =
  | { readonly met: boolean }
  /** Some could not be evaluated and no other one is false. */
  | { readonly met: undefined; readonly fault: string };

export type Conditions = (bindings: () => Bindings) => ConditionsOutcome;

/** What all expressions of one policy may cost together; `left` falls. */
export type Budget = { left: number };
/** Kubernetes' for the conditions, and for the rest of a policy. */
const conditionsBudget = 2_500_000;
export const policyBudget = 10_000_000;

const always: Conditions = () => ({ met: true });

/** @param variables that the expressions may use beside those of every request */
export function conditionsOf(
  conditions: readonly MatchCondition[] | undefined,
  variables: Readonly<Record<string, "dyn">> = {},
): Conditions {
  if (conditions === undefined || conditions.length === 0) return always;
  let compiled: readonly Expression[] | undefined;
  return (bindings) => {
    compiled ??= conditions.map(({ expression }) => expressionOf(expression, variables));
    const budget = { left: conditionsBudget };
    const values = compiled.map((expression) => expression(bindings(), budget));
    if (values.some((one) => one.ok && one.value === false)) return { met: false };
    const faults = values.flatMap((one) => (one.ok ? [] : [one.fault]));
    if (faults.length === 0) return { met: true };
    return {
      met: undefined,
      fault: faults.length === 1 ? faults.join("") : `[${faults.join(", ")}]`,
    };
  };
}

export type Evaluated =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly fault: string };

export type Expression = (bindings: Bindings, budget: Budget) => Evaluated;

/** What every expression over a request may use. */
const admissionVariables = {
  object: "dyn",
  oldObject: "dyn",
  request: "dyn",
  authorizer: "kubernetes.authorization.Authorizer",
} as const;

/** An expression over a request; what is wrong with it shows when it is evaluated. */
export function expressionOf(
  expression: string,
  variables: Readonly<Record<string, "dyn">> = {},
): Expression {
  const compiled: Compiled = compileCel(expression, { ...admissionVariables, ...variables });
  if (!compiled.ok) {
    const fault = `compilation error: compilation failed: ${compiled.message}`;
    return () => ({ ok: false, fault });
  }
  return (bindings, budget) => {
    if (budget.left <= 0) return { ok: false, fault: overBudget };
    try {
      const { value, cost } = compiled.program.run(bindings);
      budget.left -= cost;
      return budget.left < 0 ? { ok: false, fault: overBudget } : { ok: true, value };
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      const fault = `expression '${expression}' resulted in error: ${error.message}`;
      return { ok: false, fault };
    }
  };
}

const overBudget =
  "validation failed due to running out of cost budget, no further validation rules will be run";
