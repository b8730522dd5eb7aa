/** cel-go's extension of strings, as far as cel-js has not got it or has it otherwise. */
import { charge, chargeFor, chargePattern } from "../budget.ts";
import { compilePattern, type Pattern } from "../pattern.ts";
import { formatText } from "./format-text.ts";
import { define, failure, type Library, namespace } from "./library.ts";

/** No text that a function makes is longer. */
const textMax = 10_000_000;

/**
 * Functions that cel-js defines itself, and not as Kubernetes does: `compileCel` gives calls of them
 * this prefix, since an overload cannot be replaced.
 */
export const replacedFunctions: ReadonlySet<string> = new Set([
  "matches",
  "lowerAscii",
  "upperAscii",
]);
export const replacedPrefix = "berth_";

export const strings: Library = (environment) => {
  define(environment, [
    [`string.${replacedPrefix}matches(string): bool`, matches],
    ["matches(string, string): bool", matches],
    [`string.${replacedPrefix}lowerAscii(): string`, (text: string) => lower(text)],
    [`string.${replacedPrefix}upperAscii(): string`, (text: string) => upper(text)],
    ["string.charAt(int): string", charAt],
    [
      "string.replace(string, string): string",
      (text: string, from: string, to: string) => replace(text, from, to, -1n),
    ],
    ["string.replace(string, string, int): string", replace],
    ["string.reverse(): string", (text: string) => Array.from(text).toReversed().join("")],
    ["string.format(list): string", formatText],
    [
      "string.find(string): string",
      (text: string, source: string) => findAll(text, source, 1)[0] ?? "",
    ],
    [
      "string.findAll(string): list<string>",
      (text: string, source: string) => findAll(text, source, Infinity),
    ],
    [
      "string.findAll(string, int): list<string>",
      (text: string, source: string, max: bigint) =>
        findAll(text, source, max < 0n ? Infinity : Number(max)),
    ],
  ]);
  namespace(environment, "strings", [["quote(string): string", quote]]);
};

function matches(text: string, source: string): boolean {
  chargePattern(text, source);
  return pattern(source).test(text);
}

function findAll(text: string, source: string, max: number): readonly string[] {
  chargePattern(text, source);
  return pattern(source).find(text, max);
}

function pattern(source: string): Pattern {
  const compiled = compilePattern(source);
  if (typeof compiled === "string") throw failure(compiled);
  return compiled;
}

const lower = (text: string) => text.replaceAll(/[A-Z]+/g, (part) => part.toLowerCase());
const upper = (text: string) => text.replaceAll(/[a-z]+/g, (part) => part.toUpperCase());

function charAt(text: string, at: bigint): string {
  chargeFor(text);
  const characters = Array.from(text);
  if (at < 0n || at > BigInt(characters.length)) throw failure(`index out of range: ${at}`);
  return characters[Number(at)] ?? "";
}

function replace(text: string, from: string, to: string, max: bigint): string {
  chargeFor(text, from, to);
  if (max === 0n) return text;
  const parts = from === "" ? ["", ...Array.from(text), ""] : text.split(from);
  const count = max < 0n ? parts.length - 1 : Math.min(Number(max), parts.length - 1);
  const length = text.length + count * to.length;
  charge(length * 0.1);
  if (length > textMax) throw failure("the result is too long");
  return parts.slice(0, count + 1).join(to) + rest(parts.slice(count + 1), from);
}

const rest = (parts: readonly string[], separator: string) =>
  parts.map((part) => separator + part).join("");

const escapes: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** A literal of CEL that means `text`. */
const quote = (text: string): string =>
  `"${Array.from(text.toWellFormed(), (character) => escapes[character] ?? character).join("")}"`;
