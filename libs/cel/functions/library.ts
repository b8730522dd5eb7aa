import { type Environment, EvaluationError } from "@marcbachmann/cel-js";

/** Adds functions to an environment. */
export type Library = (environment: Environment) => void;

/** A function of CEL: its signature in cel-js's notation, and what it does with checked values. */
export type Definition = readonly [signature: string, run: (...args: never[]) => unknown];

export function define(environment: Environment, definitions: readonly Definition[]): void {
  for (const [signature, run] of definitions)
    environment.registerFunction(signature, run, { async: false });
}

/** A value under which functions stand: `sets` in `sets.contains(a, b)`. */
export function namespace(
  environment: Environment,
  name: string,
  definitions: readonly Definition[],
) {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Namespace`;
  // A class of its own for each: cel-js tells types apart by their constructors.
  const ctor = class {
    readonly name = name;
  };
  environment.registerType(type, { ctor, fields: {} });
  environment.registerConstant(name, type, new ctor());
  define(
    environment,
    definitions.map(([signature, run]) => [
      `${type}.${signature}`,
      (_: never, ...args: never[]) => run(...args),
    ]),
  );
}

/** What a function throws for values it cannot work on. */
export const failure = (message: string): EvaluationError =>
  new EvaluationError({ code: "evaluation_error", message });
