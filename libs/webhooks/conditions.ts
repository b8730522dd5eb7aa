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

const always: Conditions = () => ({ met: true });

/** @param variables that the expressions may use beside `object`, `oldObject` and `request` */
export function conditionsOf(
  conditions: readonly MatchCondition[] | undefined,
  variables: Readonly<Record<string, "dyn">> = {},
): Conditions {
  if (conditions === undefined || conditions.length === 0) return always;
  let compiled: readonly Expression[] | undefined;
  return (bindings) => {
    compiled ??= conditions.map(({ expression }) => expressionOf(expression, variables));
    const values = compiled.map((expression) => expression(bindings()));
    if (values.some((one) => one.ok && one.value === false)) return { met: false };
    const faults = values.filter((one) => !one.ok).map(({ fault }) => fault);
    if (faults.length === 0) return { met: true };
    return { met: undefined, fault: faults.length === 1 ? (faults[0] ?? "") : `[${faults.join(", ")}]` };
  };
}

export type Evaluated =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly fault: string };

export type Expression = (bindings: Bindings) => Evaluated;

const admissionVariables = { object: "dyn", oldObject: "dyn", request: "dyn" } as const;

/** An expression over a request; what is wrong with it shows when it is evaluated. */
export function expressionOf(
  expression: string,
  variables: Readonly<Record<string, "dyn">> = {},
): Expression {
  const compiled: Compiled = compileCel(expression, { ...admissionVariables, ...variables });
  if (!compiled.ok) {
    return () => ({ ok: false, fault: `compilation error: compilation failed: ${compiled.message}` });
  }
  return (bindings) => {
    try {
      return { ok: true, value: compiled.program.run(bindings).value };
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      return {
        ok: false,
        fault: `expression '${expression}' resulted in error: ${error.message}`,
      };
    }
  };
}
