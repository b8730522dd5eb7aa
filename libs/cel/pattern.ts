/**
 * Patterns of users: RE2, linear in the text, never the engine of JavaScript, in which a text of 28
 * characters can take minutes.
 */
import { RE2JS } from "re2js";

/** Longer ones are refused: what is compiled grows with the pattern, and with its repetitions. */
const patternMax = 10_000;
/** Compiled patterns that are remembered. */
const rememberedMax = 500;

/** The start and end of a match, in characters of UTF-16. */
type Span = { readonly start: number; readonly end: number };

export type Pattern = {
  /** Anywhere in `text`. */
  readonly test: (text: string) => boolean;
  /** The first `max` matches that do not overlap. */
  readonly find: (text: string, max: number) => readonly string[];
};

const remembered = new Map<string, Pattern | string>();

/** A compiled pattern, or in words what is wrong with it. */
export function compilePattern(source: string): Pattern | string {
  const known = remembered.get(source);
  if (known !== undefined) return known;
  const compiled = compile(source);
  if (remembered.size >= rememberedMax) remembered.clear();
  remembered.set(source, compiled);
  return compiled;
}

function compile(source: string): Pattern | string {
  if (source.length > patternMax) return `pattern is longer than ${patternMax} characters`;
  try {
    const compiled = RE2JS.compile(source);
    return {
      test: (text) => compiled.matcher(text).find(),
      find: (text, max) =>
        spansOf(compiled, text, max).map(({ start, end }) => text.slice(start, end)),
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function spansOf(pattern: RE2JS, text: string, max: number): Span[] {
  const matcher = pattern.matcher(text);
  const spans: Span[] = [];
  while (spans.length < max && matcher.find())
    spans.push({ start: matcher.start(), end: matcher.end() });
  return spans;
}
