/** Client-side apply in the gateway: what `kubectl apply` does, for manifests that come over NATS. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { objectMaxBytes } from "../../../libs/admission/transaction.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { apiVersionOf, type Kind } from "../../../libs/model/kind.ts";
import { withoutNulls } from "../../../libs/model/nulls.ts";
import { parseText, textOf } from "../http/text.ts";
import { isRecord, type JsonRecord } from "../patch/record.ts";
import { lastAppliedAnnotation, threeWay } from "../patch/three-way.ts";
import type { Target } from "../resources/backend.ts";
import { overNats } from "../auth/user.ts";
import { createObject, updateObject, type WriteOptions } from "../resources/change.ts";
import type { Gateway } from "../resources/gateway.ts";
import { refusalAbout } from "../resources/refusal.ts";

/** One document of a manifest, or what is wrong with it, and what it says it is where that can be told. */
export type Document = { readonly ok: true; readonly value: JsonRecord } | Unreadable;
type Unreadable = { readonly ok: false; readonly error: ApiError; readonly value?: JsonRecord };

export type Applied = {
  readonly action: "created" | "configured" | "unchanged";
  readonly object: AnyObject;
};

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

const options: WriteOptions = {
  dryRun: false,
  fieldValidation: "Strict",
  fieldManager: "berth-nats",
  user: overNats,
};

/**
 * Makes the object what the document states, and keeps what others have added to it.
 *
 * @throws {ApiError} as create and update do; BadRequest for a kind that there is not
 */
export async function applyDocument(gateway: Gateway, document: JsonRecord): Promise<Applied> {
  const kind = kindOf(gateway.kinds, document);
  const wanted = annotated(document);
  const target = targetOf(kind, wanted);
  try {
    return await applyTo(gateway, target, wanted);
  } catch (error) {
    throw error instanceof ApiError ? refusalAbout(error, kind, target.name) : error;
  }
}

async function applyTo(gateway: Gateway, target: Target, wanted: JsonRecord): Promise<Applied> {
  const create = async (): Promise<Applied> => {
    const { object } = await createObject(gateway, target, wanted, options);
    return { action: "created", object };
  };
  if (target.name === "") return create();
  const updated = await update(gateway, target, wanted);
  if (updated !== undefined) return updated;
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "AlreadyExists") throw error;
    const raced = await update(gateway, target, wanted);
    if (raced === undefined) throw error;
    return raced;
  }
}

/** @returns undefined when there is no such object */
async function update(
  gateway: Gateway,
  target: Target,
  wanted: JsonRecord,
): Promise<Applied | undefined> {
  let was: string | undefined;
  const change = (before: AnyObject) => {
    was = before.metadata.resourceVersion;
    return threeWay(lastApplied(before), wanted, before, target.kind.schema);
  };
  try {
    const { object } = await updateObject(gateway, target, change, {
      ...options,
      part: "main",
      sent: "object",
    });
    const action = object.metadata.resourceVersion === was ? "unchanged" : "configured";
    return { action, object };
  } catch (error) {
    if (error instanceof ApiError && error.reason === "NotFound") return undefined;
    throw error;
  }
}

/** The kind of a document. @throws {ApiError} BadRequest */
export function kindOf(kinds: readonly Kind[], { apiVersion, kind }: JsonRecord): Kind {
  const found = kinds.find((one) => one.kind === kind && apiVersionOf(one) === apiVersion);
  if (found !== undefined) return found;
  throw new ApiError(
    "BadRequest",
    `no matches for kind ${quoted(kind)} in version ${quoted(apiVersion)}`,
  );
}

const quoted = (value: unknown) =>
  typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : '""';

/** The document, and in an annotation the document as it was given. */
function annotated(document: JsonRecord): JsonRecord {
  const metadata = isRecord(document["metadata"]) ? document["metadata"] : {};
  const annotations = isRecord(metadata["annotations"]) ? metadata["annotations"] : {};
  const { [lastAppliedAnnotation]: _before, ...given } = annotations;
  const applied = { ...document, metadata: { ...metadata, annotations: given } };
  const text = `${JSON.stringify(applied)}\n`;
  return {
    ...applied,
    metadata: { ...metadata, annotations: { ...given, [lastAppliedAnnotation]: text } },
  };
}

function lastApplied({ metadata }: AnyObject): unknown {
  const text = metadata.annotations?.[lastAppliedAnnotation];
  if (text === undefined) return {};
  try {
    return withoutNulls(JSON.parse(text));
  } catch {
    return {}; // Somebody wrote it by hand: nothing is known of the last apply.
  }
}

function targetOf(kind: Kind, { metadata }: JsonRecord): Target {
  const { name, namespace } = isRecord(metadata) ? metadata : {};
  const home = typeof namespace === "string" && namespace !== "" ? namespace : "default";
  return {
    kind,
    namespace: kind.namespaced ? home : undefined,
    name: typeof name === "string" ? name : "",
  };
}
