/** `"%s has %d".format([a, b])`: what Go's verbs mean for values of CEL. */
import { charge } from "../budget.ts";
import { entriesOf, isMap, isPrinted, jsonValue, printed } from "../values.ts";
import { failure } from "./library.ts";

/** More digits say nothing, and cost memory. */
const precisionMax = 100;

export function formatText(template: string, args: readonly unknown[]): string {
  charge(template.length * 0.1);
  let next = 0;
  const take = () => {
    if (next >= args.length) throw failure(`index ${next} out of range`);
    return args[next++];
  };
  return template.replaceAll(
    /%(?:%|(?:\.(\d+))?(.?))/gsu,
    (verb, digits?: string, letter?: string) => {
      if (verb === "%%") return "%";
      const precision = Math.min(Number(digits ?? 6), precisionMax);
      const text = write(letter ?? "", take(), precision);
      charge(text.length * 0.1);
      return text;
    },
  );
}

function write(verb: string, value: unknown, precision: number): string {
  switch (verb) {
    case "s":
      return textOf(value);
    case "d":
      if (typeof value === "bigint" || typeof value === "number") return String(value);
      throw wrong("integers", value);
    case "f":
      return real(value, (number) => number.toFixed(precision));
    case "e":
      return real(value, (number) =>
        number.toExponential(precision).replace(/e([+-])(\d)$/, "e$10$2"),
      );
    case "b":
      return typeof value === "boolean" ? String(Number(value)) : whole(value, 2);
    case "o":
      return whole(value, 8);
    case "x":
      return hex(value);
    case "X":
      return hex(value).toUpperCase();
    default:
      throw failure(`unrecognized formatting clause "${verb}"`);
  }
}

/** As `%s` writes it: lists and maps with their items, keys sorted. */
function textOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "number" && !Number.isFinite(value))
    return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  if (Array.isArray(value)) return `[${value.map(textOf).join(", ")}]`;
  if (isMap(value)) {
    const entries = Array.from(
      entriesOf(value),
      ([key, item]) => `${textOf(key)}: ${textOf(item)}`,
    );
    return `{${entries.toSorted().join(", ")}}`;
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  if (value instanceof Date) return value.toISOString().replace(".000Z", "Z");
  if (typeof value === "string") return value;
  return isPrinted(value) ? printed(value) : JSON.stringify(jsonValue(value));
}

function real(value: unknown, format: (number: number) => string): string {
  if (typeof value !== "number" && typeof value !== "bigint") throw wrong("doubles", value);
  const number = Number(value);
  return Number.isFinite(number) ? format(number) : textOf(number);
}

function whole(value: unknown, radix: number): string {
  if (typeof value !== "bigint") throw wrong("integers", value);
  return value.toString(radix);
}

function hex(value: unknown): string {
  if (typeof value === "string") return Buffer.from(value, "utf8").toString("hex");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return whole(value, 16);
}

const wrong = (what: string, value: unknown) =>
  failure(`error during formatting: only ${what} can be formatted so, was given ${typeof value}`);
