/** Field selectors as a query states them, as predicates on objects. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";

export type Selects = (object: AnyObject) => boolean;

/**
 * `metadata.name=web,status.phase!=Running`; which fields may be named depends on the kind.
 *
 * @throws {ApiError} BadRequest for a field that cannot be selected by
 */
export function fieldSelector(text: string, kind: Pick<Kind, "kind" | "selectable">): Selects {
  const terms = termsOf(text).map(({ field, ...term }) => {
    if (!isSelectable(kind, field))
      throw badSelector(`field label not supported: ${field.slice(0, 300)}`);
    return { path: field.split("."), ...term };
  });
  return (object) =>
    terms.every(({ path, differs, value }) => (textAt(object, path) === value) !== differs);
}

/** Beside these every kind has metadata.name and metadata.namespace. */
const selectable: Readonly<Record<string, readonly string[]>> = {
  Pod: [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
  ],
  Event: [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
  Node: ["spec.unschedulable"],
  Namespace: ["status.phase"],
  Secret: ["type"],
  ReplicaSet: ["status.replicas"],
  Service: ["spec.clusterIP", "spec.type"],
};

const isSelectable = (kind: Pick<Kind, "kind" | "selectable">, field: string) =>
  field === "metadata.name" ||
  field === "metadata.namespace" ||
  (kind.selectable ?? selectable[kind.kind] ?? []).includes(field);

function textAt(object: AnyObject, path: readonly string[]): string {
  let at: unknown = object;
  for (const step of path) {
    at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[step] : undefined; // Any object.
  }
  if (typeof at === "string") return at;
  if (typeof at === "number" || typeof at === "boolean") return String(at);
  // `source` of an Event selects by its component; a flag that is absent is false.
  if (typeof at === "object" && at !== null && "component" in at) return String(at.component);
  return path.at(-1) === "unschedulable" || path.at(-1) === "hostNetwork" ? "false" : "";
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
