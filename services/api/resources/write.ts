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
 * refused by `decide` itself. Those who lose a race about one key (a quota, a node's load) go on one
 * after the other, and who comes later joins them: of any number that race, one alone succeeds. Nobody
 * waits in two such queues, and each waits in them after the one of its own object: no deadlock.
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
  return backend.changing.inTurn(heldKey(changes), run);
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

type WithHooks = WriteWith & { readonly concerning: Concerning | undefined };

async function attempts(backend: Backend, decide: Decide, options: WithHooks): Promise<AnyObject> {
  // What webhooks are told is true: they are asked about an object as it is now. No commit tells that
  // what would have been done was decided on an older one.
  if (isAtOnce(options)) await backend.consistent();
  const attempt = attemptOf(backend, decide, options);
  let queue: string | undefined;
  for (let nth = 0; nth < attemptsMax; nth += 1) {
    const mine = queue;
    const made = await (mine === undefined
      ? attempt(undefined)
      : backend.contended.inTurn(mine, () => attempt(mine)));
    if (made.done !== undefined) return made.done;
    // A webhook may write what is charged to the same quota: nothing waits for it.
    if (options.concerning === undefined) queue = made.contended ?? queue;
  }
  throw new ApiError("Conflict", "too many others wrote at the same time; please try again");
}

/** Whether even the first decision needs the newest cut. */
const isAtOnce = ({ concerning, dryRun }: Pick<WithHooks, "concerning" | "dryRun">): boolean =>
  concerning !== undefined || dryRun;

/** @returns decides once, and commits; `queue` is the key whose turn it is, if any */
function attemptOf(
  backend: Backend,
  decide: Decide,
  { concerning, ...options }: WithHooks,
): (queue: string | undefined) => Promise<Attempt> {
  const { asks, target } = options;
  const decideNow = decideAt(backend, decide, options);
  const seal = sealAt(backend, options);
  const before = () => beforeAt(backend, options);
  let consistent = isAtOnce({ concerning, ...options });
  return async (queue) => {
    let sealed: Sealed | undefined;
    try {
      sealed =
        asks === undefined || concerning === undefined
          ? seal(decideNow(undefined))
          : await decideAsking({ asks, concerning, before }, decideNow, seal);
    } catch (error) {
      if (error instanceof ConversionPending) {
        await error.settle();
        return {};
      }
      if (consistent || !(error instanceof ApiError)) throw error;
      await backend.consistent();
      consistent = true;
      return {};
    }
    if (sealed === undefined) return {};
    const { object, ops, cut } = sealed;
    if (options.dryRun) return { done: object };
    if (ops.length === 0) {
      if (consistent) return { done: object };
      // Nothing to do, as it was here: elsewhere, or a moment ago, it may have become something else.
      await backend.consistent();
      consistent = true;
      return {};
    }
    const others = ops.find(({ key }) => backend.contended.waits(key))?.key;
    if (queue === undefined && others !== undefined && concerning === undefined) {
      return { contended: others };
    }
    const outcome = await commit(backend, ops, cut);
    if (!outcome.ok) {
      if (outcome.conflict === options.fence?.key) throw new FenceMoved();
      if (outcome.revision !== undefined) await backend.replica.caughtUp(outcome.revision);
      else await backend.consistent();
      return { contended: outcome.conflict };
    }
    const at = target(object);
    // Whoever has configured what judges requests finds that it does; whoever is next in the queue
    // decides upon what this one wrote.
    if (configuresAdmission(at.kind) || queue !== undefined) {
      await backend.replica.caughtUp(outcome.revision);
    }
    return { done: withRevision(object, ownRevision(ops, heldKey(at), outcome.revision)) };
  };
}

/** What an attempt came to: the object, or nothing yet, and the key that others write meanwhile. */
type Attempt = { readonly done?: AnyObject; readonly contended?: string };

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
