/**
 * Kubernetes' CEL: what validation rules of custom resources and admission policies are written in.
 * One adapter over cel-js, which leaves out of Kubernetes' dialect the functions' libraries, RE2 and a
 * limit on cost.
 *
 *     const compiled = compileCel("self.replicas <= self.max", { self: "dyn" });
 *     if (compiled.ok) compiled.program.evaluate({ self: { replicas: 3, max: 5 } }); // true
 *
 * Bounds: an expression has at most `expressionMax` characters and 10,000 nodes, 200 deep; an evaluation
 * costs at most a million units (budget.ts), whatever its input: each node that is evaluated is counted,
 * and what reads texts and lists pays for their length.
 */
import { EvaluationError, ParseError } from "@marcbachmann/cel-js";
import { costExceeded, isOverBudget, metered } from "./budget.ts";
import { kubernetes } from "./environment.ts";
import { replacedPrefix } from "./functions/strings.ts";
import { countCost, namesIn, replaceCalls } from "./tree.ts";
import { celValue, type CelValue, jsonValue } from "./values.ts";

export type CelType = "dyn" | "string" | "int" | "double" | "bool" | "list" | "map";

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

/** Longer expressions are refused. */
const expressionMax = 65_536;

/** Parses and checks `expression` over `variables`; what is wrong is told in cel-go's form. */
export function compileCel(
  expression: string,
  variables: Readonly<Record<string, CelType>>,
): Compiled {
  if (expression.length > expressionMax)
    return { ok: false, message: `expression is longer than ${expressionMax} characters` };
  if (expression.trim() === "") return { ok: false, message: "expression is empty" };
  const environment = kubernetes.clone();
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type);
  try {
    const parsed = environment.parse(expression);
    replaceCalls(parsed.ast);
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

type Fault = {
  readonly code?: string;
  readonly summary?: string;
  readonly range?: { readonly start: number };
};

function compileFault(error: Error, expression: string): string {
  const { code, summary = error.message, range }: Error & Fault = error;
  const syntax = error instanceof ParseError ? "Syntax error: " : "";
  return `ERROR: ${place(expression, range?.start ?? 0)}: ${syntax}${worded(code, summary)}\n${pointer(expression, range?.start ?? 0)}`;
}

/** In cel-go's words where they are known, cel-js's otherwise. */
function worded(code: string | undefined, text: string): string {
  const summary = text.replaceAll(replacedPrefix, "");
  const name = summary.split(": ")[1] ?? "";
  if (code === "unknown_variable") {
    const reference = `undeclared reference to '${name}' (in container '')`;
    return name.startsWith("authorizer")
      ? `${reference}: authorization checks are not available in expressions here`
      : reference;
  }
  if (code === "no_such_key") return `no such key: ${name}`;
  if (code === "index_out_of_bounds")
    return `index out of bounds: ${/-?\d+/.exec(summary)?.[0] ?? ""}`;
  if (code === "modulo_by_zero") return "modulus by zero";
  if (code === "unterminated_string") return "token recognition error";
  return summary;
}

function runFault(error: unknown): string {
  if (error instanceof EvaluationError) {
    if (error.code === "no_matching_overload" || error.code === "no_such_overload")
      return "no such overload";
    return worded(error.code, error.summary);
  }
  return error instanceof Error ? error.message : String(error);
}

function place(expression: string, at: number): string {
  const before = expression.slice(0, at).split("\n");
  return `<input>:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

/** The line at fault with a mark under the place. */
function pointer(expression: string, at: number): string {
  const before = expression.slice(0, at).split("\n");
  const line = expression.split("\n")[before.length - 1] ?? "";
  return ` | ${line}\n | ${".".repeat(before.at(-1)?.length ?? 0)}^`;
}
