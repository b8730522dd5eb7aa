import { ApiError, type Cause, type Reason, reasons } from "../model/errors.ts";

type Status = {
  readonly kind?: unknown;
  readonly reason?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly causes?: readonly Cause[];
    readonly retryAfterSeconds?: number;
  };
};

/**
 * The refusal that a Status tells of; for a reply that is none, one that its HTTP code stands for.
 *
 * @param code of the reply
 */
export function refusalIn(code: number, body: unknown): ApiError {
  const status = (typeof body === "object" && body !== null ? body : {}) as Status; // Looked at with care.
  const told = reasons.find((reason) => reason === status.reason);
  const reason = told ?? reasonFor(code);
  const message =
    typeof status.message === "string" ? status.message : `the gateway answered ${code}`;
  return new ApiError(reason, message, status.details ?? {});
}

const byCode: Readonly<Record<number, Reason>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  406: "NotAcceptable",
  409: "Conflict",
  410: "Expired",
  413: "RequestEntityTooLarge",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  503: "ServiceUnavailable",
  504: "Timeout",
};
const reasonFor = (code: number): Reason => byCode[code] ?? "InternalError";
