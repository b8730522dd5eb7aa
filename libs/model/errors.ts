import type * as z from "zod";
import { withoutRefusedEmpties } from "./empty-values.ts";
import type { Kind, StatusOnly } from "./kind.ts";
import { withoutNulls } from "./nulls.ts";

/** Kubernetes' StatusReason and the HTTP code that goes with it. */
const codes = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const;

export type Reason = keyof typeof codes;
export const reasons = Object.keys(codes) as readonly Reason[]; // Its own keys.
export type Cause = { readonly reason: string; readonly field: string; readonly message: string };
export type Details = {
  readonly name?: string | undefined;
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly uid?: string | undefined;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
  /** Where a list goes on that could not be continued as asked; it stands in the Status' metadata. */
  readonly continue?: string;
};

/** A refusal the caller is told about. What else reaches the gateway is a bug: logged, 500. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly reason: Reason; // Declared here: parameter properties are not erasable.
  readonly details: Details;

  constructor(reason: Reason, message: string, details: Details = {}, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.details = details;
  }

  get code(): number {
    return codes[this.reason];
  }

  toStatus() {
    const { reason, message, code } = this;
    const { continue: next, ...details } = this.details;
    const metadata = { ...(next !== undefined && { continue: next }) };
    const head = { apiVersion: "v1", kind: "Status", metadata, status: "Failure" } as const;
    return { ...head, message, reason, details, code };
  }
}

/**
 * The storage form of what a user or a turn wrote. A `null` counts as absent, as in Kubernetes.
 *
 * @throws {ApiError} Invalid, with one cause for each field at fault
 */
export function parse<O>(
  kind: Pick<Kind<O>, "group" | "kind" | "schema" | "custom">,
  input: unknown,
  /** What an update replaces; only custom resources' rules ask for it. */
  before?: unknown,
): O {
  if (kind.custom !== undefined) return kind.custom.parse(input, before) as O; // Of its very kind.
  const given = withoutNulls(input, kind.schema);
  const first = kind.schema.safeParse(given, { reportInput: true });
  if (first.success) return first.data;
  const filled = withoutRefusedEmpties(given, first.error.issues);
  const result =
    filled === undefined ? first : kind.schema.safeParse(filled, { reportInput: true });
  if (result.success) return result.data;
  // No `cause`: the issues quote their input, which may be a Secret on its way to a log.
  throw invalid(kind, nameIn(given), result.error.issues.flatMap(toCauses));
}

/**
 * The storage form of a status whose object was parsed when it was written. A third of the time of
 * `parse`: statuses are most of what is written.
 *
 * @throws {ApiError} as `parse`
 */
export function parseStatus(
  { group, kind, statusSchema }: Kind,
  name: string | undefined,
  status: unknown,
): StatusOnly["status"] {
  const only = { group, kind, schema: statusSchema };
  return parse(only, { metadata: { name }, status }).status;
}

/** So many causes are told; who made thousands of mistakes finds the rest after these. */
const causesMax = 100;

/** The refusal of an object for what its fields hold. */
export function invalid(
  kind: Pick<Kind, "group" | "kind">,
  name: string | undefined,
  all: readonly Cause[],
): ApiError {
  const causes = all.slice(0, causesMax);
  const texts = causes.map(({ field, message }) =>
    field === "" ? message : `${field}: ${message}`,
  );
  if (all.length > causes.length) texts.push(`and ${all.length - causes.length} more`);
  const summary = texts.length === 1 ? texts.join("") : `[${texts.join(", ")}]`;
  const subject = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
  const { group } = kind;
  const details = { name, ...(group !== "" && { group }), kind: kind.kind, causes };
  return new ApiError("Invalid", `${subject} "${name ?? ""}" is invalid: ${summary}`, details);
}

/** `spec.containers[0].name` of a path's steps; a step that is no identifier is quoted. */
export function fieldOf(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => {
    if (typeof step === "number") return `[${step}]`;
    const text = String(step);
    return /^[A-Za-z_$][\w$]*$/.test(text) ? `.${text}` : `[${text}]`;
  });
  return steps.join("").replace(/^\./, "");
}

/** The name that an object gives itself, whatever else it is. */
export function nameIn(input: unknown): string | undefined {
  const metadata = (input as { metadata?: { name?: unknown } } | null | undefined)?.metadata; // Looked at with care.
  return typeof metadata?.name === "string" ? metadata.name : undefined;
}

function toCauses(issue: z.core.$ZodIssue): readonly Cause[] {
  const told: unknown = issue.code === "custom" ? issue.params?.["field"] : undefined;
  const field = typeof told === "string" ? told : fieldOf(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const unknown = fieldOf([...issue.path, key]);
      return { reason: "FieldValueInvalid", field: unknown, message: `unknown field "${unknown}"` };
    });
  }
  if (issue.code === "invalid_key" || issue.code === "invalid_element") {
    return issue.issues.map((inner) => ({
      reason: causeReason(inner),
      field,
      message: textOf(inner),
    }));
  }
  return [{ reason: causeReason(issue), field, message: textOf(issue) }];
}

function causeReason(issue: z.core.$ZodIssue): string {
  if (issue.code === "custom" && typeof issue.params?.["reason"] === "string") {
    return issue.params["reason"];
  }
  if (isMissing(issue)) return "FieldValueRequired";
  if (issue.code === "invalid_value") return "FieldValueNotSupported";
  if (issue.code === "invalid_type") return "FieldValueTypeInvalid";
  return "FieldValueInvalid";
}

const isMissing = (issue: z.core.$ZodIssue): boolean =>
  issue.input === undefined && issue.code !== "custom";

/** In Kubernetes' words. What the field holds is quoted only where it is a number or one word of an enumeration. */
function textOf(issue: z.core.$ZodIssue): string {
  if (isMissing(issue)) return "Required value";
  const { input } = issue;
  if (issue.code === "invalid_value") {
    const supported = issue.values.map((value) => `"${String(value)}"`).join(", ");
    const shown = typeof input === "string" && input.length <= 63 ? `"${input}"` : "value";
    return `Unsupported value: ${shown}: supported values: ${supported}`;
  }
  if (issue.code === "too_small" && typeof input === "number") {
    return `Invalid value: ${input}: must be greater than or equal to ${issue.minimum}`;
  }
  if (issue.code === "too_big" && typeof input === "number") {
    return `Invalid value: ${input}: must be less than or equal to ${issue.maximum}`;
  }
  if (issue.code !== "invalid_type") {
    return spoken.test(issue.message) ? issue.message : `Invalid value: ${issue.message}`;
  }
  return `Invalid type: must be ${issue.expected === "record" ? "object" : issue.expected}`;
}

/** What a message begins with that says by itself what sort of fault it is. */
const spoken = /^(Invalid|Required|Duplicate|Forbidden|Unsupported|Not found|Too long)/;
