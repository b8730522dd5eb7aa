/** How admission refuses, in Kubernetes' words. */
import { ApiError, type Details } from "../model/errors.ts";

/** What a webhook or a policy says of a refusal; the code and the reason are its own. */
export type DenialStatus = {
  readonly code?: number | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  readonly details?: Details | undefined;
};

/** A refusal with a code and a reason that need not be any of Kubernetes' own. */
export class AdmissionDenied extends ApiError {
  readonly status: { readonly code: number; readonly reason: string | undefined };

  constructor(
    message: string,
    status: { readonly code: number; readonly reason: string | undefined },
    details: Details = {},
  ) {
    super("Forbidden", message, details);
    this.status = status;
  }

  override get code(): number {
    return this.status.code;
  }

  override toStatus() {
    // Whatever the webhook says is told as it is.
    return { ...super.toStatus(), reason: this.status.reason as ApiError["reason"] };
  }
}

/** A webhook that did not allow a request. */
export function deniedBy(webhook: string, status: DenialStatus | undefined): AdmissionDenied {
  const { code = 0, reason = "", message = "", details } = status ?? {};
  const head = `admission webhook ${JSON.stringify(webhook)} denied the request`;
  const said =
    message !== "" ? `: ${message}` : reason !== "" ? `: ${reason}` : " without explanation";
  return new AdmissionDenied(
    `${head}${said}`,
    { code: code < 400 || code > 599 ? 400 : code, reason: reason === "" ? undefined : reason },
    details,
  );
}

/** A webhook that could not be asked, or did not answer as one. */
export class WebhookFailed extends ApiError {
  constructor(webhook: string, reason: string, options?: ErrorOptions) {
    super(
      "InternalError",
      `Internal error occurred: failed calling webhook ${JSON.stringify(webhook)}: ${reason}`,
      {
        causes: [
          {
            reason: "",
            field: "",
            message: `failed calling webhook ${JSON.stringify(webhook)}: ${reason}`,
          },
        ],
      },
      options,
    );
  }
}
