import type { AnyObject } from "../../../libs/admission/context.ts";
import { isOutage, refusalOf } from "../http/server.ts";
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

/** Applies documents in order; one that is refused stops no other. Throws only in an outage. */
export async function applyAll(
  gateway: Gateway,
  documents: readonly Document[],
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const document of documents) results.push(await applyOne(gateway, document));
  return results;
}

async function applyOne(gateway: Gateway, document: Document): Promise<Result> {
  if (!document.ok) return { ok: false, document: {}, status: document.error.toStatus() };
  try {
    const { action, object } = await applyDocument(gateway, document.value);
    return { ok: true, action, object: referenceOf(object) };
  } catch (error) {
    if (isOutage(error)) throw error;
    const status = refusalOf(error, gateway.log).toStatus();
    // Read with care: it is what a user wrote.
    return { ok: false, document: referenceOf(document.value as unknown as AnyObject), status };
  }
}

function referenceOf({ apiVersion, kind, metadata }: AnyObject): Reference {
  const { namespace, name, uid, resourceVersion } = metadata ?? {};
  return { apiVersion, kind, namespace, name, uid, resourceVersion };
}
