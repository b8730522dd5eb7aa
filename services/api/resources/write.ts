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
import {
  type AdmissionHooks,
  type Concerning,
  configuresAdmission,
} from "../../../libs/webhooks/admission-hooks.ts";
import { type Asks, type Changed, decideAsking, objectsOf } from "./asking.ts";
import { type Backend, heldKey, objectOf, resourceName, type Target } from "./backend.ts";
import { asServed, storedKind } from "./versions.ts";

export type WritePorts = {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: ClusterSettings;
  /** Webhooks and policies; absent: there are none. */
  readonly hooks?: AdmissionHooks;
};

/** What a turn of a write comes to: a transaction to commit, or the object as it is: unchanged. */
export type Turn = Admitted<unknown> | { readonly object: unknown; readonly ops: undefined };

/** @param changed what webhooks made of the body that was decided before: it is begun with */
export type Decide = (context: AdmissionContext, changed?: Changed) => Turn;

/** A key that has not moved when the write is committed: who moved it since has the say. */
export type Fence = { readonly key: string; readonly revision: Revision };

/** The fence has moved: nothing was written, and nothing of this writer's will be. */
export class FenceMoved extends Error {
  override readonly name = "FenceMoved";
}

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
 * @throws {FenceMoved}
 */
export async function write(
  backend: Backend,
  decide: Decide,
  options: WriteWith,
): Promise<AnyObject> {
  const { ports, asks, changes } = options;
  const { hooks } = ports;
  const concerning =
    asks === undefined || hooks === undefined || hooks.idle
      ? undefined
      : hooks.concerning(asks.request);
  const run = async () => attempts(backend, decide, { ...options, concerning });
  // A webhook may write the object that it is asked about: nothing waits for it.
  if (changes === undefined || concerning !== undefined) return run();
  return backend.oneAtATime(heldKey(changes), run);
}

type WriteWith = {
  readonly ports: WritePorts;
  readonly dryRun: boolean;
  /** Where the object lies that `decide` makes. */
  readonly target: (object: AnyObject) => Target;
  /** The object that is there already: writes of one object wait for each other. */
  readonly changes?: Target;
  /** What webhooks and policies are asked; absent: nothing. */
  readonly asks?: Asks | undefined;
  readonly fence?: Fence | undefined;
};

async function attempts(
  backend: Backend,
  decide: Decide,
  { concerning, ...options }: WriteWith & { readonly concerning: Concerning | undefined },
): Promise<AnyObject> {
  const { asks, target } = options;
  const decideNow = decideAt(backend, decide, options);
  const seal = sealAt(backend, options);
  const before = () => beforeAt(backend, options);
  // What webhooks are told is true: they are asked about an object as it is now.
  let consistent = concerning !== undefined;
  if (consistent) await backend.consistent();
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    let sealed: Sealed | undefined;
    try {
      sealed =
        asks === undefined || concerning === undefined
          ? seal(decideNow(undefined))
          : await decideAsking({ asks, concerning, before }, decideNow, seal);
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
    if (sealed === undefined) continue;
    const { object, ops, cut } = sealed;
    if (ops.length === 0 || options.dryRun) return object;
    const outcome = await commit(backend, ops, cut);
    if (outcome.ok) {
      const at = target(object);
      // Whoever has configured what judges requests finds that it does.
      if (configuresAdmission(at.kind)) await backend.replica.caughtUp(outcome.revision);
      return withRevision(object, ownRevision(ops, heldKey(at), outcome.revision));
    }
    if (outcome.conflict === options.fence?.key) throw new FenceMoved();
    if (outcome.revision !== undefined) await backend.replica.caughtUp(outcome.revision);
    else await backend.consistent();
  }
  throw new ApiError("Conflict", "too many others wrote at the same time; please try again");
}

type Decided = {
  readonly object: AnyObject;
  readonly before: AnyObject | undefined;
  readonly ops: readonly Op[] | undefined;
};
/** A decision that may be committed. */
type Sealed = { readonly object: AnyObject; readonly ops: readonly Op[]; readonly cut: Revision };

const beforeAt = ({ view }: Backend, { changes }: WriteWith): AnyObject | undefined => {
  const found =
    changes && view.get(changes.kind.stored?.kind ?? changes.kind, changes.namespace, changes.name);
  return found === undefined || changes === undefined
    ? undefined
    : asServed(storedKind(changes.kind), objectOf(found));
};

const decideAt =
  (backend: Backend, decide: Decide, options: WriteWith) =>
  (changed: Changed | undefined): Decided => {
    const { clock, random, settings } = options.ports;
    const context = { view: backend.view, now: clock.now(), random, settings };
    const { object, ops } = decide(context, changed);
    const made = objectOf(object);
    const kept = keptForm(options.target(made), made, ops, backend.view);
    return { object: made, ops: kept, before: beforeAt(backend, options) };
  };

/** Judges a decision by the policies and the quotas, at the cut that it was made at. */
const sealAt =
  ({ view }: Backend, { ports: { hooks }, asks, fence }: WriteWith) =>
  ({ object, ops, before }: Decided): Sealed => {
    if (asks !== undefined && hooks !== undefined && !hooks.idle) {
      hooks.check(asks.request, objectsOf(asks, object, before), asks.warn);
    }
    return { object, ops: fenced(chargedOps(ops ?? [], view), fence), cut: view.revision };
  };

const fenced = (ops: readonly Op[], fence: Fence | undefined): readonly Op[] =>
  fence === undefined || ops.length === 0
    ? ops
    : [...ops, { op: "guard", key: fence.key, expect: fence.revision }];

async function commit(backend: Backend, ops: readonly Op[], cut: Revision) {
  try {
    return await backend.store.commit(ops, { cut });
  } catch (error) {
    if (!(error instanceof InvalidTransaction)) throw error;
    throw new ApiError("RequestEntityTooLarge", "the object is too large", {}, { cause: error });
  }
}

/**
 * A transaction's writes have adjacent revisions, in the order of its ops; guards that no covered write
 * carries come after them, with a revision each.
 */
function ownRevision(ops: readonly Op[], key: string, last: Revision): Revision {
  const writes = ops.filter(({ op }) => op !== "guard");
  const nth = writes.findIndex((op) => op.key === key);
  const covered = writes.filter((op) => op.covered === true).length;
  const carriers = Math.max(0, ops.length - writes.length - covered);
  return nth < 0 ? last : last - carriers - (writes.length - 1 - nth);
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
