/** What is asked of a container's log, as Kubernetes' PodLogOptions say it. */
import { ApiError, type Cause, invalid } from "../../../libs/model/errors.ts";
import type { LogsOpening } from "../../../libs/protocol/node.ts";
import { flagOf, textOf } from "../http/query.ts";

type LogOptions = Omit<LogsOpening, "namespace" | "pod" | "uid" | "container">;

const optionsKind = { group: "", kind: "PodLogOptions" };
/** The smallest value of each number, and what is said of smaller ones. */
const numbers = {
  tailLines: { min: 0, rule: "must be greater than or equal to 0" },
  sinceSeconds: { min: 1, rule: "must be greater than 0" },
  limitBytes: { min: 1, rule: "must be greater than 0" },
} as const;
const streams = ["All", "Stdout", "Stderr"] as const;

/** @throws {ApiError} Invalid, BadRequest */
export function logOptionsOf(query: URLSearchParams, name: string): LogOptions {
  const causes: Cause[] = [];
  const refuse = (reason: string, field: string, message: string) =>
    void causes.push({ reason, field, message });
  const number = (field: keyof typeof numbers): number | undefined => {
    const value = wholeOf(query, field);
    const { min, rule } = numbers[field];
    if (value !== undefined && value < min) {
      refuse("FieldValueInvalid", field, `Invalid value: ${value}: ${rule}`);
    }
    return value;
  };
  const tailLines = number("tailLines");
  const sinceSeconds = number("sinceSeconds");
  const limitBytes = number("limitBytes");
  const sinceTime = textOf(query, "sinceTime");
  const stream = textOf(query, "stream") ?? "All";
  if (sinceTime !== undefined && Number.isNaN(Date.parse(sinceTime))) {
    throw new ApiError("BadRequest", `sinceTime: Invalid value: "${sinceTime.slice(0, 100)}"`);
  }
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    const rule = "at most one of `sinceTime` or `sinceSeconds` may be specified";
    refuse("FieldValueForbidden", "", `Forbidden: ${rule}`);
  }
  const chosen = streams.find((one) => one === stream);
  if (chosen === undefined) {
    const supported = streams.map((one) => JSON.stringify(one)).join(", ");
    const told = `Unsupported value: ${JSON.stringify(stream.slice(0, 100))}: supported values: ${supported}`;
    refuse("FieldValueNotSupported", "stream", told);
  } else if (chosen !== "All" && tailLines !== undefined) {
    const rule = "`tailLines` and specific `stream` are mutually exclusive for now";
    refuse("FieldValueForbidden", "", `Forbidden: ${rule}`);
  }
  if (causes.length > 0) throw invalid(optionsKind, name, causes);
  return {
    follow: flagOf(query, "follow"),
    previous: flagOf(query, "previous"),
    timestamps: flagOf(query, "timestamps"),
    ...(chosen !== undefined && { stream: chosen }),
    ...(tailLines !== undefined && { tailLines }),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
    ...(sinceTime !== undefined && { sinceTime }),
    ...(limitBytes !== undefined && { limitBytes }),
  };
}

/** @throws {ApiError} BadRequest for what is no whole number */
function wholeOf(query: URLSearchParams, name: string): number | undefined {
  const text = textOf(query, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new ApiError("BadRequest", `${name}: Invalid value: "${text.slice(0, 100)}"`);
}
