/** GET and LIST: at which cut, which part of it. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { type Change, type Held, ReplicaLagging } from "../../../libs/store/replica.ts";
import { HistoryExpired, type Revision, StoreUnavailable } from "../../../libs/store/store.ts";
import { catchUp } from "../watch/catch-up.ts";
import { heldBefore } from "../watch/change-ring.ts";
import { type Backend, heldPrefix, objectOf, type Target } from "./backend.ts";
import {
  decodeContinue,
  encodeContinue,
  inconsistentContinue,
  listTooOld,
  type Page,
  revisionOf,
} from "./list-options.ts";
import { byKey, type OrderedList, placeAfter } from "./paged-lists.ts";
import type { Selects } from "./selectors.ts";
import { whenConverted } from "../custom/conversion-pending.ts";
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
  return whenConverted(() => existing(backend, target));
}

export type ListOptions = {
  readonly selects: Selects;
  /** Whether a selector was given: then nobody counts what remains. */
  readonly isSelective?: boolean;
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

/** Changes that are taken back for a page of an earlier revision. */
const takenBackMax = 20_000;

/**
 * The objects that `selects` picks, by key. Pages of one list are of one revision, whichever gateway
 * serves them: each takes back what has changed since.
 *
 * | resourceVersion | match | the list is of |
 * |---|---|---|
 * | none | – | the newest revision |
 * | "0" | – or NotOlderThan | any revision |
 * | N | – or NotOlderThan | N or later |
 * | N | Exact, or – with a limit | N |
 *
 * @throws {ApiError} Expired when a revision is too old, BadRequest, Timeout
 */
export async function listObjects(
  backend: Backend,
  target: Omit<Target, "name">,
  options: ListOptions,
): Promise<Listed> {
  const { page, wanted, isExact } = revisionAsked(options);
  await reach(backend, wanted);
  const prefix = heldPrefix(target);
  const exact = isExact && wanted !== undefined ? wanted : undefined;
  const known = exact === undefined ? undefined : backend.paged.get(prefix, exact);
  const { held, revision } =
    known !== undefined && exact !== undefined
      ? { held: known, revision: exact }
      : await cutOf(backend, prefix, exact);
  if (held === undefined) {
    throw page === undefined ? listTooOld() : inconsistentContinue(page.after);
  }
  const { limit = 0, isSelective = false } = options;
  const selects = ({ value }: Held<unknown>) => options.selects(objectOf(value));
  if (limit <= 0 && page === undefined) {
    const objects = held.filter(selects).toSorted(byKey).map(valueOf);
    return { objects, revision, continue: undefined, remaining: undefined };
  }
  const ordered = known ?? held.toSorted(byKey);
  const most = limit <= 0 ? ordered.length : limit;
  const { shown, rest } = pageOf(ordered, { after: page?.after ?? "", most, selects });
  const last = shown.at(-1)?.key;
  if (rest === 0 || last === undefined) {
    return { objects: shown.map(valueOf), revision, continue: undefined, remaining: undefined };
  }
  backend.paged.put(prefix, revision, ordered);
  return {
    objects: shown.map(valueOf),
    revision,
    continue: encodeContinue({ revision, after: last }),
    remaining: isSelective ? undefined : rest,
  };
}

const valueOf = ({ value }: Held<unknown>) => objectOf(value);

/** What a page shows, and how many come after it, from the next that is selected. */
function pageOf(
  ordered: OrderedList,
  {
    after,
    most,
    selects,
  }: {
    readonly after: string;
    readonly most: number;
    readonly selects: (held: Held<unknown>) => boolean;
  },
): { readonly shown: OrderedList; readonly rest: number } {
  const shown: Held<unknown>[] = [];
  for (let at = placeAfter(ordered, after); at < ordered.length; at += 1) {
    const one = ordered[at];
    if (one === undefined || !selects(one)) continue;
    if (shown.length === most) return { shown, rest: ordered.length - at };
    shown.push(one);
  }
  return { shown, rest: 0 };
}

/** @throws {ApiError} BadRequest */
function revisionAsked({ resourceVersion, ...options }: ListOptions): {
  readonly page: Page | undefined;
  readonly wanted: Revision | undefined;
  readonly isExact: boolean;
} {
  const given = revisionOf(resourceVersion);
  if (options.continue === undefined) {
    const { resourceVersionMatch: match, limit = 0 } = options;
    const isExact = match === "Exact" || (match === undefined && limit > 0);
    return { page: undefined, wanted: given, isExact: isExact && (given ?? 0) > 0 };
  }
  const page = decodeContinue(options.continue);
  if ((given ?? 0) > 0) {
    throw new ApiError(
      "BadRequest",
      "specifying resource version is not allowed when using continue",
    );
  }
  const wanted = page.revision === "newest" ? undefined : page.revision;
  return { page, wanted, isExact: wanted !== undefined };
}

/** What is held under `prefix` at a revision, or now; undefined where that is not known any more. */
async function cutOf(
  { view, ring, store, catchUps }: Backend,
  prefix: string,
  exact: Revision | undefined,
): Promise<{ readonly held: readonly Held<unknown>[] | undefined; readonly revision: Revision }> {
  const now = () => ({ held: [...view.raw.scan(prefix)], revision: view.revision });
  if (exact === undefined || exact === view.revision) return now();
  await ring.settled();
  const { base } = ring;
  const older =
    exact < base ? await recordedBefore({ store, catchUps }, { prefix, exact, base }) : [];
  if (older === undefined) return { held: undefined, revision: exact };
  const later = ring.after(Math.max(exact, base), prefix);
  const held = later && heldBefore(view.raw.scan(prefix), [...older, ...later]);
  return { held: held?.filter(({ revision }) => revision <= exact), revision: exact };
}

/** The changes from `exact` to where the ring begins, from the record. */
async function recordedBefore(
  { store, catchUps }: Pick<Backend, "store" | "catchUps">,
  {
    prefix,
    exact,
    base,
  }: { readonly prefix: string; readonly exact: number; readonly base: number },
): Promise<readonly Change<unknown>[] | undefined> {
  const signal = AbortSignal.timeout(10_000);
  try {
    return await catchUps(async () => {
      const found: Change<unknown>[] = [];
      const changes = catchUp(store, { after: exact, upTo: base, prefix, signal });
      for await (const change of changes) {
        found.push(change);
        if (found.length > takenBackMax) throw new HistoryExpired("too much has changed since");
      }
      if (signal.aborted) throw new StoreUnavailable("the record was not read in time");
      return found;
    });
  } catch (error) {
    if (error instanceof HistoryExpired) return undefined;
    throw error;
  }
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
