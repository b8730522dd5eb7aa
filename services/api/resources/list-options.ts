/** What a list and a watch may be asked for, and where a list goes on: in Kubernetes' own words. */
import { ApiError, type Cause, invalid } from "../../../libs/model/errors.ts";
import type { Revision } from "../../../libs/store/store.ts";

const listOptionsKind = { group: "meta.k8s.io", kind: "ListOptions" } as const;
const match = "resourceVersionMatch";

/**
 * Refuses what a list's options say against each other.
 *
 * @throws {ApiError} Invalid, with one cause for each contradiction
 */
export function requireListOptions(query: URLSearchParams): void {
  const given = query.get(match) ?? "";
  const causes: Cause[] = [];
  if (given !== "") {
    if ((query.get("resourceVersion") ?? "") === "") {
      causes.push(forbidden(match, `${match} is forbidden unless resourceVersion is provided`));
    }
    if ((query.get("continue") ?? "") !== "") {
      causes.push(forbidden(match, `${match} is forbidden when continue is provided`));
    }
    if (given !== "Exact" && given !== "NotOlderThan") {
      causes.push(unsupported(given, '"Exact", "NotOlderThan", ""'));
    }
    if (given === "Exact" && query.get("resourceVersion") === "0") {
      causes.push(forbidden(match, `${match} "exact" is forbidden for resourceVersion "0"`));
    }
  }
  if (query.has("sendInitialEvents")) {
    causes.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  if (causes.length > 0) throw invalid(listOptionsKind, "", causes);
}

/** The same for a watch. @throws {ApiError} Invalid */
export function requireWatchOptions(query: URLSearchParams): void {
  const given = query.get(match) ?? "";
  const causes: Cause[] = [];
  if (query.has("sendInitialEvents") && given !== "NotOlderThan") {
    causes.push(forbidden(match, `sendInitialEvents requires setting ${match} to NotOlderThan`));
  }
  if (given !== "") {
    if (!query.has("sendInitialEvents")) {
      const why = `${match} is forbidden for watch unless sendInitialEvents is provided`;
      causes.push(forbidden(match, why));
    }
    if (given !== "NotOlderThan") causes.push(unsupported(given, '"NotOlderThan"'));
    if ((query.get("continue") ?? "") !== "") {
      causes.push(forbidden(match, `${match} is forbidden when continue is provided`));
    }
  }
  if (causes.length > 0) throw invalid(listOptionsKind, "", causes);
}

const forbidden = (field: string, why: string): Cause => ({
  reason: "FieldValueForbidden",
  field,
  message: `Forbidden: ${why}`,
});

const unsupported = (given: string, supported: string): Cause => ({
  reason: "FieldValueNotSupported",
  field: match,
  message: `Unsupported value: ${JSON.stringify(given.slice(0, 100))}: supported values: ${supported}`,
});

/** Above what Go's uint64 holds it says so. */
const uint64Max = 2n ** 64n - 1n;

/**
 * A resourceVersion as a revision; undefined where none is given.
 *
 * @throws {ApiError} BadRequest
 */
export function revisionOf(resourceVersion: string | undefined): Revision | undefined {
  if (resourceVersion === undefined || resourceVersion === "") return undefined;
  const isNumber = /^\d+$/.test(resourceVersion);
  if (isNumber && BigInt(resourceVersion) <= uint64Max) return Number(resourceVersion);
  const shown = JSON.stringify(resourceVersion.slice(0, 100));
  const why = isNumber ? "value out of range" : "invalid syntax";
  throw new ApiError(
    "BadRequest",
    `invalid resource version: resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: ${why}`,
  );
}

/** Where the next page begins: after a key, at a revision; or, "newest", at whatever is there then. */
export type Page = { readonly revision: Revision | "newest"; readonly after: string };

export const encodeContinue = ({ revision, after }: Page): string =>
  Buffer.from(
    JSON.stringify({
      v: "meta.k8s.io/v1",
      rv: revision === "newest" ? -1 : revision,
      start: after,
    }),
  ).toString("base64url");

/** @throws {ApiError} BadRequest */
export function decodeContinue(text: string): Page {
  const token = continueToken(text);
  if (token["v"] !== "meta.k8s.io/v1") {
    throw badContinue(": server does not recognize this encoded version");
  }
  const { rv, start } = token;
  if (typeof rv !== "number" || !Number.isSafeInteger(rv) || rv === 0) {
    throw badContinue(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  if (typeof start !== "string" || start === "") {
    throw badContinue(": encoded start key empty (version meta.k8s.io/v1)");
  }
  return { revision: rv < 0 ? "newest" : rv, after: start };
}

function continueToken(text: string): Readonly<Record<string, unknown>> {
  if (!/^[\w-]*$/.test(text)) throw badContinue("");
  try {
    const token: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (typeof token === "object" && token !== null) return { ...token };
  } catch (error) {
    throw new ApiError("BadRequest", badContinue("").message, {}, { cause: error });
  }
  throw badContinue("");
}

const badContinue = (why: string) =>
  new ApiError("BadRequest", `invalid continue token: continue key is not valid${why}`);

/** The 410 of a page, with a token to go on with at the newest revision. */
export function inconsistentContinue(after: string): ApiError {
  return new ApiError(
    "Expired",
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    { continue: encodeContinue({ revision: "newest", after }) },
  );
}

export const listTooOld = (): ApiError =>
  new ApiError("Expired", "The resourceVersion for the provided list is too old.");
