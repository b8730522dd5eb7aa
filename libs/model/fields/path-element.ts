/**
 * A step of a field's path, written as in `fieldsV1`: `f:name` a field, `k:{"name":"web"}` an item by
 * its keys, `v:"x"` an item of a set by its value, `i:0` an item by its place.
 */
import { isObject, type JsonObject, type ListType, own } from "./field-type.ts";

export const fieldElement = (name: string): string => `f:${name}`;
export const valueElement = (value: unknown): string => `v:${jsonText(value)}`;

export function keyElement(keys: JsonObject): string {
  const names = Object.keys(keys).toSorted(compareText);
  return `k:{${names.map((name) => `${jsonText(name)}:${jsonText(keys[name])}`).join(",")}}`;
}

/**
 * The step to an item of a list that is a set or a map.
 *
 * @returns what is wrong with the item where it has none
 */
export function itemElement(
  list: ListType,
  item: unknown,
): { readonly element: string } | { readonly fault: string } {
  return list.relation === "set" ? setItem(item) : mapItem(list, item);
}

function setItem(item: unknown): { readonly element: string } | { readonly fault: string } {
  if (isObject(item)) {
    return { fault: "associative list without keys has an element that's a map type" };
  }
  if (Array.isArray(item)) {
    return { fault: "not supported: associative list with lists as elements" };
  }
  if (item === null) {
    return { fault: "associative list without keys has an element that's an explicit null" };
  }
  return { element: valueElement(item) };
}

function mapItem(
  list: ListType,
  item: unknown,
): { readonly element: string } | { readonly fault: string } {
  if (item === null) return { fault: "associative list with keys may not have a null element" };
  if (!isObject(item)) {
    return { fault: "associative list with keys may not have non-map elements" };
  }
  const type = list.items();
  const found: Record<string, unknown> = {};
  for (const key of list.keys) {
    const given = own(item, key);
    const value = given ?? (type.type === "object" ? type.fields.get(key)?.default : undefined);
    if (value !== undefined) found[key] = value;
  }
  if (list.keys.length > 0 && Object.keys(found).length === 0) {
    const names = list.keys.map((key) => JSON.stringify(key)).join(" ");
    return {
      fault: `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`,
    };
  }
  return { element: keyElement(found) };
}

/**
 * The canonical form of a step that somebody wrote.
 *
 * @returns undefined for one of a sort that there is not: it is passed over
 * @throws {SyntaxError} when it is no step
 */
export function canonicalElement(text: string): string | undefined {
  const rest = text.slice(2);
  switch (text.slice(0, 2)) {
    case "f:":
      return text;
    case "v:":
      return valueElement(JSON.parse(rest));
    case "k:": {
      const keys: unknown = JSON.parse(rest);
      if (!isObject(keys)) throw new SyntaxError("keys are an object");
      return keyElement(keys);
    }
    case "i:":
      if (!/^-?\d+$/.test(rest)) throw new SyntaxError("an index is a number");
      return `i:${Number(rest)}`;
    default:
      if (text.length < 2 || text[1] !== ":") throw new SyntaxError("a step has a colon");
      return undefined;
  }
}

/** As messages show it: `.spec`, `[name="web"]`, `[="x"]`, `[0]`. */
export function shownElement(element: string): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case "f:":
      return `.${rest}`;
    case "v:":
      return `[=${rest}]`;
    case "k:": {
      const keys = Object.entries(JSON.parse(rest) as JsonObject); // Made by `keyElement`.
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
    }
    default:
      return `[${rest}]`;
  }
}

/** Kubernetes' order: fields, keys, values, places; each by what they hold. */
export function compareElements(a: string, b: string): number {
  if (a === b) return 0;
  if (a.startsWith("f:") && b.startsWith("f:")) return compareText(a, b);
  const [sortA, sortB] = [sorts.indexOf(a[0] ?? ""), sorts.indexOf(b[0] ?? "")];
  if (sortA !== sortB) return sortA - sortB;
  const [restA, restB] = [a.slice(2), b.slice(2)];
  switch (a.slice(0, 1)) {
    case "k":
      return compareKeys(JSON.parse(restA) as JsonObject, JSON.parse(restB) as JsonObject); // As above.
    case "v":
      return compareValues(JSON.parse(restA), JSON.parse(restB));
    default:
      return Number(restA) - Number(restB);
  }
}

const sorts = ["f", "k", "v", "i"];

function compareKeys(a: JsonObject, b: JsonObject): number {
  const [own, other] = [Object.entries(a), Object.entries(b)];
  for (const [nth, [name, value]] of own.entries()) {
    const against = other[nth];
    if (against === undefined) return 1;
    const order = compareText(name, against[0]) || compareValues(value, against[1]);
    if (order !== 0) return order;
  }
  return own.length - other.length;
}

/** Numbers before texts before flags before all else. */
function compareValues(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  const order = rankOf(a) - rankOf(b);
  return order === 0 ? compareText(jsonText(a), jsonText(b)) : order;
}

const types = ["number", "string", "boolean"];
const rankOf = (value: unknown) => {
  const at = types.indexOf(typeof value);
  return at < 0 ? types.length : at;
};

/** By the bytes of UTF-8, as Go compares: surrogates come after all else. */
export function compareText(a: string, b: string): number {
  if (!late.test(a) && !late.test(b)) return a < b ? -1 : Number(a > b);
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one === other) continue;
    const [surrogate, otherSurrogate] = [isSurrogate(one), isSurrogate(other)];
    return surrogate === otherSurrogate ? one - other : Number(surrogate) - Number(otherSurrogate);
  }
  return a.length - b.length;
}

/** Units of UTF-16 that have another place among the bytes of UTF-8. */
const late = /[\ud800-\uffff]/;
const isSurrogate = (unit: number) => unit >= 0xd8_00 && unit <= 0xdf_ff;

/** JSON as Go writes it: what HTML or JavaScript would read as something else is escaped. */
function jsonText(value: unknown): string {
  const text = JSON.stringify(isObject(value) ? sortedObject(value) : value);
  return /[<>&\u2028\u2029]/.test(text)
    ? text.replaceAll(/[<>&\u2028\u2029]/g, (sign) => escaped(sign))
    : text;
}

const escaped = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;

const sortedObject = (value: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => compareText(a, b)));
