/**
 * How the gateway commits: decide on the replica's cut, commit, and decide again after a lost race.
 * What may be written is admission's business.
 */
import type { AdmissionContext, Admitted, AnyObject } from "../../../libs/admission/context.ts";
import { chargedOps } from "../../../libs/admission/quota/ledger.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { InvalidTransaction, type Op, type Revision } from "../../../libs/store/store.ts";
import type { ClusterSettings } from "../../../libs/cluster/settings.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Random } from "../../../libs/telemetry/random.ts";
import { ConversionPending } from "../custom/conversion-pending.ts";
import { keptForm } from "../custom/kept-form.ts";
import { type Backend, heldKey, objectOf, resourceName, type Target } from "./backend.ts";
import { asServed } from "./versions.ts";

export type WritePorts = {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: ClusterSettings;
};

/** What a turn of a write comes to: a transaction to commit, or the object as it is: unchanged. */
export type Turn = Admitted<unknown> | { readonly object: unknown; readonly ops: undefined };

/** A lost race is decided again so often; then the client is told. */
const attemptsMax = 20;

/**
 * Runs `decide` on a cut and commits what it comes to, anew after each lost race.
 *
 * The replica may lag, so a refusal counts only at a consistent cut (S5): the first one is decided
 * again there. A write to a revision that the client named is not repeated: decided again it is
 * refused by `decide` itself.
 *
 * @param dryRun everything but the commit
 * @returns the object with the revision that it has now
 */
export async function write(
  backend: Backend,
  decide: (context: AdmissionContext) => Turn,
  {
    changes,
    ...options
  }: WriteWith & {
    /** The object that is there already: writes of one object wait for each other. */
    readonly changes?: Target;
  },
): Promise<AnyObject> {
  if (changes === undefined) return attempts(backend, decide, options);
  return backend.oneAtATime(heldKey(changes), async () => attempts(backend, decide, options));
}

type WriteWith = {
  readonly ports: WritePorts;
  readonly dryRun: boolean;
  /** Where the object lies that `decide` makes. */
  readonly target: (object: AnyObject) => Target;
};

async function attempts(
  backend: Backend,
  decide: (context: AdmissionContext) => Turn,
  { ports, dryRun, target }: WriteWith,
): Promise<AnyObject> {
  const { clock, random, settings } = ports;
  let consistent = false;
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const cut = backend.view.revision;
    let turn: Turn;
    let ops: readonly Op[];
    try {
      turn = decide({ view: backend.view, now: clock.now(), random, settings });
      const made = objectOf(turn.object);
      const kept = keptForm(target(made), made, turn.ops, backend.view);
      ops = chargedOps(kept, backend.view);
    } catch (error) {
      if (error instanceof ConversionPending) {
        await error.settle();
        continue;
      }
      if (consistent || !(error instanceof ApiError)) throw error;
      await backend.consistent();
      consistent = true;
      continue;
    }
    const object = objectOf(turn.object);
    if (ops.length === 0 || dryRun) return object;
    const outcome = await commit(backend, ops, cut);
    if (outcome.ok) {
      return withRevision(object, ownRevision(ops, heldKey(target(object)), outcome.revision));
    }
    if (outcome.revision !== undefined) await backend.replica.caughtUp(outcome.revision);
    else await backend.consistent();
  }
  throw new ApiError("Conflict", "too many others wrote at the same time; please try again");
}

async function commit(backend: Backend, ops: readonly Op[], cut: Revision) {
  try {
    return await backend.store.commit(ops, { cut });
  } catch (error) {
    if (!(error instanceof InvalidTransaction)) throw error;
    throw new ApiError("RequestEntityTooLarge", "the object is too large", {}, { cause: error });
  }
}

/** A transaction's writes have adjacent revisions, in the order of its ops; guards have none. */
function ownRevision(ops: readonly Op[], key: string, last: Revision): Revision {
  const writes = ops.filter(({ op }) => op !== "guard");
  const nth = writes.findIndex((op) => op.key === key);
  return nth < 0 ? last : last - (writes.length - 1 - nth);
}

function withRevision(object: AnyObject, revision: Revision): AnyObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}

/** The object that a change begins with; a custom resource in the version asked for. @throws {ApiError} NotFound */
export function existing(context: Pick<AdmissionContext, "view">, target: Target): AnyObject {
  const { kind, namespace, name } = target;
  const found = context.view.get(kind, namespace, name);
  if (found === undefined) throw notFound(target);
  return kind.custom === undefined ? objectOf(found) : asServed(kind, objectOf(found));
}

export const notFound = ({ kind, name }: Pick<Target, "kind" | "name">): ApiError =>
  new ApiError("NotFound", `${resourceName(kind)} "${name}" not found`);

/** @throws {ApiError} Conflict when `wanted` names another revision than the object's */
export function requireRevision(
  before: AnyObject,
  wanted: string | undefined,
  target: Target,
): void {
  if (wanted === undefined || wanted === "" || wanted === "0") return;
  if (wanted === before.metadata.resourceVersion) return;
  throw new ApiError(
    "Conflict",
    `Operation cannot be fulfilled on ${resourceName(target.kind)} "${target.name}": the object has been modified; please apply your changes to the latest version and try again`,
  );
}
