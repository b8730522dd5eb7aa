/**
 * Macros that cel-js lacks: those of optionals, and comprehensions over an index (or key) and a value.
 * Each is checked and evaluated here, on cel-js's own checker and evaluator.
 */
import { type Environment, Optional } from "@marcbachmann/cel-js";
import { charge } from "../budget.ts";
import { failure, type Library } from "./library.ts";

/** As much of cel-js's tree, checker, evaluator and scopes as a macro uses; it has no types for them. */
type Node = { readonly op: string; readonly args: unknown };
type Type = { readonly kind: string; readonly valueType?: Type; readonly keyType?: Type };
type Checker = {
  readonly check: (node: Node, scope: Scope) => Type;
  readonly getType: (name: string) => Type;
  readonly registry: { readonly getOptionalType: (type: Type) => Type };
};
type Evaluator = { readonly run: (node: Node, scope: Scope) => unknown };
type Scope = {
  readonly forkWithVariable: (name: string, type: Type) => Scope;
  readonly reuse: (parent: Scope) => Scope;
  readonly setIterValue: (value: unknown, evaluator: Evaluator) => Scope;
};
type Call = { readonly args: readonly Node[]; readonly receiver: Node };

export const macros: Library = (environment) => {
  optionalMacro(environment, "optMap", (result) => Optional.of(result));
  optionalMacro(environment, "optFlatMap", (result) => result);
  define(environment, "all", 3, "bool", (pairs, [test]) => quantify(pairs, need(test), true));
  define(environment, "exists", 3, "bool", (pairs, [test]) => quantify(pairs, need(test), false));
  for (const name of ["existsOne", "exists_one"])
    define(
      environment,
      name,
      3,
      "bool",
      (pairs, [test]) => pairs.filter((pair) => isTrue(need(test)(pair))).length === 1,
    );
  for (const arity of [3, 4]) {
    define(environment, "transformList", arity, "list", (pairs, steps) =>
      passing(pairs, steps).map(last(steps)),
    );
    define(
      environment,
      "transformMap",
      arity,
      "map",
      (pairs, steps) => new Map(passing(pairs, steps).map((pair) => [pair[0], last(steps)(pair)])),
    );
    define(environment, "transformMapEntry", arity, "map", (pairs, steps) =>
      merged(passing(pairs, steps).map(last(steps))),
    );
  }
};

type Pair = readonly [key: unknown, value: unknown];
type Step = (pair: Pair) => unknown;
type Loop = (pairs: readonly Pair[], steps: readonly Step[]) => unknown;

/** A macro `list.name(key, value, …steps)` over the entries of a list or map. */
function define(
  environment: Environment,
  name: string,
  arity: number,
  result: string,
  loop: Loop,
): void {
  const parameters = Array.from({ length: arity }, () => "ast").join(", ");
  register(environment, `list.${name}(${parameters}): ${result}`, ({ args, receiver }) => {
    const [key, value, ...steps] = args;
    const names = [variable(key), variable(value)] as const;
    let scopes: readonly [Scope, Scope] | undefined;
    return {
      typeCheck(checker: Checker, _: unknown, scope: Scope) {
        const range = checker.check(receiver, scope);
        const dyn = checker.getType("dyn");
        const keyType = range.kind === "list" ? checker.getType("int") : (range.keyType ?? dyn);
        const outer = scope.forkWithVariable(names[0], keyType);
        scopes = [outer, outer.forkWithVariable(names[1], range.valueType ?? dyn)];
        for (const step of steps) checker.check(step, scopes[1]);
        return checker.getType(result);
      },
      evaluate(evaluator: Evaluator, _: unknown, scope: Scope) {
        const pairs = pairsOf(evaluator.run(receiver, scope));
        const run = steps.map((step): Step => ([key, value]) => {
          charge(1);
          if (scopes === undefined) throw failure("the expression was not checked");
          const outer = scopes[0].reuse(scope).setIterValue(key, evaluator);
          return evaluator.run(step, scopes[1].reuse(outer).setIterValue(value, evaluator));
        });
        return loop(pairs, run);
      },
    };
  });
}

/** `optional.name(variable, expression)`: the expression over the value, where there is one. */
function optionalMacro(
  environment: Environment,
  name: string,
  wrap: (result: unknown) => unknown,
): void {
  register(environment, `optional.${name}(ast, ast): optional<dyn>`, ({ args, receiver }) => {
    const [key, expression] = args;
    const bound = variable(key);
    let inner: Scope | undefined;
    return {
      typeCheck(checker: Checker, _: unknown, scope: Scope) {
        const type = checker.check(receiver, scope);
        inner = scope.forkWithVariable(bound, type.valueType ?? checker.getType("dyn"));
        const result = checker.check(need(expression), inner);
        return result.kind === "optional" ? result : checker.registry.getOptionalType(result);
      },
      evaluate(evaluator: Evaluator, _: unknown, scope: Scope) {
        const value = evaluator.run(receiver, scope);
        if (!(value instanceof Optional)) throw failure(`${name}() is for optionals`);
        if (!value.hasValue()) return value;
        const filled = need(inner).reuse(scope).setIterValue(value.value(), evaluator);
        return wrap(evaluator.run(need(expression), filled));
      },
    };
  });
}

function register(
  environment: Environment,
  signature: string,
  expand: (call: Call) => object,
): void {
  environment.registerFunction(signature, (call: Call) => ({ ...expand(call), async: false }));
}

function variable(node: Node | undefined): string {
  if (node?.op === "id" && typeof node.args === "string") return node.args;
  throw failure("argument must be a simple name");
}

function need<T>(value: T | undefined): T {
  if (value === undefined) throw failure("an argument is missing");
  return value;
}

function pairsOf(value: unknown): readonly Pair[] {
  if (Array.isArray(value)) return value.map((item, at) => [BigInt(at), item]);
  if (value instanceof Map) return [...value];
  if (typeof value === "object" && value !== null) return Object.entries(value);
  throw failure("no such overload");
}

/** As `all` (`decided` by a false) and `exists` (by a true): an error counts only when nothing decides. */
function quantify(pairs: readonly Pair[], test: Step, all: boolean): boolean {
  let fault: unknown;
  for (const pair of pairs) {
    try {
      if (isTrue(test(pair)) !== all) return !all;
    } catch (error) {
      fault ??= error;
    }
  }
  if (fault !== undefined) throw fault as Error; // Whatever a step threw.
  return all;
}

function isTrue(value: unknown): boolean {
  if (typeof value !== "boolean") throw failure("no such overload");
  return value;
}

/** Those that the filter, the first of two steps, lets pass. */
function passing(pairs: readonly Pair[], steps: readonly Step[]): readonly Pair[] {
  const [filter] = steps;
  return steps.length < 2 ? pairs : pairs.filter((pair) => isTrue(need(filter)(pair)));
}

const last = (steps: readonly Step[]): Step => need(steps.at(-1));

function merged(entries: readonly unknown[]): ReadonlyMap<unknown, unknown> {
  const result = new Map<unknown, unknown>();
  for (const [key, value] of entries.flatMap(pairsOf)) {
    if (result.has(key)) throw failure(`insert failed: key ${String(key)} already exists`);
    result.set(key, value);
  }
  return result;
}
