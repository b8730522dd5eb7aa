/** POST, PUT and PATCH of objects, their status and their scale. */
import { admitCreate, admitStatus, admitUpdate } from "../../../libs/admission/admit.ts";
import { admitPodPart } from "../../../libs/admission/admit-part.ts";
import type { AdmissionContext, AnyObject, Writer } from "../../../libs/admission/context.ts";
import { ApiError, invalid } from "../../../libs/model/errors.ts";
import { apiVersionOf, type Kind, type Part } from "../../../libs/model/kind.ts";
import type { Pod } from "../../../libs/model/kinds/pod.ts";
import { askedBy } from "../auth/asked-by.ts";
import { decodeManaged, encodeManaged } from "../../../libs/model/fields/managed.ts";
import type { UserInfo } from "../auth/user.ts";
import { isRecord, type JsonRecord } from "../patch/record.ts";
import { duplicatesOf } from "../http/duplicate-fields.ts";
import type { Changed } from "./asking.ts";
import { objectOf, resourceName, type Target } from "./backend.ts";
import { type FieldValidation, type ValidateOptions, validateFields } from "./field-validation.ts";
import type { Gateway } from "./gateway.ts";
import { requireConditional } from "./unconditional.ts";
import { asServed, asStored, storedKind } from "./versions.ts";
import { existing, requireRevision, type Turn, write } from "./write.ts";
import { type AskedPart, askedOf } from "./asked.ts";

export type WriteOptions = {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** Who manages the fields that are written. */
  readonly fieldManager: string;
  /** Who asks. */
  readonly user: UserInfo;
};
export type Written = { readonly object: AnyObject; readonly warnings: readonly string[] };

/** @throws {ApiError} AlreadyExists, Invalid, BadRequest, NotFound (its namespace), Forbidden */
export async function createObject(
  gateway: Gateway,
  { kind, namespace }: Omit<Target, "name">,
  given: unknown,
  options: WriteOptions,
): Promise<Written> {
  const { input: known, warnings } = validateFields(kind, ofKind(kind, given), {
    mode: options.fieldValidation,
    sent: "object",
    duplicates: duplicatesOf(given),
  });
  const input = askedBy(kind, placed(known, { namespace, name: undefined }), options.user);
  requireName(kind, input);
  if (!["", "0", undefined].includes(revisionIn(input))) {
    const message = "resourceVersion should not be set on objects to be created";
    throw new ApiError("BadRequest", message);
  }
  const { object: bare, sent } = withoutManaged(input);
  const stored = asStored(kind, bare);
  const writer = { manager: options.fieldManager, kind, subresource: "", sent };
  const told: string[] = [];
  const object = await named(input, () =>
    write(
      gateway.backendFor(kind),
      (context, changed) =>
        admitCreate(storedKind(kind), changed?.body ?? stored, {
          ...context,
          writer: writerAfter(changed, writer),
        }),
      {
        ports: gateway.ports,
        dryRun: options.dryRun,
        target: (made) => targetOf(kind, made),
        asks: {
          ...askedOf("CREATE", targetOf(kind, input), options, told),
          given: () => objectOf(stored),
        },
      },
    ),
  );
  return { object, warnings: [...warnings, ...told] };
}

/** Names that are made up before a client is told that all of them were taken. */
const namesMax = 8;

/** Creates, with another name as long as what was made up is taken. @throws {ApiError} AlreadyExists */
async function named(input: JsonRecord, make: () => Promise<AnyObject>): Promise<AnyObject> {
  const { metadata } = input;
  const isGiven = !isRecord(metadata) || (metadata["name"] ?? "") !== "";
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await make();
    } catch (error) {
      const isTaken = error instanceof ApiError && error.reason === "AlreadyExists";
      if (isGiven || !isTaken) throw error;
      if (attempt < namesMax) continue;
      const message = `${error.message}, the server was not able to generate a unique name for the object`;
      const details = { ...error.details, retryAfterSeconds: 1 };
      throw new ApiError("AlreadyExists", message, details, { cause: error });
    }
  }
}

/** Makes of the object as it is the object as it shall be; pure, it may run again after a lost race. */
export type Change = (before: AnyObject) => unknown;

export type UpdateOptions = WriteOptions &
  Pick<ValidateOptions, "sent"> & {
    readonly part: "main" | Part;
    /** The subresource that is written, where that is neither; absent: it is `part`. */
    readonly asked?: AskedPart;
  };

/**
 * Changes an object. When what `change` gives names a resourceVersion, the object must be at that one.
 *
 * @throws {ApiError} NotFound, Conflict, Invalid, BadRequest
 */
export async function updateObject(
  gateway: Gateway,
  target: Target,
  change: Change,
  options: UpdateOptions,
): Promise<Written> {
  const { kind } = target;
  const told: string[] = [];
  let warnings: readonly string[] = [];
  const wanted = (before: AnyObject): JsonRecord => {
    const given = change(asServed(kind, before));
    const validated = validateFields(kind, ofKind(kind, given), {
      mode: options.fieldValidation,
      sent: options.sent,
      duplicates: duplicatesOf(given),
    });
    warnings = validated.warnings;
    return placed(validated.input, target);
  };
  const object = await write(
    gateway.backendFor(kind),
    (context, changed): Turn => {
      const before = existing(context, target);
      const { part } = options;
      const subresource = options.asked?.subresource ?? (part === "main" ? "" : part);
      const by = { manager: options.fieldManager, kind, subresource };
      if (changed !== undefined) {
        const { sent } = withoutManaged(wanted(before));
        const writer = writerAfter(changed, { ...by, sent });
        return admitted(target, { before, input: changed.body, part }, { ...context, writer });
      }
      const after = wanted(before);
      requireConditional(target, revisionIn(after));
      requireRevision(before, revisionIn(after), target);
      requireUid(before, after, target);
      const { object: bare, sent } = withoutManaged(after);
      const input = asStored(kind, bare);
      const writer = { ...by, sent };
      return admitted(target, { before, input, part }, { ...context, writer });
    },
    {
      ports: gateway.ports,
      dryRun: options.dryRun,
      target: () => target,
      changes: target,
      asks: {
        ...askedOf("UPDATE", target, options, told),
        given: (before) =>
          objectOf(before === undefined ? undefined : asStored(kind, wanted(before))),
      },
    },
  );
  return { object, warnings: [...warnings, ...told] };
}

/** The object as it will be, and what makes it so; the object as it is when nothing changes. */
export function admitted(
  { kind }: Target,
  {
    before,
    input,
    part,
  }: {
    readonly before: AnyObject;
    /** In storage form. */
    readonly input: unknown;
    readonly part: "main" | Part;
  },
  context: AdmissionContext,
): Turn {
  return (
    admittedPart(storedKind(kind), { before, input, part }, context) ?? {
      object: before,
      ops: undefined,
    }
  );
}

function admittedPart(
  kind: Kind,
  {
    before,
    input,
    part,
  }: { readonly before: AnyObject; readonly input: unknown; readonly part: "main" | Part },
  context: AdmissionContext,
) {
  if (part === "main") return admitUpdate(kind, before, input, context);
  if (part === "status") {
    return admitStatus(kind, before, isRecord(input) ? input["status"] : undefined, context);
  }
  // Only pods have them, and what lies at a pod's key was admitted as one.
  return admitPodPart(part, before as unknown as Pod, input, context);
}

/**
 * What was given, with its kind.
 *
 * @throws {ApiError} BadRequest when it says that it is of another one, or is no object
 */
export function ofKind(kind: Kind, given: unknown): JsonRecord {
  if (!isRecord(given)) throw new ApiError("BadRequest", "the body must be an object");
  const apiVersion = apiVersionOf(kind);
  const told = { apiVersion: given["apiVersion"] || apiVersion, kind: given["kind"] || kind.kind };
  if (told.apiVersion === apiVersion && told.kind === kind.kind) return { ...given, ...told };
  throw new ApiError(
    "BadRequest",
    `the object provided is unrecognized (must be of type ${kind.kind} in ${apiVersion}): ${quoted(told.kind)} in ${quoted(told.apiVersion)}`,
  );
}

const quoted = (value: unknown) =>
  typeof value === "string" ? JSON.stringify(value.slice(0, 100)) : `a ${typeof value}`;

/**
 * What was given, at the place that the request's path names.
 *
 * @throws {ApiError} BadRequest when it says that it belongs elsewhere
 */
export function placed(
  given: unknown,
  {
    namespace,
    name,
  }: { readonly namespace: string | undefined; readonly name: string | undefined },
): JsonRecord {
  const object = isRecord(given) ? given : {}; // `ofKind` gave one.
  const metadata = isRecord(object["metadata"]) ? object["metadata"] : {};
  requireSame("namespace", metadata["namespace"], namespace);
  requireSame("name", metadata["name"], name);
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(namespace !== undefined && { namespace }),
      ...(name !== undefined && { name }),
    },
  };
}

function requireSame(
  field: "namespace" | "name",
  given: unknown,
  wanted: string | undefined,
): void {
  if (wanted === undefined || given === undefined || given === null || given === "") return;
  if (given === wanted) return;
  const where = field === "name" ? "on the URL" : "of the request";
  throw new ApiError(
    "BadRequest",
    `the ${field} of the provided object does not match the ${field} ${where}`,
  );
}

function requireName(kind: Kind, { metadata }: JsonRecord): void {
  const { name, generateName } = isRecord(metadata) ? metadata : {};
  if ((name ?? "") !== "" || (generateName ?? "") !== "") return;
  const message = "Required value: name or generateName is required";
  throw invalid(kind, undefined, [
    { reason: "FieldValueRequired", field: "metadata.name", message },
  ]);
}

/** The revision that an object says it is of. */
export function revisionIn({ metadata }: JsonRecord): string | undefined {
  const revision = isRecord(metadata) ? metadata["resourceVersion"] : undefined;
  return typeof revision === "string" ? revision : undefined;
}

/** The object, and apart from it what it says of who manages its fields. */
export function withoutManaged(object: JsonRecord): {
  readonly object: JsonRecord;
  readonly sent: unknown;
} {
  if (!isRecord(object["metadata"])) return { object, sent: undefined };
  const { managedFields: sent, ...metadata } = object["metadata"];
  return { object: { ...object, metadata }, sent };
}

/**
 * Who writes what webhooks have changed: fields are managed as they were before, of which the webhooks
 * were told, unless they have not been decided yet.
 */
export function writerAfter(changed: Changed | undefined, writer: Writer): Writer {
  const { sent } = withoutManaged(isRecord(changed?.body) ? changed.body : {});
  const managed = sent === undefined ? undefined : decodeManaged(sent);
  return managed === undefined ? writer : { managedFields: encodeManaged(managed) };
}

/** @throws {ApiError} Conflict when what was given is another object's */
export function requireUid(before: AnyObject, { metadata }: JsonRecord, target: Target): void {
  const uid = isRecord(metadata) ? metadata["uid"] : undefined;
  if (uid === undefined || uid === "" || uid === before.metadata.uid) return;
  throw new ApiError(
    "Conflict",
    `Operation cannot be fulfilled on ${resourceName(target.kind)} "${target.name}": Precondition failed: UID in precondition: ${typeof uid === "string" ? uid : "?"}, UID in object meta: ${before.metadata.uid}`,
  );
}

function targetOf(kind: Kind, made: unknown): Target {
  const { metadata } = objectOf(made);
  return { kind, namespace: metadata.namespace, name: metadata.name ?? "" };
}
