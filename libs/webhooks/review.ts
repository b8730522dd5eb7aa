/** An AdmissionReview: what is sent, and what may come back. Pure. */
import * as z from "zod";
import { apiVersionOf, type Kind } from "../model/kind.ts";
import type { DenialStatus } from "./denied.ts";
import { type AdmissionRequest, bodyKindOf, type Objects } from "./request.ts";

/** The request without its objects, as CEL and webhooks read it. */
export function requestFields(request: AdmissionRequest, form: Kind) {
  const { kind, subresource, operation, name, namespace, user, dryRun, options } = request;
  const shown = request.namespace === undefined && isOwnNamespace(kind) ? name : namespace;
  const { username, uid, groups, extra } = user;
  return {
    kind: bodyKindOf(request, form),
    resource: { group: form.group, version: form.version, resource: form.plural },
    ...(subresource !== "" && { subResource: subresource }),
    requestKind: bodyKindOf(request, kind),
    requestResource: { group: kind.group, version: kind.version, resource: kind.plural },
    ...(subresource !== "" && { requestSubResource: subresource }),
    ...(name !== "" && { name }),
    ...(shown !== undefined && { namespace: shown }),
    operation,
    userInfo: { username, ...(uid !== undefined && { uid }), groups, ...(extra && { extra }) },
    dryRun,
    options: options ?? null,
  };
}

const isOwnNamespace = ({ group, kind }: Kind) => group === "" && kind === "Namespace";

const group = "admission.k8s.io";
const known = ["v1", "v1beta1"];

/** The version to speak: the first of the webhook's that is known; undefined: none is. */
export const reviewVersionOf = (versions: readonly string[]): string | undefined =>
  versions.find((version) => known.includes(version));

export type Review = { readonly version: string; readonly uid: string };

/** @param objects in the form that the webhook reads */
export const reviewOf = (
  { version, uid }: Review,
  fields: ReturnType<typeof requestFields>,
  { object, oldObject }: Objects,
) => ({
  kind: "AdmissionReview",
  apiVersion: apiVersionOf({ group, version }),
  request: { uid, ...fields, object: object ?? null, oldObject: oldObject ?? null },
});

const answer = z.object({
  apiVersion: z.string().default(""),
  kind: z.string().default(""),
  response: z
    .object({
      uid: z.string().default(""),
      allowed: z.boolean().default(false),
      status: z
        .object({
          code: z.number().nullish(),
          reason: z.string().nullish(),
          message: z.string().nullish(),
          details: z.looseObject({}).nullish(),
        })
        .nullish(),
      /** JSON, in base64. */
      patch: z.string().nullish(),
      patchType: z.string().nullish(),
      warnings: z.array(z.string()).nullish(),
      auditAnnotations: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
});

export type Verdict = {
  readonly allowed: boolean;
  readonly status: DenialStatus | undefined;
  /** A JSON patch, decoded; absent: nothing changes. */
  readonly patch: unknown;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
};

/** An answer that is no review of what was asked; the message is in Kubernetes' words. */
export class InvalidAnswer extends Error {
  override readonly name = "InvalidAnswer";
}

/** @throws {InvalidAnswer} */
export function verdictOf(
  review: Review,
  given: unknown,
  { mutating }: { readonly mutating: boolean },
): Verdict {
  const parsed = answer.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new InvalidAnswer(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
  }
  const { response } = parsed.data;
  if (response === null || response === undefined) {
    throw new InvalidAnswer("webhook response was absent");
  }
  if (review.version === "v1") requireOfReview(review, parsed.data, response.uid);
  const { status, warnings, auditAnnotations } = response;
  return {
    allowed: response.allowed,
    status: status === null || status === undefined ? undefined : statusOf(status),
    patch: mutating ? patchOf(review, response) : requireNone(review, response),
    warnings: warnings ?? [],
    auditAnnotations: auditAnnotations ?? {},
  };
}

type Answered = NonNullable<z.output<typeof answer>["response"]>;

function requireOfReview(
  { uid }: Review,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
  given: string,
): void {
  if (given !== uid) {
    throw new InvalidAnswer(
      `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(given)}`,
    );
  }
  if (apiVersion === `${group}/v1` && kind === "AdmissionReview") return;
  throw new InvalidAnswer(
    `expected webhook response of ${group}/v1, Kind=AdmissionReview, got ${apiVersion}, Kind=${kind}`,
  );
}

function patchOf({ version }: Review, { patch, patchType }: Answered): unknown {
  const [text, type] = [patch ?? "", patchType ?? ""];
  if (version === "v1" && text !== "" && type === "") {
    throw new InvalidAnswer("webhook returned response.patch but not response.patchType");
  }
  if (version === "v1" && text === "" && patchType !== null && patchType !== undefined) {
    throw new InvalidAnswer("webhook returned response.patchType but not response.patch");
  }
  if (text === "") return undefined;
  if (type !== "" && type !== "JSONPatch") {
    throw new InvalidAnswer(`unsupported patch type ${JSON.stringify(type)}`);
  }
  try {
    return JSON.parse(Buffer.from(text, "base64").toString("utf8"));
  } catch (error) {
    throw new InvalidAnswer("received undecodable patch in webhook response", { cause: error });
  }
}

function requireNone({ version }: Review, { patch, patchType }: Answered): undefined {
  if (version !== "v1") return undefined;
  for (const [field, value] of Object.entries({ patch, patchType })) {
    if (value === null || value === undefined || value === "") continue;
    throw new InvalidAnswer(`validating webhook may not return response.${field}`);
  }
  return undefined;
}

function statusOf({
  code,
  reason,
  message,
  details,
}: NonNullable<Answered["status"]>): DenialStatus {
  return {
    code: code ?? undefined,
    reason: reason ?? undefined,
    message: message ?? undefined,
    details: details ?? undefined,
  };
}
