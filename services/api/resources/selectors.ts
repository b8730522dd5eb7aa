/** Field selectors as a query states them, as predicates on objects. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { readerOf, type Selected } from "./selectable-fields.ts";

export type Selects = (object: AnyObject) => boolean;

/**
 * `metadata.name=web,status.phase!=Running`; which fields may be named depends on the kind.
 *
 * @throws {ApiError} BadRequest for a field that cannot be selected by
 */
export function fieldSelector(text: string, kind: Selected): Selects {
  const terms = termsOf(text).map(({ field, ...term }) => ({
    read: readerOf(kind, field),
    ...term,
  }));
  return (object) =>
    terms.every(({ read, differs, value }) => (read(object) === value) !== differs);
}

/** The name of the one object that a selector can select, where it names one. */
export function nameSelected(text: string): string | undefined {
  const named = termsOf(text).find(({ field, differs }) => field === "metadata.name" && !differs);
  return named?.value;
}

type Term = { readonly field: string; readonly differs: boolean; readonly value: string };

/** @throws {ApiError} BadRequest */
function termsOf(text: string): readonly Term[] {
  return (text.match(/(?:\\[\s\S]|[^\\,])+/g) ?? []).map((term) => {
    const match = /^([^=!]*?)(==|!=|=)([\s\S]*)$/.exec(term);
    if (match === null) {
      const [all, part] = [text, term].map((one) => one.slice(0, 300));
      throw badSelector(`invalid selector: '${all}'; can't understand '${part}'`);
    }
    const [, field = "", operator, value = ""] = match;
    return { field, differs: operator === "!=", value: unescaped(value) };
  });
}

/** What `\\`, `\,` and `\=` stand for. @throws {ApiError} BadRequest */
function unescaped(value: string): string {
  const wrong = /(?:^|[^\\])(?:\\\\)*\\(?:[^\\,=]|$)/.exec(value);
  const isBare = /(?:^|[^\\])(?:\\\\)*=/.test(value);
  if (wrong === null && !isBare) return value.replaceAll(/\\([\\,=])/g, "$1");
  const shown = value.slice(0, 300);
  throw badSelector(
    wrong === null
      ? `invalid field selector: unescaped character in value: '=' in ${JSON.stringify(shown)}`
      : `invalid field selector: invalid escape sequence in value: ${JSON.stringify(shown)}`,
  );
}

const badSelector = (message: string) => new ApiError("BadRequest", message);
