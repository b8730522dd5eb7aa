/**
 * Texts that clients send, as values: JSON, and YAML as far as it says what JSON can. Whatever a text
 * holds, reading it takes time and memory in proportion to its size, and a value is never deeper than
 * what the code behind can walk by recursion.
 */
import { CORE_SCHEMA, load, Type, YAMLException } from "js-yaml";
import { ApiError } from "../../../libs/model/errors.ts";

/** Objects within objects. No kind comes near. js-yaml has the same bound of its own. */
const depthMax = 100;
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
    return JSON.parse(text);
  } catch {
    // The parser's message quotes its input, which may be a Secret.
    throw new ApiError("BadRequest", "the body is not valid JSON");
  }
}

function parseYaml(text: string): unknown {
  // Most programs send JSON, which is YAML too, and read much faster.
  if (text.startsWith("{")) {
    try {
      return JSON.parse(text);
    } catch {
      // YAML in one line.
    }
  }
  try {
    return load(text, { schema });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { line, column } = error.mark ?? {};
    const at = line === undefined ? "" : ` at line ${line + 1}, column ${(column ?? 0) + 1}`;
    throw new ApiError("BadRequest", `the body is not valid YAML${at}`); // As above.
  }
}

/** In Kubernetes' YAML, which is 1.1 here, a file mode such as 0644 is octal. */
const octal = /^[-+]?0[0-7]+$/;
const decimal = /^[-+]?(0|[1-9]\d*)$/;
const other = /^[-+]?0(x[\da-fA-F]+|o[0-7]+|b[01]+)$/;
const integer = new Type("tag:yaml.org,2002:int", {
  kind: "scalar",
  resolve: (text: unknown) =>
    typeof text === "string" && [octal, decimal, other].some((form) => form.test(text)),
  construct: (text: string) => {
    const sign = text.startsWith("-") ? -1 : 1;
    const digits = text.replace(/^[-+]/, "");
    return sign * (octal.test(text) ? Number.parseInt(digits, 8) : Number(digits));
  },
  predicate: Number.isInteger,
  represent: String,
});
const schema = CORE_SCHEMA.extend({ implicit: [integer] });

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
