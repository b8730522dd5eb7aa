import * as z from "zod";
import { ApiError, type Cause, invalid } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { Exchange } from "./server.ts";
import type { WriteOptions } from "../resources/change.ts";
import { dryRunFault } from "../resources/dry-run.ts";
import { checkedManager, managerMaxBytes } from "../resources/field-manager.ts";
import { labelSelector } from "../resources/label-selectors.ts";
import { fieldSelector, type Selects } from "../resources/selectors.ts";
import type { IncludeObject } from "../resources/table.ts";

/** A flag of a query: absent, "false" and "0" are false; whatever else it is, it is true, as in Kubernetes. */
export function flagOf(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text !== null && !/^(false|0)$/i.test(text);
}

/** A whole number of a query; an empty one is absent. @throws {ApiError} BadRequest */
export function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
  const why = /^[+-]?\d+$/.test(text) ? "value out of range" : "invalid syntax";
  throw new ApiError(
    "BadRequest",
    `strconv.ParseInt: parsing ${JSON.stringify(text.slice(0, 100))}: ${why}`,
  );
}

const optionsKinds: Readonly<Record<string, string>> = {
  POST: "CreateOptions",
  PUT: "UpdateOptions",
  PATCH: "PatchOptions",
};
const validations = ["Ignore", "Strict", "Warn"] as const;

/** @throws {ApiError} Invalid */
export function writeOptionsOf({ query, request, user }: Exchange): WriteOptions {
  return {
    ...checkedOptions(query, request.method),
    fieldManager: managerOf(query, request.headers["user-agent"]),
    user,
  };
}

/** @param method names the options that a refusal is about. @throws {ApiError} Invalid */
function checkedOptions(
  query: URLSearchParams,
  method = "POST",
): Pick<WriteOptions, "dryRun" | "fieldValidation"> {
  const causes: Cause[] = [];
  const dryRun = query.getAll("dryRun").filter((one) => one !== "");
  const reason = "FieldValueNotSupported";
  if (dryRun.some((one) => one !== "All")) {
    causes.push({ reason, field: "dryRun", message: dryRunFault(dryRun) });
  }
  const given = query.get("fieldValidation") ?? "";
  const fieldValidation = validations.find((one) => one === given);
  if (given !== "" && fieldValidation === undefined) {
    const supported = '"", "Ignore", "Strict", "Warn"';
    const message = `Unsupported value: ${JSON.stringify(given.slice(0, 63))}: supported values: ${supported}`;
    causes.push({ reason, field: "fieldValidation", message });
  }
  const kind = optionsKinds[method] ?? "CreateOptions";
  if (causes.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", causes);
  return { dryRun: dryRun.length > 0, fieldValidation: fieldValidation ?? "Warn" };
}

/** @throws {ApiError} Invalid for what is not `All` */
export const dryRunOf = (query: URLSearchParams): boolean => checkedOptions(query).dryRun;

/** Who manages what is written: as the client says, else its program's name. */
function managerOf(query: URLSearchParams, agent: string | undefined): string {
  const told = textOf(query, "fieldManager");
  if (told !== undefined) return checkedManager(told);
  return ((agent ?? "").split("/")[0] || "unknown").slice(0, managerMaxBytes);
}

/** @throws {ApiError} BadRequest */
export const includeObjectOf = (query: URLSearchParams): IncludeObject =>
  read(query, "includeObject", z.enum(["None", "Metadata", "Object"])) ?? "Metadata";

/** What `labelSelector` and `fieldSelector` select together. @throws {ApiError} BadRequest */
export function selectsOf(query: URLSearchParams, kind: Kind): Selects {
  const [labels, fields] = [query.get("labelSelector") ?? "", query.get("fieldSelector") ?? ""];
  const tests = [
    ...(labels === "" ? [] : [labelSelector(labels)]),
    ...(fields === "" ? [] : [fieldSelector(fields, kind)]),
  ];
  return (object) => tests.every((test) => test(object));
}

/** Whether any selector was given. */
export const isSelective = (query: URLSearchParams): boolean =>
  (query.get("labelSelector") ?? "") !== "" || (query.get("fieldSelector") ?? "") !== "";

/** A parameter's text; an empty one is absent. */
export const textOf = (query: URLSearchParams, name: string): string | undefined =>
  query.get(name) || undefined;

function read<T>(query: URLSearchParams, name: string, schema: z.ZodType<T>): T | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const parsed = schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new ApiError("BadRequest", `${name}: Invalid value: "${text.slice(0, 100)}"`);
}
