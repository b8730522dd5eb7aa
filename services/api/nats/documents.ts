/** The documents of manifests that come over NATS. */
import { objectMaxBytes } from "../../../libs/admission/transaction.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { apiVersionOf, type Kind } from "../../../libs/model/kind.ts";
import { parseText, textOf } from "../http/text.ts";
import { isRecord, type JsonRecord } from "../patch/record.ts";
import type { Target } from "../resources/backend.ts";

/** One document of a manifest, or what is wrong with it, and what it says it is where that can be told. */
export type Document = { readonly ok: true; readonly value: JsonRecord } | Unreadable;
type Unreadable = { readonly ok: false; readonly error: ApiError; readonly value?: JsonRecord };

const documentsMax = 1_000;

/**
 * The documents of a YAML or JSON text, the items of a `List` among them; Namespaces come first, so
 * that what lives in them finds them. A document that cannot be read spoils no other.
 */
export function documentsOf(bytes: Uint8Array): readonly Document[] {
  const texts = attempt(() => textOf(bytes).split(separator));
  if (!texts.ok) return [texts];
  if (texts.value.length > documentsMax) return [tooMany];
  const documents = texts.value.flatMap(documentsIn);
  if (documents.length > documentsMax) return [tooMany];
  return documents.toSorted((a, b) => rank(a) - rank(b));
}

/** Nothing is stated, not even a List of nothing. */
export const isBlank = (bytes: Uint8Array): boolean => !listed.test(textOf(bytes));

/** As kubectl splits them: a line of its own, at whose beginning no text can stand. */
const separator = /^---(?=\s|$)/m;

function documentsIn(text: string): readonly Document[] {
  const read = attempt(() => {
    if (Buffer.byteLength(text) > objectMaxBytes && !listed.test(text)) throw tooLarge();
    return parseText(text, "yaml");
  });
  if (!read.ok) return [read];
  const { value } = read;
  if (value === null || value === undefined) return [];
  if (!isRecord(value)) return [bad("the document is no object")];
  if (value["kind"] !== "List" || !Array.isArray(value["items"])) return [sized(value)];
  return value["items"].map((item: unknown) =>
    isRecord(item) ? sized(item) : bad("an item is no object"),
  );
}

/** What many objects share may be larger than one may be. */
const listed = /kind["']?\s*:\s*["']?List\b/;

function attempt<T>(run: () => T): { readonly ok: true; readonly value: T } | Unreadable {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    if (error instanceof ApiError) return { ok: false, error };
    throw error;
  }
}

function sized(value: JsonRecord): Document {
  const sizeBytes = Buffer.byteLength(JSON.stringify(value));
  return sizeBytes > objectMaxBytes ? { ok: false, error: tooLarge(), value } : { ok: true, value };
}

const tooLarge = () =>
  new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${objectMaxBytes}`);

const rank = (document: Document) =>
  document.ok && document.value["kind"] === "Namespace" ? 0 : 1;

const bad = (message: string): Unreadable => ({
  ok: false,
  error: new ApiError("BadRequest", message),
});
const tooMany = bad(`more than ${documentsMax} documents`);

/** Where a document says that its object is. @throws {ApiError} BadRequest */
export function targetIn(kinds: readonly Kind[], document: JsonRecord): Target {
  const kind = kindOf(kinds, document);
  const { name, namespace } = isRecord(document["metadata"]) ? document["metadata"] : {};
  if (typeof name !== "string" || name === "") {
    throw new ApiError("BadRequest", "metadata.name is required: what is applied has a name");
  }
  const home = typeof namespace === "string" && namespace !== "" ? namespace : "default";
  return { kind, namespace: kind.namespaced ? home : undefined, name };
}

function kindOf(kinds: readonly Kind[], { apiVersion, kind }: JsonRecord): Kind {
  const found = kinds.find((one) => one.kind === kind && apiVersionOf(one) === apiVersion);
  if (found !== undefined) return found;
  throw new ApiError(
    "BadRequest",
    `no matches for kind ${quoted(kind)} in version ${quoted(apiVersion)}`,
  );
}

const quoted = (value: unknown) =>
  typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : '""';
