/** GET and LIST: at which cut, which part of it. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { ReplicaLagging } from "../../../libs/store/replica.ts";
import type { Revision } from "../../../libs/store/store.ts";
import { heldAt } from "../watch/change-ring.ts";
import { type Backend, heldPrefix, objectOf, type Target } from "./backend.ts";
import type { Selects } from "./selectors.ts";
import { existing } from "./write.ts";

/**
 * The object as of now, or, with a revision, not older than that; "0" is content with any.
 *
 * @throws {ApiError} NotFound, Timeout
 */
export async function readObject(
  backend: Backend,
  target: Target,
  resourceVersion: string | undefined,
): Promise<AnyObject> {
  await reach(backend, revisionOf(resourceVersion));
  return existing(backend, target);
}

export type ListOptions = {
  readonly selects: Selects;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
};

export type Listed = {
  readonly objects: readonly AnyObject[];
  readonly revision: Revision;
  readonly continue: string | undefined;
  readonly remaining: number | undefined;
};

/**
 * The objects that `selects` picks, by key. Pages of one list are of one revision, whichever gateway
 * serves them: each takes back what has changed since.
 *
 * @throws {ApiError} Expired when a page's revision is too old, BadRequest, Timeout
 */
export async function listObjects(
  backend: Backend,
  target: Omit<Target, "name">,
  options: ListOptions,
): Promise<Listed> {
  const page = options.continue === undefined ? undefined : decodeContinue(options.continue);
  const wanted = page === undefined ? revisionOf(options.resourceVersion) : page.revision;
  await reach(backend, wanted);
  const exact = page !== undefined || options.resourceVersionMatch === "Exact";
  const revision = exact && wanted !== undefined ? wanted : backend.view.revision;
  const scan = (prefix: string) => backend.view.raw.scan(prefix);
  const prefix = heldPrefix(target);
  const held =
    revision === backend.view.revision
      ? [...scan(prefix)]
      : heldAt({ ring: backend.ring, scan }, prefix, revision);
  if (held === undefined) {
    throw new ApiError(
      "Expired",
      "The provided continue parameter is too old to display a consistent list result.",
    );
  }
  const after = page?.after ?? "";
  const selected = held
    .filter(({ key, value }) => key > after && options.selects(objectOf(value)))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const limit = options.limit === undefined || options.limit <= 0 ? selected.length : options.limit;
  const shown = selected.slice(0, limit);
  const rest = selected.length - shown.length;
  const last = shown.at(-1)?.key;
  return {
    objects: shown.map(({ value }) => objectOf(value)),
    revision,
    continue:
      rest > 0 && last !== undefined ? encodeContinue({ revision, after: last }) : undefined,
    remaining: rest > 0 ? rest : undefined,
  };
}

/**
 * Waits for a cut that a read may be answered from: undefined asks for the newest, 0 for any.
 *
 * @throws {ApiError} Timeout when the revision is not reached in time, as one from the future is not
 */
export async function reach(backend: Backend, revision: Revision | undefined): Promise<void> {
  if (revision === undefined) return backend.consistent();
  if (revision <= backend.view.revision) return;
  try {
    await backend.replica.caughtUp(revision, { timeoutMs: 3_000 });
  } catch (error) {
    if (!(error instanceof ReplicaLagging)) throw error;
    throw new ApiError(
      "Timeout",
      `Timeout: Too large resource version: ${revision}, current: ${backend.view.revision}`,
      {
        causes: [
          { reason: "ResourceVersionTooLarge", field: "", message: "Too large resource version" },
        ],
        retryAfterSeconds: 1,
      },
      { cause: error },
    );
  }
}

/** @throws {ApiError} BadRequest */
export function revisionOf(resourceVersion: string | undefined): Revision | undefined {
  if (resourceVersion === undefined || resourceVersion === "") return undefined;
  const revision = /^\d{1,15}$/.test(resourceVersion) ? Number(resourceVersion) : Number.NaN;
  if (Number.isNaN(revision)) {
    throw new ApiError(
      "BadRequest",
      `resourceVersion: Invalid value: "${resourceVersion}": must be a number`,
    );
  }
  return revision;
}

type Page = { readonly revision: Revision; readonly after: string };

const encodeContinue = ({ revision, after }: Page): string =>
  Buffer.from(JSON.stringify([revision, after])).toString("base64url");

function decodeContinue(text: string): Page {
  try {
    const [revision, after] = JSON.parse(Buffer.from(text, "base64url").toString()) as unknown[];
    if (typeof revision === "number" && typeof after === "string") return { revision, after };
  } catch (error) {
    throw new ApiError("BadRequest", "continue key is not valid", {}, { cause: error });
  }
  throw new ApiError("BadRequest", "continue key is not valid");
}
