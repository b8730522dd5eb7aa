/**
 * A decision that webhooks have a say in: decide, let them change the object, decide again with what
 * they made of it, and let those who validate judge the result.
 */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Concerning } from "../../../libs/webhooks/admission-hooks.ts";
import { type AdmissionRequest, type Objects, unborn } from "../../../libs/webhooks/request.ts";

/** What admission is asked about a write, beside its objects. */
export type Asks = {
  readonly request: AdmissionRequest;
  /** What the request is about, of the object as it will be and as it was; absent: those two. */
  readonly shown?: (object: AnyObject, before: AnyObject | undefined) => Objects;
  /** What `decide` is given of a body that was changed; absent: the body itself. */
  readonly taken?: (body: unknown, object: AnyObject) => unknown;
  /**
   * The object as it was asked for, in storage form: webhooks may complete what admission would refuse.
   * Absent: such a one is refused at once.
   */
  readonly given?: (before: AnyObject | undefined) => AnyObject;
  /** Told to whoever asks, beside the result. */
  readonly warn: (text: string) => void;
};

/** What webhooks made of the body, for a decision to begin with. */
export type Changed = { readonly body: unknown };

/** A decision at a cut. */
export type Decision = {
  readonly object: AnyObject;
  readonly before: AnyObject | undefined;
};

/**
 * @param decide at the cut as it is when it is called, which may throw what refuses the object
 * @param seal what is refused of a decision only when it is to be committed: policies, quotas
 * @returns undefined when the object has changed while the webhooks were asked
 * @throws {ApiError} a refusal: admission's, or a webhook's
 */
export async function decideAsking<D extends Decision, S>(
  {
    asks,
    concerning,
    before: beforeNow,
  }: {
    readonly asks: Asks;
    readonly concerning: Concerning;
    /** The object as it is now; undefined: there is none. */
    readonly before: () => AnyObject | undefined;
  },
  decide: (changed: Changed | undefined) => D,
  seal: (decision: D) => S,
): Promise<S | undefined> {
  const changed = concerning.mutates
    ? await changedBody(asks, concerning, { decide, beforeNow })
    : undefined;
  if (changed !== undefined && revisionOf(beforeNow()) !== changed.at) return undefined;
  const decision = decide(changed?.changed);
  const sealed = seal(decision);
  await concerning.validate(objectsOf(asks, decision.object, decision.before), asks.warn);
  return sealed;
}

async function changedBody(
  asks: Asks,
  concerning: Concerning,
  {
    decide,
    beforeNow,
  }: {
    readonly decide: (changed: undefined) => Decision;
    readonly beforeNow: () => AnyObject | undefined;
  },
): Promise<{ readonly changed: Changed | undefined; readonly at: string | undefined }> {
  const before = beforeNow();
  const object = unborn(firstOf(asks, before, decide), asks.request);
  const objects = objectsOf(asks, object, before);
  const body = await concerning.mutate(objects, asks.warn);
  const at = revisionOf(before);
  // A deletion has none. What nobody changed is decided anew all the same: it was judged as it is.
  if (body === undefined) return { changed: undefined, at };
  return { changed: { body: asks.taken === undefined ? body : asks.taken(body, object) }, at };
}

/** What was decided, or what was asked for where admission refuses that as it is. */
function firstOf(
  { given }: Asks,
  before: AnyObject | undefined,
  decide: (changed: undefined) => Decision,
): AnyObject {
  try {
    return decide(undefined).object;
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "Invalid" || given === undefined)
      throw error;
    return given(before);
  }
}

/** The objects that webhooks and policies see of a decision. */
export const objectsOf = (
  { shown, request }: Asks,
  object: AnyObject,
  before: AnyObject | undefined,
): Objects => {
  if (shown !== undefined) return shown(object, before);
  return { object: request.operation === "DELETE" ? undefined : object, oldObject: before };
};

const revisionOf = (object: AnyObject | undefined): string | undefined =>
  object?.metadata.resourceVersion;
