/**
 * `variables.<name>` of a policy's expressions: each is evaluated when it is first read, at most once,
 * and may read those before it. One that fails makes what reads it fail.
 *
 * Its cost is its own and of the policy's budget: reading it inside another expression starts that
 * one's count anew, at most once for each variable.
 */
import { CelError } from "../cel/cel.ts";
import type { Bindings, Budget, Expression } from "./conditions.ts";

export function variablesOf(
  variables: readonly { readonly name: string; readonly value: Expression }[],
  bindings: Bindings,
  budget: Budget,
): ReadonlyMap<unknown, unknown> {
  const known = new Map<unknown, unknown>();
  // Its keys are there from the start, so that reading them finds them; the values come with `get`.
  const lazy = new Map<unknown, unknown>(variables.map(({ name }) => [name, null]));
  const open = new Set<unknown>();
  lazy.get = (name) => {
    if (known.has(name)) return known.get(name);
    const found = variables.find((one) => one.name === name);
    if (found === undefined) return undefined;
    if (open.has(name)) throw new CelError(`variable "${found.name}" reads itself`, false);
    open.add(name);
    const outcome = found.value({ ...bindings, variables: lazy }, budget);
    open.delete(name);
    if (!outcome.ok) throw new CelError(outcome.fault, false);
    known.set(name, outcome.value);
    return outcome.value;
  };
  return lazy;
}
