/** Server-side apply: PATCH with `application/apply-patch+yaml` of an object, its status, its scale. */
import { admitCreate } from "../../../libs/admission/admit.ts";
import {
  type AdmissionContext,
  type AnyObject,
  timestamp,
} from "../../../libs/admission/context.ts";
import { withPath } from "../../../libs/model/custom/scale.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { apiVersionOf, type Kind, type Subresource } from "../../../libs/model/kind.ts";
import { faultsIn } from "../../../libs/model/fields/check.ts";
import {
  decodeManaged,
  encodeManaged,
  type ManagedFields,
  type Manager,
} from "../../../libs/model/fields/managed.ts";
import {
  type Applied,
  conflictMessage,
  manageApply,
  managedBefore,
  otherConflicts,
} from "../../../libs/model/fields/manage.ts";
import { emptySet } from "../../../libs/model/fields/field-set.ts";
import { typeOfKind } from "../../../libs/model/fields/shape-type.ts";
import { emptyObjectOf, filterOf, versionsOf } from "../../../libs/model/fields/versions.ts";
import { isRecord, type JsonRecord } from "../patch/record.ts";
import { askedOf } from "./asked.ts";
import { objectOf, type Target } from "./backend.ts";
import {
  admitted,
  placed,
  requireUid,
  revisionIn,
  type WriteOptions,
  type Written,
  writerAfter,
} from "./change.ts";
import { validateFields } from "./field-validation.ts";
import type { Gateway } from "./gateway.ts";
import { lastAppliedBy, withLastApplied } from "./last-applied.ts";
import { askedScale, scaleKind } from "./scale.ts";
import { asServed, asStored, storedKind } from "./versions.ts";
import { type Fence, notFound, requireRevision, type Turn, write } from "./write.ts";

export type ApplyOptions = WriteOptions & {
  /** Takes what others manage. */
  readonly force: boolean;
  readonly part: "main" | Subresource;
  readonly fence?: Fence;
};

export type AppliedObject = Written & {
  /** There was none before. */
  readonly created: boolean;
  /** Anything of it is other than before. */
  readonly changed: boolean;
};

/**
 * Makes of an object what a configuration states, and of its manager the manager of what that states.
 *
 * Only the object itself is made, never a part.
 *
 * @throws {FenceMoved}
 * @throws {ApiError} Conflict naming who manages what, NotFound, Invalid, BadRequest
 */
export async function applyObject(
  gateway: Gateway,
  target: Target,
  config: unknown,
  options: ApplyOptions,
): Promise<AppliedObject> {
  const { kind, namespace, name } = target;
  const stated = checkedConfig(options.part === "scale" ? scaleKind : kind, target, config);
  const applied = options.part === "scale" ? ofScaled(kind, stated) : stated;
  const { view } = gateway.backendFor(kind);
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const created = view.get(kind, namespace, name) === undefined;
    try {
      return { ...(await applyTo(gateway, target, { applied, options, created })), created };
    } catch (error) {
      if (!(error instanceof Switched)) throw error;
    }
  }
  throw new ApiError("Conflict", "too many others wrote at the same time; please try again");
}

const attemptsMax = 5;

/** The object has come or gone since it was looked for: webhooks would be asked about something else. */
class Switched extends Error {
  override readonly name = "Switched";
}

type Change = { readonly applied: JsonRecord; readonly options: ApplyOptions };

async function applyTo(
  gateway: Gateway,
  target: Target,
  { created, ...change }: Change & { readonly created: boolean },
): Promise<Written & Pick<AppliedObject, "changed">> {
  const { kind } = target;
  const { dryRun, part, fence } = change.options;
  const told: string[] = [];
  let changes = true;
  const merged = (before: AnyObject | undefined, now: number): Merged => {
    if ((before === undefined) !== created) throw new Switched();
    if (before === undefined && part !== "main") throw notFound(target);
    return mergedWith(target, before, change, now);
  };
  const object = await write(
    gateway.backendFor(kind),
    (context, changed): Turn => {
      const before = foundAt(target, context);
      const { input, managedFields } = merged(before, context.now);
      const writer = writerAfter(changed, { managedFields });
      const given = changed === undefined ? input : changed.body;
      const decided = { ...context, writer };
      if (before === undefined) return admitCreate(storedKind(kind), given, decided);
      const turn = admitted(
        target,
        { before, input: given, part: part === "scale" ? "main" : part },
        decided,
      );
      changes = turn.ops !== undefined;
      return turn;
    },
    {
      ports: gateway.ports,
      dryRun,
      fence,
      target: () => target,
      changes: target,
      asks: {
        ...askedOf(
          created ? "CREATE" : "UPDATE",
          target,
          {
            ...change.options,
            ...(part === "scale" ? { part: "main", asked: askedScale(target) } : { part }),
          },
          told,
        ),
        given: (before) => objectOf(merged(before, gateway.ports.clock.now()).input),
      },
    },
  );
  return { object, warnings: told, changed: changes };
}

function foundAt({ kind, namespace, name }: Target, { view }: AdmissionContext) {
  const held = view.get(kind, namespace, name) as AnyObject | undefined; // Written as its kind.
  return held === undefined || kind.custom === undefined ? held : asServed(kind, held);
}

/**
 * What may be applied to an object.
 *
 * @throws {ApiError} BadRequest
 */
function checkedConfig(kind: Kind, target: Target, config: unknown): JsonRecord {
  const given = isRecord(config) ? config : {};
  const apiVersion = apiVersionOf(kind);
  if (given["apiVersion"] !== apiVersion || given["kind"] !== kind.kind) {
    throw new ApiError(
      "BadRequest",
      `invalid object type: ${shown(given["apiVersion"])}, Kind=${shown(given["kind"])}`,
    );
  }
  const metadata = isRecord(given["metadata"]) ? given["metadata"] : {};
  if ((metadata["managedFields"] ?? undefined) !== undefined) {
    throw new ApiError("BadRequest", "metadata.managedFields must be nil");
  }
  const faults = faultsIn(typeOfKind(kind), given);
  if (faults.length > 0) {
    const where = target.namespace === undefined ? "" : target.namespace;
    const what = `failed to create typed patch object (${where}/${target.name}; ${apiVersion}, Kind=${kind.kind})`;
    const said =
      faults.length === 1
        ? faults.join("")
        : `errors:\n${faults.map((one) => `  ${one}`).join("\n")}`;
    throw new ApiError("BadRequest", `${what}: ${said}`);
  }
  return placed(given, target);
}

const shown = (value: unknown) => (typeof value === "string" ? value.slice(0, 100) : "");

/** What a Scale states, of the object that it scales. */
function ofScaled(kind: Kind, { metadata, spec }: JsonRecord): JsonRecord {
  const replicas = isRecord(spec) ? spec["replicas"] : undefined;
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata };
  const path = kind.custom?.scale?.specReplicasPath ?? ".spec.replicas";
  return replicas === undefined ? object : withPath(object, path, replicas);
}

type Merged = {
  /** In storage form, without its managedFields. */
  readonly input: unknown;
  readonly managedFields: ManagedFields | undefined;
};

/** @throws {ApiError} Conflict */
function mergedWith(
  target: Target,
  before: AnyObject | undefined,
  { applied, options }: Change,
  now: number,
): Merged {
  const { kind } = target;
  requireSameObject(target, before, applied);
  const { managedFields, ...metadata }: AnyObject["metadata"] = before?.metadata ?? {};
  const head = { apiVersion: apiVersionOf(kind), kind: kind.kind };
  const live = before === undefined ? head : asServed(kind, { ...before, metadata });
  const subresource = options.part === "main" ? "" : options.part;
  const name = options.fieldManager;
  const by: Manager = { name, operation: "Apply", apiVersion: head.apiVersion, subresource };
  const filter = filterOf(kind, subresource);
  const common = { versions: versionsOf(kind), by, filter, now: timestamp(now) };
  const known = decodeManaged(managedFields) ?? new Map();
  const managed =
    before === undefined || known.size > 0
      ? known
      : managedBefore({ ...common, object: live, empty: emptyObjectOf(kind) });
  const result = forcedWhereAllowed(kind, { ...common, managed, live, config: applied }, options);
  const isKubectl = options.part === "main" && name === "kubectl";
  const object = isKubectl ? withLastApplied(result.object, applied) : result.object;
  const { input } = validateFields(kind, object, { mode: "Ignore", sent: "object" });
  return { input: asStored(kind, input), managedFields: encodeManaged(result.managed) };
}

/** @throws {ApiError} Conflict when what is applied says that it is of another object or revision */
function requireSameObject(
  target: Target,
  before: AnyObject | undefined,
  applied: JsonRecord,
): void {
  if (before !== undefined) {
    requireRevision(before, revisionIn(applied), target);
    requireUid(before, applied, target);
    return;
  }
  const uid = isRecord(applied["metadata"]) ? applied["metadata"]["uid"] : undefined;
  if (typeof uid !== "string" || uid === "") return;
  throw new ApiError(
    "Conflict",
    `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
  );
}

/**
 * kubectl may take what client-side apply has set and nobody has changed.
 *
 * @throws {ApiError} Conflict
 */
function forcedWhereAllowed(
  kind: Kind,
  apply: Omit<Parameters<typeof manageApply>[0], "force">,
  { force }: ApplyOptions,
): Extract<Applied, { ok: true }> {
  const result = manageApply({ ...apply, force });
  if (result.ok) return result;
  const { name, apiVersion } = apply.by;
  const allowed =
    name === "kubectl" ? lastAppliedBy(typeOfKind(kind), apply.live, apiVersion) : undefined;
  const conflicts = otherConflicts(result.conflicts, allowed ?? emptySet);
  if (conflicts.length > 0) {
    const { message, causes } = conflictMessage(conflicts);
    throw new ApiError("Conflict", message, { causes });
  }
  const forced = manageApply({ ...apply, force: true });
  if (forced.ok) return forced;
  throw new TypeError("an apply was refused though it was forced");
}
