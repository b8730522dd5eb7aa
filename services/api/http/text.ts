/**
 * Texts that clients send, as values: JSON, and YAML as far as it says what JSON can. Whatever a text
 * holds, reading it takes time and memory in proportion to its size, and a value is never deeper than
 * what the code behind can walk by recursion.
 */
import {
  Composer,
  type CST,
  type Document,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  type ScalarTag,
  type Tags,
  visit,
  type visitorFn,
} from "yaml";
import { ApiError } from "../../../libs/model/errors.ts";
import { duplicatesInJson, duplicatesMax, withDuplicates } from "./duplicate-fields.ts";

/** Objects within objects. No kind comes near. */
const depthMax = 100;
/** Of a YAML text; so many are read in half a second. JSON has no such bound. */
const tokensMax = 200_000;
const aliasesMax = 100;
/** What aliases may make of a YAML text: its size times this. */
const expansionMax = 16;

/** @throws {ApiError} BadRequest for what is no UTF-8 */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError("BadRequest", "the body is not valid UTF-8");
  }
}

/**
 * The value that a text states.
 *
 * @throws {ApiError} BadRequest when it is cut short, no such text, or nested too deep
 */
export function parseText(text: string, language: "json" | "yaml"): unknown {
  const value = language === "json" ? parseJson(text) : parseYaml(text);
  requireBounded(value, language === "json" ? Number.POSITIVE_INFINITY : text.length);
  return value;
}

function parseJson(text: string): unknown {
  try {
    return withDuplicates(JSON.parse(text) as unknown, duplicatesInJson(text));
  } catch {
    // The parser's message quotes its input, which may be a Secret.
    throw new ApiError("BadRequest", "the body is not valid JSON");
  }
}

function parseYaml(text: string): unknown {
  // Most programs send JSON, which is YAML too, and read much faster.
  if (text.startsWith("{")) {
    try {
      return withDuplicates(JSON.parse(text) as unknown, duplicatesInJson(text));
    } catch {
      // YAML in one line.
    }
  }
  const document = documentOf(text);
  try {
    const value = document.toJS({ maxAliasCount: aliasesMax }) as unknown;
    return withDuplicates(value, duplicatesIn(document));
  } catch {
    throw new ApiError("BadRequest", "the body is refused: too many aliases");
  }
}

function documentOf(text: string): Document.Parsed {
  const lines = new LineCounter();
  const composer = new Composer({
    uniqueKeys: false,
    resolveKnownTags: false,
    customTags: withOctal,
  });
  const documents = [...composer.compose(tokensOf(text, lines), true, text.length)];
  const [document, second] = documents;
  // A tag that is not JSON's is but a warning to the library.
  const [fault] = [...(document?.errors ?? []), ...(document?.warnings ?? [])];
  const offset = fault?.pos[0] ?? second?.range[0];
  if (document === undefined) throw notYaml("");
  if (offset === undefined && second === undefined) return document;
  const { line, col } = lines.linePos(offset ?? 0);
  throw notYaml(` at line ${line}, column ${col}`);
}

/** The parser's own message quotes its input, which may be a Secret. */
const notYaml = (at: string) => new ApiError("BadRequest", `the body is not valid YAML${at}`);

/** @throws {ApiError} BadRequest when there are more than a text may have */
function* tokensOf(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    count += 1;
    if (count > tokensMax) {
      throw new ApiError("BadRequest", "the body is refused: too long for YAML, send it as JSON");
    }
    yield* parser.next(lexeme);
  }
  yield* parser.end();
}

/** Fields that stand twice in their mapping. The library's own check takes quadratic time. */
function duplicatesIn(document: Document.Parsed): readonly string[] {
  const found = new Set<string>();
  visit(document, {
    Map(_, map, path) {
      const { items } = map;
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) found.add(fieldAt([...path, map], String(key.value)));
        seen.add(key.value);
      }
      return found.size >= duplicatesMax ? visit.BREAK : undefined;
    },
  });
  return [...found];
}

/** The path of a member of the mapping that `path` ends with. */
function fieldAt(path: Parameters<visitorFn<unknown>>[2], name: string): string {
  const steps = path.flatMap((node, at) => {
    if (isPair(node)) return `.${isScalar(node.key) ? String(node.key.value) : ""}`;
    if (!isSeq(node)) return [];
    return `[${node.items.indexOf(path[at + 1])}]`; // What a sequence holds, here.
  });
  return `${steps.join("")}.${name}`.slice(1);
}

/** In Kubernetes' YAML, which is 1.1 here, a file mode such as 0644 is octal. */
const octal: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  identify: () => false, // Nothing is written so.
  test: /^[-+]?0[0-7]+$/,
  resolve: (text) =>
    (text.startsWith("-") ? -1 : 1) * Number.parseInt(text.replace(/^[-+]/, ""), 8),
};
const withOctal = (tags: Tags): Tags => [octal, ...tags];

/**
 * Walks the value without recursion. What an alias names is walked each time: so is it written to
 * the store.
 *
 * @param sizeChars of the text; of one without aliases there is no need to look
 */
function requireBounded(value: unknown, sizeChars: number): void {
  const nodesMax = Math.max(sizeChars, 1_000) * expansionMax;
  const waiting: (readonly [value: unknown, depth: number])[] = [[value, 0]];
  let seen = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [one, depth] = next;
    seen += typeof one === "string" ? one.length : 1;
    if (depth > depthMax || seen > nodesMax) {
      const what = depth > depthMax ? `nested more than ${depthMax} deep` : "too many aliases";
      throw new ApiError("BadRequest", `the body is refused: ${what}`);
    }
    if (typeof one !== "object" || one === null) continue;
    for (const member of Object.values(one)) {
      if (typeof member === "object" || typeof member === "string") {
        waiting.push([member, depth + 1]);
      }
    }
  }
}
