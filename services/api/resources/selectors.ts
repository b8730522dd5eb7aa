/** Label and field selectors as a query states them, as predicates on objects. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { isLabelValue, labelKeyFault } from "../../../libs/model/names.ts";
import { readerOf, type Selected } from "./selectable-fields.ts";

export type Selects = (object: AnyObject) => boolean;

type Requirement =
  | { readonly key: string; readonly operator: "in" | "notin"; readonly values: readonly string[] }
  | { readonly key: string; readonly operator: "exists" | "!" };

/**
 * `app=web,tier in (a, b),!legacy` in Kubernetes' grammar.
 *
 * @throws {ApiError} BadRequest
 */
export function labelSelector(text: string): Selects {
  const requirements = splitTop(text).map(labelRequirement);
  return ({ metadata: { labels = {} } }) =>
    requirements.every((one) =>
      holds(one, Object.hasOwn(labels, one.key) ? labels[one.key] : undefined),
    );
}

/**
 * `metadata.name=web,status.phase!=Running`; which fields may be named depends on the kind.
 *
 * @throws {ApiError} BadRequest for a field that cannot be selected by
 */
export function fieldSelector(text: string, kind: Selected): Selects {
  const terms = splitTop(text).map((term) => {
    const match = /^([^=!]+)(==|!=|=)(.*)$/.exec(term);
    if (match === null) {
      throw badSelector(`invalid selector: ${quoted(term)}; can't understand ${quoted(term)}`);
    }
    const [, field = "", operator, value = ""] = match;
    const read = readerOf(kind, field.trim());
    return { read, differs: operator === "!=", value: unescapeValue(value) };
  });
  return (object) =>
    terms.every(({ read, differs, value }) => (read(object) === value) !== differs);
}

function labelRequirement(term: string): Requirement {
  const set = /^([^\s!=()]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term);
  if (set !== null) {
    const [, key = "", operator, inside = ""] = set;
    const list = inside.split(",").map((value) => value.trim());
    const values = list.map((value) => validValue(key, value));
    return { key: validKey(key), operator: operator === "in" ? "in" : "notin", values };
  }
  const equality = /^([^\s!=()]+)\s*(==|!=|=)\s*([^\s!=()]*)$/.exec(term);
  if (equality !== null) {
    const [, key = "", operator, value = ""] = equality;
    const values = [validValue(key, value)];
    return { key: validKey(key), operator: operator === "!=" ? "notin" : "in", values };
  }
  const bare = /^(!?)\s*([^\s!=()]+)$/.exec(term);
  if (bare === null) throw badSelector(`unable to parse requirement: ${quoted(term)}`);
  const [, not, key = ""] = bare;
  return { key: validKey(key), operator: not === "!" ? "!" : "exists" };
}

function validKey(key: string): string {
  const fault = labelKeyFault(key);
  if (fault === undefined) return key;
  throw badSelector(`unable to parse requirement: invalid label key ${quoted(key)}: ${fault}`);
}

function validValue(key: string, value: string): string {
  if (isLabelValue(value)) return value;
  throw badSelector(
    `unable to parse requirement: values[0][${key}]: Invalid value: ${quoted(value)}: a valid label must consist of alphanumeric characters, '-', '_' or '.'`,
  );
}

/** As much as a message shows of what somebody wrote. */
const quoted = (text: string) => JSON.stringify(text.slice(0, 300));

function holds(requirement: Requirement, value: string | undefined): boolean {
  switch (requirement.operator) {
    case "in":
      return value !== undefined && requirement.values.includes(value);
    case "notin":
      return value === undefined || !requirement.values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    default:
      return requirement satisfies never;
  }
}

/** Splits at commas outside parentheses; empty text has no terms. */
function splitTop(text: string): readonly string[] {
  const terms: string[] = [];
  let [depth, start] = [0, 0];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    else if (char === "," && depth === 0 && text[at - 1] !== "\\") {
      terms.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  terms.push(text.slice(start).trim());
  return terms.filter((term) => term !== "");
}

const unescapeValue = (value: string) => value.replaceAll(/\\([\\,=])/g, "$1");

const badSelector = (message: string) => new ApiError("BadRequest", message);
