import type { ApiError } from "../../../libs/model/errors.ts";
import { isOutage, refusalOf } from "../http/server.ts";
import { isRecord } from "../patch/record.ts";
import type { Gateway } from "../resources/gateway.ts";
import { applyDocument, type Applied, type Document } from "./apply.ts";

/** What came of one document. */
export type Result =
  | { readonly ok: true; readonly action: Applied["action"]; readonly object: Reference }
  | { readonly ok: false; readonly document: Reference; readonly status: unknown };

type Reference = {
  readonly apiVersion?: string | undefined;
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
};

/** What all results together may say; those after it are cut short. A message holds at most 8 MB. */
const statusesMaxChars = 2 * 1024 * 1024;
const shortMaxChars = 300;

/** Applies documents in order; one that is refused stops no other. Throws only in an outage. */
export async function applyAll(
  gateway: Gateway,
  documents: readonly Document[],
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let saidChars = 0;
  for (const document of documents) {
    const result = await applyOne(gateway, document, saidChars < statusesMaxChars);
    if (!result.ok) saidChars += JSON.stringify(result.status).length;
    results.push(result);
  }
  return results;
}

async function applyOne(gateway: Gateway, document: Document, inFull: boolean): Promise<Result> {
  const refused = (error: ApiError): Result => ({
    ok: false,
    document: referenceOf(document.value),
    status: inFull ? error.toStatus() : inShort(error),
  });
  if (!document.ok) return refused(document.error);
  try {
    const { action, object } = await applyDocument(gateway, document.value);
    return { ok: true, action, object: referenceOf(object) };
  } catch (error) {
    if (isOutage(error)) throw error;
    return refused(refusalOf(error, gateway.log));
  }
}

const inShort = (error: ApiError) => ({
  ...error.toStatus(),
  message: error.message.slice(0, shortMaxChars),
  details: {},
});

/** What an object says that it is; read with care, it may be just what a user wrote. */
function referenceOf(object: unknown): Reference {
  if (!isRecord(object)) return {};
  const { apiVersion, kind, metadata } = object;
  const { namespace, name, uid, resourceVersion } = isRecord(metadata) ? metadata : {};
  const texts = Object.entries({ apiVersion, kind, namespace, name, uid, resourceVersion });
  return Object.fromEntries(
    texts.flatMap(([key, value]) =>
      typeof value === "string" ? [[key, value.slice(0, shortMaxChars)]] : [],
    ),
  );
}
