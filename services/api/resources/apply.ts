/** Server-side apply: PATCH with `application/apply-patch+yaml` of an object, its status, its scale. */
import { admitCreate } from "../../../libs/admission/admit.ts";
import {
  type AdmissionContext,
  type AnyObject,
  timestamp,
} from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { apiVersionOf, type Kind } from "../../../libs/model/kind.ts";
import { faultsIn } from "../../../libs/model/fields/check.ts";
import {
  type AllManaged,
  decodeManaged,
  encodeManaged,
  type Manager,
} from "../../../libs/model/fields/managed.ts";
import {
  type Applied,
  conflictMessage,
  manageApply,
  managedBefore,
  otherConflicts,
} from "../../../libs/model/fields/manage.ts";
import { typeOfKind } from "../../../libs/model/fields/shape-type.ts";
import { emptyObjectOf, filterOf, versionsOf } from "../../../libs/model/fields/versions.ts";
import { isRecord, type JsonRecord } from "../patch/record.ts";
import type { Target } from "./backend.ts";
import {
  admitted,
  placed,
  requireUid,
  revisionIn,
  type WriteOptions,
  type Written,
} from "./change.ts";
import { validateFields } from "./field-validation.ts";
import type { Gateway } from "./gateway.ts";
import { lastAppliedBy, withLastApplied } from "./last-applied.ts";
import { scaleKind } from "./scale.ts";
import { asServed, asStored, storedKind } from "./versions.ts";
import { notFound, requireRevision, type Turn, write } from "./write.ts";

export type ApplyOptions = WriteOptions & {
  /** Takes what others manage. */
  readonly force: boolean;
  readonly part: "main" | "status" | "scale";
};

/**
 * Makes of an object what a configuration states, and of its manager the manager of what that states.
 *
 * @returns with `created` where there was none; only the object itself is made, never a part
 * @throws {ApiError} Conflict naming who manages what, NotFound, Invalid, BadRequest
 */
export async function applyObject(
  gateway: Gateway,
  target: Target,
  config: unknown,
  options: ApplyOptions,
): Promise<Written & { readonly created: boolean }> {
  const { kind, namespace, name } = target;
  const stated = checkedConfig(options.part === "scale" ? scaleKind : kind, target, config);
  const applied = options.part === "scale" ? ofScaled(kind, stated) : stated;
  let created = false;
  const object = await write(
    gateway.backendFor(kind),
    (context): Turn => {
      const held = context.view.get(kind, namespace, name) as AnyObject | undefined; // Written as its kind.
      const before = held === undefined || kind.custom === undefined ? held : asServed(kind, held);
      created = before === undefined;
      if (before !== undefined) return changed(target, { before, applied, options }, context);
      if (options.part !== "main") throw notFound(target);
      return made(target, { applied, options }, context);
    },
    { ports: gateway.ports, dryRun: options.dryRun, target: () => target, changes: target },
  );
  return { object, warnings: [], created };
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
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata,
    ...(replicas !== undefined && { spec: { replicas } }),
  };
}

type Change = { readonly applied: JsonRecord; readonly options: ApplyOptions };

function made({ kind }: Target, { applied, options }: Change, context: AdmissionContext): Turn {
  const uid = isRecord(applied["metadata"]) ? applied["metadata"]["uid"] : undefined;
  if (typeof uid === "string" && uid !== "") {
    throw new ApiError(
      "Conflict",
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    );
  }
  const bare = emptyObjectOf(kind);
  const by = managerOf(kind, options);
  const live = { apiVersion: apiVersionOf(kind), kind: kind.kind };
  const result = merged(kind, { live, before: new Map(), applied, options, by, bare }, context);
  const input = validateFields(kind, result.object, { mode: "Ignore", sent: "object" }).input;
  const writer = { managedFields: encodeManaged(result.managed) };
  return admitCreate(storedKind(kind), asStored(kind, input), { ...context, writer });
}

function changed(
  target: Target,
  { before, applied, options }: Change & { readonly before: AnyObject },
  context: AdmissionContext,
): Turn {
  const { kind } = target;
  requireRevision(before, revisionIn(applied), target);
  requireUid(before, applied, target);
  const { managedFields, ...metadata } = before.metadata;
  const live = asServed(kind, { ...before, metadata });
  const by = managerOf(kind, options);
  const managed = decodeManaged(managedFields) ?? new Map();
  const result = merged(
    kind,
    { live, before: managed, applied, options, by, bare: emptyObjectOf(kind) },
    context,
  );
  const withAnnotation = options.part === "main" && by.name === "kubectl";
  const object = withAnnotation ? withLastApplied(result.object, applied) : result.object;
  const input = validateFields(kind, object, { mode: "Ignore", sent: "object" }).input;
  const writer = { managedFields: encodeManaged(result.managed) };
  const part = options.part === "status" ? "status" : "main";
  return admitted(target, { before, input, part }, { ...context, writer });
}

function managerOf(kind: Kind, { fieldManager, part }: ApplyOptions): Manager {
  const subresource = part === "main" ? "" : part;
  return { name: fieldManager, operation: "Apply", apiVersion: apiVersionOf(kind), subresource };
}

/** @throws {ApiError} Conflict */
function merged(
  kind: Kind,
  {
    live,
    before,
    applied,
    options,
    by,
    bare,
  }: Change & {
    readonly live: unknown;
    readonly before: AllManaged;
    readonly by: Manager;
    readonly bare: unknown;
  },
  { now }: AdmissionContext,
): Extract<Applied, { ok: true }> {
  const filter = filterOf(kind, by.subresource);
  const common = { versions: versionsOf(kind), by, filter, now: timestamp(now) };
  const isUnmanaged = before.size === 0 && isRecord(live) && live["metadata"] !== undefined;
  const managed = isUnmanaged ? managedBefore({ ...common, object: live, empty: bare }) : before;
  const apply = (force: boolean) =>
    manageApply({ ...common, managed, live, config: applied, force });
  const result = apply(options.force);
  if (result.ok) return result;
  const type = typeOfKind(kind);
  const allowed = by.name === "kubectl" ? lastAppliedBy(type, live, by.apiVersion) : undefined;
  const conflicts =
    allowed === undefined ? result.conflicts : otherConflicts(result.conflicts, allowed);
  if (conflicts.length > 0) {
    const { message, causes } = conflictMessage(conflicts);
    throw new ApiError("Conflict", message, { causes });
  }
  const forced = apply(true);
  if (forced.ok) return forced;
  throw new TypeError("an apply was refused though it was forced");
}
