/** A whole manifest that comes over NATS: its documents, and what is no longer among them. */
import { ApiError } from "../../../libs/model/errors.ts";
import { apiVersionOf } from "../../../libs/model/kind.ts";
import { overNats } from "../auth/user.ts";
import { isOutage } from "../http/server.ts";
import { heldKey, type Target } from "../resources/backend.ts";
import { deleteObject } from "../resources/delete.ts";
import type { Gateway } from "../resources/gateway.ts";
import { FenceMoved } from "../resources/write.ts";
import { applyDocument, type OfSet } from "./apply.ts";
import type { ApplyAs } from "./apply-options.ts";
import { type Document, documentsOf, isBlank } from "./documents.ts";
import { isMember, membersOf, namedIn, setId, stateOf } from "./manifest-set.ts";
import { type Result, resultsOf, type Results } from "./results.ts";
import { type Claimant, claimSet } from "./set-claim.ts";

export type Outcome = {
  /** All of it is as the manifest says. */
  readonly ok: boolean;
  readonly results: readonly Result[];
  /** Of a manifest that is the whole of a set. */
  readonly prune?: {
    readonly set: string;
    /** The value of the label that its objects have. */
    readonly id: string;
    /**
     * `withheld`: a document does not say which object it is about, so nothing was pruned; `partly`:
     * the next manifest prunes the rest; `superseded`: a newer manifest has the set, and decides alone.
     */
    readonly outcome: "done" | "partly" | "withheld" | "superseded";
  };
};
type Pruned = NonNullable<Outcome["prune"]>["outcome"];

type Applying = {
  readonly claimant: Claimant;
  /** Called after each object. */
  readonly progress: () => void;
};

/** Objects that one manifest prunes. */
const prunesMax = 5_000;

/**
 * Applies the documents in order; one that is refused stops no other. Throws in an outage only, or what
 * refuses the manifest as a whole.
 *
 * @throws {ApiError}
 */
export async function applyManifest(
  gateway: Gateway,
  data: Uint8Array,
  as: ApplyAs,
  { claimant, progress }: Applying,
): Promise<Outcome> {
  const documents = documentsOf(data);
  const results = resultsOf(gateway.log);
  const told = (prune?: Outcome["prune"]): Outcome => {
    const isDone = prune === undefined || prune.outcome === "done";
    const ok = isDone && results.all.every((result) => result.ok);
    return { ok, results: results.all, ...(prune !== undefined && { prune }) };
  };
  if (as.set === undefined) {
    await applyAll(gateway, documents, { as, set: undefined, results, progress });
    return told();
  }
  // Whoever means to delete all of a set says so with a List that is empty.
  if (documents.length === 0 && isBlank(data)) {
    throw new ApiError("BadRequest", "no objects passed to apply");
  }
  const { manager: publisher, set } = as;
  const id = setId(publisher, set);
  const outcome = await applySet(gateway, documents, {
    as,
    publisher,
    set,
    id,
    results,
    claimant,
    progress,
  });
  return told({ set, id, outcome });
}

type Setting = Applying & {
  readonly as: ApplyAs;
  readonly publisher: string;
  readonly set: string;
  readonly id: string;
  readonly results: Results;
};

async function applySet(
  gateway: Gateway,
  documents: readonly Document[],
  { as, publisher, set, id, results, claimant, progress }: Setting,
): Promise<Pruned> {
  const state = stateOf(gateway);
  const fence = as.dryRun ? undefined : await claimSet(state, { publisher, set }, claimant);
  if (as.dryRun) await state.consistent();
  else if (fence === undefined) return "superseded";
  const ofSet = { id, fence };
  try {
    await applyAll(gateway, documents, { as, set: ofSet, results, progress });
    const named = namedIn(gateway.kinds, documents);
    if (named === undefined) return "withheld";
    const unnamed = membersOf(gateway, id, publisher).filter((one) => !named.has(heldKey(one)));
    for (const member of unnamed.slice(0, prunesMax)) {
      await prune(gateway, member, { as, ofSet, results });
      progress();
    }
    return unnamed.length > prunesMax ? "partly" : "done";
  } catch (error) {
    if (error instanceof FenceMoved) return "superseded";
    throw error;
  }
}

async function applyAll(
  gateway: Gateway,
  documents: readonly Document[],
  {
    as,
    set,
    results,
    progress,
  }: {
    readonly as: ApplyAs;
    readonly set: OfSet | undefined;
    readonly results: Results;
    readonly progress: () => void;
  },
): Promise<void> {
  for (const document of documents) {
    try {
      if (!document.ok) throw document.error;
      const { action, object } = await applyDocument(gateway, document.value, as, set);
      results.done(action, object);
    } catch (error) {
      refuse(results, error, document.value);
    }
    progress();
  }
}

async function prune(
  gateway: Gateway,
  target: Target,
  {
    as: { manager, dryRun },
    ofSet: { id, fence },
    results,
  }: { readonly as: ApplyAs; readonly ofSet: OfSet; readonly results: Results },
): Promise<void> {
  const require = (object: Parameters<typeof isMember>[0]) => {
    if (!isMember(object, id, manager)) throw new TakenOver();
  };
  const options = { propagationPolicy: "Background", ...(dryRun && { dryRun: ["All"] }) } as const;
  try {
    const only = { fence, require };
    const { object } = await deleteObject(gateway, target, options, { user: overNats, only });
    results.done("pruned", object);
  } catch (error) {
    // It has gone, or is another's now: then it is as it should be.
    if (error instanceof TakenOver) return;
    if (error instanceof ApiError && error.reason === "NotFound") return;
    const { kind, namespace, name } = target;
    const about = {
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: { namespace, name },
    };
    refuse(results, error, about);
  }
}

/** A member no more: its label was taken off, or its publisher manages nothing of it. */
class TakenOver extends ApiError {
  constructor() {
    super("Conflict", "the object is not of the set any more");
  }
}

/** What refuses one object. Rethrows what concerns all of them. */
function refuse(results: Results, error: unknown, about: unknown): void {
  if (isOutage(error) || error instanceof FenceMoved) throw error;
  results.refused(error, about);
}
