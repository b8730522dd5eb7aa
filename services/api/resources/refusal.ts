import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { AdmissionDenied } from "../../../libs/webhooks/denied.ts";

/** A refusal with what it is about, as clients print it; what it says itself of that stays. */
export function refusalAbout(error: ApiError, kind: Kind, name: string | undefined): ApiError {
  if (error instanceof AdmissionDenied) return error; // A webhook's own words.
  const about = {
    name: name || undefined,
    group: kind.group || undefined,
    kind: error.reason === "Invalid" ? kind.kind : kind.plural,
  };
  const { reason, message, details } = error;
  return new ApiError(reason, message, { ...about, ...details }, { cause: error });
}
