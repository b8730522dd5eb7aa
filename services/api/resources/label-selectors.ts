/**
 * Label selectors as a query states them: `app=web,tier in (a, b),!legacy,size>3`, in Kubernetes'
 * grammar and with its refusals.
 */
import { ApiError } from "../../../libs/model/errors.ts";
import { isLabelValue, labelKeyFault } from "../../../libs/model/names.ts";
import type { Selects } from "./selectors.ts";

type Requirement =
  | { readonly key: string; readonly operator: "in" | "notin"; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: "exists" | "!" }
  | { readonly key: string; readonly operator: ">" | "<"; readonly than: bigint };

/** @throws {ApiError} BadRequest */
export function labelSelector(text: string): Selects {
  const requirements = requirementsOf(text);
  return ({ metadata: { labels = {} } }) =>
    requirements.every((one) =>
      holds(one, Object.hasOwn(labels, one.key) ? labels[one.key] : undefined),
    );
}

function holds(requirement: Requirement, value: string | undefined): boolean {
  const { operator } = requirement;
  switch (operator) {
    case "in":
      return value !== undefined && requirement.values.includes(value);
    case "notin":
      return value === undefined || !requirement.values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    case ">":
    case "<": {
      if (value === undefined || !integer.test(value)) return false;
      const number = BigInt(value.replace("+", ""));
      return operator === ">" ? number > requirement.than : number < requirement.than;
    }
    default:
      return operator satisfies never;
  }
}

const integer = /^[+-]?\d+$/;

/** Words, operators, parentheses and commas, in their order; the last is the end: "". */
type Tokens = { readonly peek: () => string; readonly take: () => string };

function tokensOf(text: string): Tokens {
  const found = text.match(/==|!=|[=!(),<>]|[^\s=!(),<>]+/g) ?? [];
  let at = 0;
  const peek = () => found[at] ?? "";
  return {
    peek,
    take() {
      const token = peek();
      at += 1;
      return token;
    },
  };
}

const isWord = (token: string) => token !== "" && !/^[=!(),<>]/.test(token);

function requirementsOf(text: string): readonly Requirement[] {
  const tokens = tokensOf(text);
  const requirements: Requirement[] = [];
  if (tokens.peek() === "") return [];
  for (;;) {
    const first = tokens.peek();
    if (!isWord(first) && first !== "!") {
      throw bad(
        requirements.length === 0
          ? `found '${shown(first)}', expected: !, identifier, or 'end of string'`
          : `found '${shown(first)}', expected: identifier after ','`,
      );
    }
    requirements.push(requirementOf(tokens));
    const next = tokens.take();
    if (next === "") return requirements;
    if (next !== ",") throw bad(`found '${shown(next)}', expected: ',' or 'end of string'`);
  }
}

function requirementOf(tokens: Tokens): Requirement {
  const isNot = tokens.peek() === "!";
  if (isNot) tokens.take();
  const key = tokens.take();
  if (!isWord(key)) throw unparsed(`found '${shown(key)}', expected: identifier`);
  const fault = labelKeyFault(key);
  if (fault !== undefined) {
    throw unparsed(
      `<nil>: Invalid value: ${quoted(key)}: ${fault.replace(/^Invalid value: /, "")}`,
    );
  }
  const next = tokens.peek();
  if (next === "" || next === ",") return { key, operator: isNot ? "!" : "exists" };
  const operator = tokens.take();
  switch (operator) {
    case "in":
    case "notin":
      return { key, operator, values: valid(key, valuesOf(tokens)) };
    case "=":
    case "==":
      return { key, operator: "in", values: valid(key, [valueOf(tokens)]) };
    case "!=":
      return { key, operator: "notin", values: valid(key, [valueOf(tokens)]) };
    case ">":
    case "<": {
      const [value = ""] = valid(key, [valueOf(tokens)]);
      if (integer.test(value)) return { key, operator, than: BigInt(value.replace("+", "")) };
      const why = "for 'Gt', 'Lt' operators, the value must be an integer";
      throw unparsed(`values[0]: Invalid value: ${quoted(value)}: ${why}`);
    }
    default:
      throw unparsed(`found '${shown(operator)}', expected: in, notin, =, ==, !=, gt, lt`);
  }
}

/** `(a,b)`; what is empty between commas is the empty value. */
function valuesOf(tokens: Tokens): readonly string[] {
  const open = tokens.take();
  if (open !== "(") throw unparsed(`found '${shown(open)}' expected: '('`);
  const values: string[] = [];
  for (;;) {
    const value = isWord(tokens.peek()) ? tokens.take() : "";
    values.push(value);
    const next = tokens.take();
    if (next === ")") return values;
    if (next === ",") continue;
    const wanted = value === "" ? "',', ')' or identifier" : "',' or ')'";
    throw unparsed(`found '${shown(next)}', expected: ${wanted}`);
  }
}

function valueOf(tokens: Tokens): string {
  const next = tokens.peek();
  if (next === "" || next === ",") return "";
  tokens.take();
  if (isWord(next)) return next;
  throw unparsed(`found '${shown(next)}', expected: identifier`);
}

function valid(key: string, values: readonly string[]): readonly string[] {
  const wrong = values.findIndex((value) => !isLabelValue(value));
  if (wrong < 0) return values;
  const why =
    (values[wrong] ?? "").length > 63
      ? "must be no more than 63 bytes"
      : "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
  throw unparsed(`values[${wrong}][${key}]: Invalid value: ${quoted(values[wrong] ?? "")}: ${why}`);
}

/** As much as a message shows of what somebody wrote. */
const shown = (text: string) => text.slice(0, 300);
const quoted = (text: string) => JSON.stringify(shown(text));

const bad = (message: string) => new ApiError("BadRequest", message);
const unparsed = (message: string) => bad(`unable to parse requirement: ${message}`);
