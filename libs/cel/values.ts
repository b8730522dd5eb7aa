/** JSON as CEL sees it, and back. */
import { Environment, EvaluationError, Optional } from "@marcbachmann/cel-js";

/**
 * A value of CEL: int is bigint, double is number, map is Map, list is array, timestamp is Date;
 * beside them the types of the functions' libraries.
 */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | readonly CelValue[]
  | ReadonlyMap<unknown, unknown>
  | object;

/**
 * JSON becomes CEL: whole numbers are ints, others doubles, objects maps. What is CEL's already
 * (bigint, Map, Date) stays, so an object that many expressions read needs converting only once.
 */
export function celValue(json: unknown): CelValue {
  if (json === null || json === undefined) return null;
  if (typeof json === "number") return Number.isSafeInteger(json) ? BigInt(json) : json;
  if (typeof json === "string" || typeof json === "boolean" || typeof json === "bigint")
    return json;
  if (typeof json !== "object") throw new TypeError("not a JSON value");
  if (Array.isArray(json)) return json.map(celValue);
  if (!isPlain(json)) return json;
  return new Map(
    Object.entries(json)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, celValue(value)]),
  );
}

/** What an expression gave, as JSON: ints are numbers, times are texts, an empty optional is null. */
export function jsonValue(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(jsonValue);
  if (value instanceof Map) return objectOf(value.entries());
  if (isPlain(value)) return objectOf(Object.entries(value));
  if (value instanceof Date) return value.toISOString().replace(".000Z", "Z");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (value instanceof Optional) return value.hasValue() ? jsonValue(value.value()) : null;
  return isPrinted(value) ? printed(value) : null;
}

/** Deep equality of CEL values; numbers of different types are equal when their values are. */
export function celEquals(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNumber(a) && isNumber(b)) return Number(a) === Number(b);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, at) => celEquals(item, b[at]));
  if (isMap(a) && isMap(b)) {
    const [left, right] = [entriesOf(a), entriesOf(b)];
    return (
      left.size === right.size &&
      [...left].every(([key, value]) => right.has(key) && celEquals(value, right.get(key)))
    );
  }
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  return isPrinted(a) && isPrinted(b) && printed(a) === printed(b);
}

const isNumber = (value: unknown): value is bigint | number =>
  typeof value === "bigint" || typeof value === "number";
export const isMap = (value: unknown): value is object =>
  value instanceof Map || (typeof value === "object" && value !== null && isPlain(value));

/** Quantities, addresses, durations: what is neither data nor a container, and has a text of its own. */
export const isPrinted = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isMap(value);
export const printed = (value: object): string =>
  (value as { readonly toString: () => string }).toString();

/** Of a map, whether it came with the input or is a literal of the expression. */
export const entriesOf = (value: object): ReadonlyMap<unknown, unknown> =>
  value instanceof Map ? value : new Map<unknown, unknown>(Object.entries(value));

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function objectOf(entries: Iterable<[unknown, unknown]>): Record<string, unknown> {
  return Object.fromEntries(
    Array.from(entries, ([key, value]) => [keyText(key), jsonValue(value)] as const),
  );
}

/** Keys of maps are texts, numbers or booleans. */
const keyText = (key: unknown): string =>
  typeof key === "string" ? key : typeof key === "boolean" || isNumber(key) ? `${key}` : "";

/** A duration as Go writes it, such as `1h30m`; undefined when it is none. */
export function durationValue(text: string): object | undefined {
  try {
    return duration({ text }) as object; // It is cel-js's duration.
  } catch (error) {
    if (error instanceof EvaluationError) return undefined;
    throw error;
  }
}

const duration = new Environment().registerVariable("text", "string").parse("duration(text)");

/** An optional of CEL: of a value, or none. */
export const optionalValue = (value: CelValue | undefined): object =>
  value === undefined ? Optional.none() : Optional.of(value);
