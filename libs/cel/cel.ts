/**
 * Kubernetes' CEL: what validation rules of custom resources and admission policies are written in.
 * One adapter over cel-js, which leaves out of Kubernetes' dialect the functions' libraries, RE2 and a
 * limit on cost.
 *
 *     const compiled = compileCel("self.replicas <= self.max", { self: "dyn" });
 *     if (compiled.ok) compiled.program.evaluate({ self: { replicas: 3, max: 5 } }); // true
 *     const types = declared({ self: { fields: { replicas: "int", max: "int" } } });
 *     checkCel("self.min > 0", types); // undefined field 'min'
 *
 * Bounds: an expression has at most `expressionMax` characters and 10,000 nodes, 200 deep; an evaluation
 * costs at most a million units (budget.ts), whatever its input: each node that is evaluated is counted,
 * and what reads texts and lists pays for their length.
 */
import { type Environment, EvaluationError } from "@marcbachmann/cel-js";
import { costExceeded, isOverBudget, metered } from "./budget.ts";
import { compileFault } from "./compile-fault.ts";
import { type CelDeclaration, declare } from "./declarations.ts";
import { kubernetes } from "./environment.ts";
import { replacedPrefix } from "./functions/strings.ts";
import { countCost, namesIn, replaceCalls, replacePresence } from "./tree.ts";
import { celValue, type CelValue, jsonValue } from "./values.ts";

export type CelType =
  | "dyn"
  | "string"
  | "int"
  | "double"
  | "bool"
  | "list"
  | "map"
  | "kubernetes.authorization.Authorizer";

export type CelProgram = {
  /** What the expression may be known to give: `bool`, `string`, `dyn`, … */
  readonly type: string;
  /** Whether the expression reads a variable of that name. */
  readonly reads: (variable: string) => boolean;
  /**
   * The value over `bindings`, JSON in and out.
   *
   * @throws {CelError} when the expression fails, or costs too much
   */
  readonly evaluate: (bindings: Readonly<Record<string, unknown>>) => unknown;
  /**
   * The same without converting back; `cost` is what was spent.
   *
   * @throws {CelError}
   */
  readonly run: (bindings: Readonly<Record<string, CelValue>>) => {
    readonly value: unknown;
    readonly cost: number;
  };
};

export type Compiled =
  | { readonly ok: true; readonly program: CelProgram }
  | { readonly ok: false; readonly message: string };

/** An expression that failed over these values, in Kubernetes' words. */
export class CelError extends Error {
  override readonly name = "CelError";
  /** Whether it was stopped for its cost; then other expressions over the same values are not tried. */
  readonly costExceeded: boolean;

  constructor(message: string, costExceeded: boolean, options?: ErrorOptions) {
    super(message, options);
    this.costExceeded = costExceeded;
  }
}

export type Checked =
  /** Of what type its value is. */
  { readonly ok: true; readonly type: string } | { readonly ok: false; readonly message: string };

/** Longer expressions are refused. */
const expressionMax = 65_536;

/**
 * Parses and checks `expression` over `variables`; what is wrong is told in cel-go's form. Fields are
 * not looked for: values are of any type until they are there.
 */
export function compileCel(
  expression: string,
  variables: Readonly<Record<string, CelType>>,
): Compiled {
  const fault = extentFault(expression);
  if (fault !== undefined) return { ok: false, message: fault };
  const environment = kubernetes.clone();
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type);
  try {
    const parsed = environment.parse(expression);
    replaceCalls(parsed.ast);
    replacePresence(parsed.ast);
    const check = parsed.check();
    if (check.error !== undefined)
      return { ok: false, message: compileFault(check.error, expression) };
    const names = namesIn(parsed.ast);
    countCost(parsed.ast);
    const reads = (variable: string) => names.has(variable);
    return { ok: true, program: { ...programOf(parsed), type: check.type ?? "dyn", reads } };
  } catch (error) {
    if (error instanceof Error) return { ok: false, message: compileFault(error, expression) };
    throw error;
  }
}

/** Checks `expression` as one over variables of these types, fields and all. */
export function checkCel(expression: string, variables: Declared): Checked {
  const fault = extentFault(expression);
  if (fault !== undefined) return { ok: false, message: fault };
  try {
    const parsed = variables.environment.parse(expression);
    replaceCalls(parsed.ast);
    replacePresence(parsed.ast);
    const { error, type = "dyn" } = parsed.check();
    if (error !== undefined) return { ok: false, message: compileFault(error, expression) };
    // What an empty list would hold may be anything.
    return { ok: true, type: type.replaceAll(/\b[A-Z]\b/g, "dyn") };
  } catch (error) {
    if (error instanceof Error) return { ok: false, message: compileFault(error, expression) };
    throw error;
  }
}

/** Variables with their types, for any number of expressions. */
export type Declared = { readonly environment: Environment };

export function declared(variables: Readonly<Record<string, CelDeclaration>>): Declared {
  const environment = kubernetes.clone();
  declare(environment, variables);
  return { environment };
}

function extentFault(expression: string): string | undefined {
  if (expression.length > expressionMax)
    return `expression is longer than ${expressionMax} characters`;
  return expression.trim() === "" ? "expression is empty" : undefined;
}

function programOf(
  parsed: (context: Record<string, unknown>) => unknown,
): Pick<CelProgram, "run" | "evaluate"> {
  const run: CelProgram["run"] = (bindings) => {
    try {
      const { result, cost } = metered(() => parsed({ ...bindings }));
      return { value: result, cost };
    } catch (error) {
      const over = isOverBudget();
      throw new CelError(over ? costExceeded : runFault(error), over, { cause: error });
    }
  };
  return {
    run,
    evaluate: (bindings) =>
      jsonValue(
        run(
          Object.fromEntries(
            Object.entries(bindings).map(([name, value]) => [name, celValue(value)]),
          ),
        ).value,
      ),
  };
}

/** In cel-go's words where they are known, cel-js's otherwise. */
function worded(code: string, text: string): string {
  const summary = text.replaceAll(replacedPrefix, "");
  if (code === "no_such_key") return `no such key: ${summary.split(": ")[1] ?? ""}`;
  if (code === "index_out_of_bounds")
    return `index out of bounds: ${/-?\d+/.exec(summary)?.[0] ?? ""}`;
  return code === "modulo_by_zero" ? "modulus by zero" : summary;
}

function runFault(error: unknown): string {
  if (error instanceof EvaluationError) {
    if (error.code === "no_matching_overload" || error.code === "no_such_overload")
      return "no such overload";
    return worded(error.code, error.summary);
  }
  return error instanceof Error ? error.message : String(error);
}
