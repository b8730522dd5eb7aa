/** Server-side apply of what comes over NATS. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { setLabel } from "../../../libs/cluster/view.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { overNats } from "../auth/user.ts";
import { isRecord, type JsonRecord } from "../patch/record.ts";
import { applyObject } from "../resources/apply.ts";
import type { Gateway } from "../resources/gateway.ts";
import { refusalAbout } from "../resources/refusal.ts";
import type { Fence } from "../resources/write.ts";
import type { ApplyAs } from "./apply-options.ts";
import { targetIn } from "./documents.ts";
import { stateOf } from "./manifest-set.ts";

export type Applied = {
  readonly action: "created" | "configured" | "unchanged";
  readonly object: AnyObject;
};

/** The set that a document belongs to, and the claim without which nothing is written for it. */
export type OfSet = { readonly id: string; readonly fence: Fence | undefined };

/**
 * Makes of the object what the document states.
 *
 * @throws {FenceMoved} a newer manifest has the set
 * @throws {ApiError} as an apply over HTTPS; BadRequest for a kind that there is not
 */
export async function applyDocument(
  gateway: Gateway,
  document: JsonRecord,
  { manager, force, dryRun }: Omit<ApplyAs, "set">,
  set: OfSet | undefined,
): Promise<Applied> {
  const target = targetIn(gateway.kinds, document);
  const { kind, name } = target;
  try {
    if (set !== undefined && gateway.backendFor(kind) !== stateOf(gateway)) {
      throw new ApiError("BadRequest", "Events are of no set");
    }
    const { object, created, changed } = await applyObject(
      gateway,
      target,
      set === undefined ? document : labelled(document, set.id),
      {
        dryRun,
        force,
        fieldManager: manager,
        fieldValidation: "Strict",
        user: overNats,
        part: "main",
        ...(set?.fence !== undefined && { fence: set.fence }),
      },
    );
    return { action: created ? "created" : changed ? "configured" : "unchanged", object };
  } catch (error) {
    throw error instanceof ApiError ? refusalAbout(error, kind, name) : error;
  }
}

/** The document with the set's label. @throws {ApiError} BadRequest when it has another's */
function labelled(document: JsonRecord, id: string): JsonRecord {
  const metadata = isRecord(document["metadata"]) ? document["metadata"] : {};
  const labels = metadata["labels"] ?? {};
  if (!isRecord(labels)) return document; // An apply says what is wrong with it.
  if ((labels[setLabel] ?? id) !== id) {
    throw new ApiError("BadRequest", `metadata.labels: ${setLabel} names another set`);
  }
  return { ...document, metadata: { ...metadata, labels: { ...labels, [setLabel]: id } } };
}
