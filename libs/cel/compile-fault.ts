/** What does not compile, in cel-go's form and, where they are known, its words. */
import { ParseError } from "@marcbachmann/cel-js";
import { kubernetes } from "./environment.ts";
import { objectPrefix } from "./declarations.ts";
import { replacedPrefix } from "./functions/strings.ts";

type Range = { readonly start: number; readonly end: number };
type Node = {
  readonly op: string;
  readonly args: unknown;
  readonly range: Range;
  /** Of what was checked before the fault was found. */
  readonly checkedType?: { readonly name: string };
};
type Fault = {
  readonly code?: string;
  readonly summary?: string;
  readonly range?: Range;
  readonly node?: Node;
};

/** `ERROR: <input>:1:5: undefined field 'b'`, and the line with a mark under the place. */
export function compileFault(error: Error, expression: string): string {
  const { code, summary = error.message, range, node }: Error & Fault = error;
  const syntax = error instanceof ParseError ? "Syntax error: " : "";
  const from = range?.start ?? 0;
  const at = syntax !== "" || node === undefined ? from : placeOf(node, from, expression);
  const words = worded(code, summary, node);
  return `ERROR: ${place(expression, at)}: ${syntax}${words}\n${pointer(expression, at)}`;
}

/** In cel-go's words where they are known, cel-js's otherwise. */
function worded(code: string | undefined, text: string, node: Node | undefined): string {
  const summary = text.replaceAll(replacedPrefix, "");
  const name = summary.split(": ")[1] ?? "";
  switch (code) {
    case "unknown_variable":
      return `undeclared reference to '${name}' (in container '')`;
    case "no_such_key":
      return `undefined field '${name}'`;
    case "no_such_overload":
      return operatorFault(name) ?? summary;
    case "no_matching_overload":
      return functionFault(summary) ?? shownType(summary);
    case "invalid_logical_operand":
      return `found no matching overload for '_${node?.op}_' applied to '${operandsOf(node)}'`;
    case "invalid_index_type":
      return `found no matching overload for '_[_]' applied to '${operandsOf(node)}'`;
    case "invalid_condition_type":
      return `expected type 'bool' but found ${shownType(/'([^']*)'$/.exec(summary)?.[0] ?? "another")}`;
    case "incompatible_ternary_branches": {
      const [left = "", right = ""] = [...summary.matchAll(/'([^']*)'/g)].map(([, type]) => type);
      return `found no matching overload for '_?_:_' applied to '(bool, ${shownType(left)}, ${shownType(right)})'`;
    }
    case "unterminated_string":
      return "token recognition error";
    case undefined:
    default:
      return shownType(summary);
  }
}

/** `string == int`, `!string`. */
function operatorFault(signature: string): string | undefined {
  const binary = /^(.+) (==|!=|<=|>=|<|>|in|\+|-|\*|\/|%) (.+)$/.exec(signature);
  if (binary !== null) {
    const [, left = "", operator = "", right = ""] = binary;
    const name = operator === "in" ? "@in" : `_${operator}_`;
    return `found no matching overload for '${name}' applied to '(${shownType(left)}, ${shownType(right)})'`;
  }
  const unary = /^([!-])(.+)$/.exec(signature);
  if (unary === null) return undefined;
  const [, operator = "", operand = ""] = unary;
  return `found no matching overload for '${operator}_' applied to '(${shownType(operand)})'`;
}

/** `found no matching overload for 'string.startsWith(int)'`. */
function functionFault(summary: string): string | undefined {
  const [, receiver, name = "", parameters = ""] =
    /^found no matching overload for '(?:(.+)\.)?(\w+)\((.*)\)'$/.exec(summary) ?? [];
  if (name === "") return undefined;
  if (!functionNames().has(name)) return `undeclared reference to '${name}' (in container '')`;
  const given = `(${shownType(parameters)})`;
  const applied = receiver === undefined ? given : `${shownType(receiver)}.${given}`;
  return `found no matching overload for '${name}' applied to '${applied}'`;
}

let names: ReadonlySet<string> | undefined;
const functionNames = (): ReadonlySet<string> =>
  (names ??= new Set(
    kubernetes.getDefinitions().functions.map(({ name }) => name.replace(replacedPrefix, "")),
  ));

function operandsOf(node: Node | undefined): string {
  const operands = Array.isArray(node?.args) ? (node.args as readonly Partial<Node>[]) : [];
  return `(${operands.map(({ checkedType }) => shownType(checkedType?.name ?? "dyn")).join(", ")})`;
}

/** Types as cel-go writes them. */
export function shownType(text: string): string {
  const named = text
    .replaceAll(/google\.protobuf\.(Timestamp|Duration)/g, (_, name: string) => name.toLowerCase())
    .replaceAll(new RegExp(`${objectPrefix}\\d+`, "g"), "object")
    .replaceAll(/\boptional</g, "optional_type<");
  let inner = named;
  for (let before = ""; before !== inner;) {
    before = inner;
    inner = inner.replaceAll(/\b(list|map|optional_type)<([^<>]*)>/g, "$1($2)");
  }
  return inner;
}

/** Where cel-go sees an expression: at its operator, at the bracket of a call, at the dot of a field. */
function placeOf({ op, args }: Node, from: number, expression: string): number {
  const after = (text: string, start: number) => {
    const at = expression.indexOf(text, start);
    return at < 0 ? from : at;
  };
  const [first, second] = Array.isArray(args) ? (args as readonly unknown[]) : [];
  const end = (value: unknown): number => (value as Partial<Node> | undefined)?.range?.end ?? from;
  switch (op) {
    case ".":
    case ".?": {
      const dot = expression.lastIndexOf(".", from);
      return dot < 0 ? from : dot;
    }
    case "call":
      return after("(", from);
    case "rcall":
      return after("(", end(second));
    case "[]":
    case "[?]":
      return after("[", end(first));
    case "?:":
      return after("?", end(first));
    case "id":
    case "value":
    case "list":
    case "map":
    case "!_":
    case "-_":
      return from;
    default:
      return after(op, end(first));
  }
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
