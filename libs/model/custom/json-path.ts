/**
 * JSONPath as printer columns write it, which is kubectl's: `.spec.replicas`,
 * `.status.conditions[?(@.type=="Ready")].status`, `.metadata.annotations.a\.b/c`, `['a.b']`, `[0]`,
 * `[-1]`, `[1:3]`, `[*]`, `..name`.
 */
import { isRecord, own } from "./record.ts";

type Step =
  | { readonly type: "member"; readonly names: readonly string[] }
  | { readonly type: "index"; readonly indexes: readonly number[] }
  | {
      readonly type: "slice";
      readonly from: number;
      readonly to: number | undefined;
      readonly by: number;
    }
  | { readonly type: "all" }
  | { readonly type: "deep" }
  | { readonly type: "filter"; readonly test: (item: unknown) => boolean };

export type JsonPath = (value: unknown) => readonly unknown[];

/** Finds the values at a path; or says what is wrong with it. */
export function parseJsonPath(text: string): JsonPath | string {
  const inner = /^\{(.*)\}$/s.exec(text.trim())?.[1] ?? text.trim();
  const steps: Step[] = [];
  let rest = inner.startsWith("$") ? inner.slice(1) : inner;
  while (rest !== "") {
    const next = stepAt(rest);
    if (typeof next === "string") return next;
    steps.push(...next.steps);
    rest = rest.slice(next.length);
  }
  return (value) =>
    steps.reduce<readonly unknown[]>(
      (found, step) => found.flatMap((one) => take(step, one)),
      [value],
    );
}

function stepAt(
  text: string,
): { readonly steps: readonly Step[]; readonly length: number } | string {
  if (text.startsWith("..")) {
    const after = text.slice(2);
    const name = nameAt(after);
    const steps: Step[] = [{ type: "deep" }, ...(name.length === 0 ? [] : [memberStep(name.name)])];
    return { steps, length: 2 + name.length };
  }
  if (text.startsWith("[")) {
    const end = closingOf(text);
    if (end < 0) return `unterminated array`;
    const step = bracketed(text.slice(1, end).trim());
    return typeof step === "string" ? step : { steps: [step], length: end + 1 };
  }
  if (!text.startsWith(".")) return `unrecognized character in path: ${JSON.stringify(text[0])}`;
  const name = nameAt(text.slice(1));
  if (name.length > 0) return { steps: [memberStep(name.name)], length: 1 + name.length };
  return text.length === 1 || text[1] === "[" ? { steps: [], length: 1 } : `unexpected end of path`;
}

const memberStep = (name: string): Step =>
  name === "*" ? { type: "all" } : { type: "member", names: [name] };

/** Up to the next dot or bracket; a backslash takes what follows as it is. */
function nameAt(text: string): { readonly name: string; readonly length: number } {
  const [found = ""] = /^(?:\\.|[^.[\]\\\s])+/s.exec(text) ?? [];
  return { name: found.replaceAll(/\\(.)/gs, "$1"), length: found.length };
}

/** Where the bracket that `text` begins with ends: quotes may hold brackets. */
function closingOf(text: string): number {
  let [depth, quote] = [0, ""];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (quote !== "") {
      if (character === "\\") at += 1;
      else if (character === quote) quote = "";
    } else if (character === "'" || character === '"') quote = character;
    else if (character === "[") depth += 1;
    else if (character === "]") {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}

function bracketed(text: string): Step | string {
  if (text === "*") return { type: "all" };
  const filter = /^\?\((.*)\)$/s.exec(text);
  if (filter !== null) return filterStep(filter[1] ?? "");
  const slice = /^(-?\d*):(-?\d*)(?::(\d+))?$/.exec(text);
  if (slice !== null) {
    const [, from = "", to = "", by = "1"] = slice;
    return {
      type: "slice",
      from: Number(from),
      to: to === "" ? undefined : Number(to),
      by: Math.max(1, Number(by)),
    };
  }
  if (/^-?\d+(\s*,\s*-?\d+)*$/.test(text))
    return { type: "index", indexes: text.split(",").map(Number) };
  const names = [...text.matchAll(/\s*(?:'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)")\s*(?:,|$)/gs)];
  if (names.map(([all]) => all).join("") === text && names.length > 0)
    return {
      type: "member",
      names: names.map(([, a, b]) => (a ?? b ?? "").replaceAll(/\\(.)/gs, "$1")),
    };
  return `invalid array index ${text}`;
}

function filterStep(text: string): Step | string {
  const comparison = /^(.+?)\s*(==|!=|<=|>=|<|>)\s*(.+)$/s.exec(text.trim());
  const [, left = text, operator, right = ""] = comparison ?? [];
  const a = operand(left);
  if (typeof a === "string") return a;
  if (operator === undefined) return { type: "filter", test: (item) => a(item).length > 0 };
  const b = operand(right);
  if (typeof b === "string") return b;
  return { type: "filter", test: (item) => compare(a(item)[0], operator, b(item)[0]) };
}

function operand(text: string): JsonPath | string {
  const bare = text.trim();
  if (bare.startsWith("@")) return parseJsonPath(bare.slice(1));
  const quoted = /^'(.*)'$|^"(.*)"$/s.exec(bare);
  if (quoted !== null) return () => [quoted[1] ?? quoted[2] ?? ""];
  if (bare === "true" || bare === "false") return () => [bare === "true"];
  if (/^-?\d+(\.\d+)?$/.test(bare)) return () => [Number(bare)];
  return `unrecognized identifier ${bare}`;
}

function compare(a: unknown, operator: string, b: unknown): boolean {
  if (operator === "==") return a === b;
  if (operator === "!=") return a !== b;
  const comparable =
    (typeof a === "number" && typeof b === "number") ||
    (typeof a === "string" && typeof b === "string");
  if (!comparable) return false;
  const [left, right] = [a, b] as [number, number]; // Two numbers or two texts, as above.
  if (operator === "<") return left < right;
  if (operator === "<=") return left <= right;
  return operator === ">" ? left > right : left >= right;
}

function take(step: Step, value: unknown): readonly unknown[] {
  switch (step.type) {
    case "member":
      return isRecord(value) ? step.names.flatMap((name) => present(own(value, name))) : [];
    case "index":
      return Array.isArray(value) ? step.indexes.flatMap((at) => present(value.at(at))) : [];
    case "slice":
      return Array.isArray(value)
        ? value.slice(step.from, step.to).filter((_, at) => at % step.by === 0)
        : [];
    case "all":
      if (Array.isArray(value)) return value;
      return isRecord(value) ? Object.values(value) : [];
    case "deep":
      return below(value);
    case "filter":
      return Array.isArray(value) ? value.filter(step.test) : [];
    default:
      return step satisfies never;
  }
}

const present = (value: unknown): readonly unknown[] => (value === undefined ? [] : [value]);

/** A value and everything within it. */
function below(value: unknown): readonly unknown[] {
  const parts = Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : [];
  return [value, ...parts.flatMap(below)];
}
