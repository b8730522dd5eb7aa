/**
 * What one evaluation may cost. The unit is about a node of the expression that is evaluated, as in
 * Kubernetes; what reads a text or a list pays for its length as well.
 *
 * Evaluation is synchronous and never nests, so there is one meter.
 */

/** Kubernetes' limit for one expression. */
export const costLimit = 1_000_000;
/** A tenth of a unit a character, as Kubernetes reckons. */
const perCharacter = 0.1;

export const costExceeded = "operation cancelled: actual cost limit exceeded";

/** Not made anew each time: a quantifier meets it once for every item that is left. */
const exceeded = new Error(costExceeded);
const meter = { spent: 0, limit: costLimit };

/** @throws {Error} when the evaluation has spent what it may */
export function charge(units: number): void {
  meter.spent += units;
  if (meter.spent > meter.limit) throw exceeded;
}

/** For reading values of these sizes: characters, bytes, items. */
export function chargeFor(...values: readonly unknown[]): void {
  let length = 0;
  for (const value of values) length += lengthOf(value);
  charge(length * perCharacter);
}

/** For matching a text: both lengths count, at most what RE2's automaton does. */
export const chargePattern = (text: string, pattern: string): void =>
  charge(1 + text.length * perCharacter * (1 + pattern.length));

/** Runs `evaluate`, and tells what it cost; over the limit it has no result, whatever it returned. */
export function metered<T>(evaluate: () => T): { readonly result: T; readonly cost: number } {
  meter.spent = 0;
  const result = evaluate();
  if (meter.spent > meter.limit) throw exceeded;
  return { result, cost: meter.spent };
}

/** Whether the evaluation that has just failed did so for its cost. */
export const isOverBudget = (): boolean => meter.spent > meter.limit;

function lengthOf(value: unknown): number {
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof Map) return value.size;
  return 0;
}
