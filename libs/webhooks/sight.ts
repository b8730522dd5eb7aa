/** A request and its objects, as those that a version was matched for see them. Each is made once. */
import { celValue, type CelValue } from "../cel/values.ts";
import type { Kind } from "../model/kind.ts";
import { type Authorize, authorizerFor } from "./authorizer.ts";
import { type AdmissionRequest, inForm, type Objects } from "./request.ts";
import { requestFields } from "./review.ts";

export type Sight = {
  readonly fields: ReturnType<typeof requestFields>;
  readonly objects: Objects;
  /** The variables of expressions. */
  bindings(): Readonly<Record<"object" | "oldObject" | "request" | "authorizer", CelValue>>;
};

export type Sights = (form: Kind) => Sight;

/** @param objects in storage form, where they are of the request's kind */
export function sightsOf(
  request: AdmissionRequest,
  { object, oldObject }: Objects,
  { authorize }: { readonly authorize: Authorize },
): Sights {
  const made = new Map<string, Sight>();
  return (form) => {
    const known = made.get(form.version);
    if (known !== undefined) return known;
    const shown = (one: unknown) => (request.body === undefined ? inForm(form, one) : one);
    const objects = { object: shown(object), oldObject: shown(oldObject) };
    const fields = requestFields(request, form);
    let bindings: ReturnType<Sight["bindings"]> | undefined;
    const sight: Sight = {
      fields,
      objects,
      bindings: () =>
        (bindings ??= {
          object: celValue(objects.object),
          oldObject: celValue(objects.oldObject),
          request: celValue(fields),
          authorizer: authorizerFor(request, authorize),
        }),
    };
    made.set(form.version, sight);
    return sight;
  };
}
