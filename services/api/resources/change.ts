/** POST, PUT and PATCH of objects, their status and their scale. */
import { admitCreate, admitStatus, admitUpdate } from "../../../libs/admission/admit.ts";
import type { AdmissionContext, AnyObject } from "../../../libs/admission/context.ts";
import { ApiError, invalid } from "../../../libs/model/errors.ts";
import { apiVersionOf, type Kind } from "../../../libs/model/kind.ts";
import { isRecord, type JsonRecord } from "../patch/record.ts";
import { duplicatesOf } from "../http/duplicate-fields.ts";
import { objectOf, resourceName, type Target } from "./backend.ts";
import { type FieldValidation, type ValidateOptions, validateFields } from "./field-validation.ts";
import type { Gateway } from "./gateway.ts";
import { requireConditional } from "./unconditional.ts";
import { asServed, asStored, storedKind } from "./versions.ts";
import { existing, requireRevision, type Turn, write } from "./write.ts";

export type WriteOptions = {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
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
  const input = placed(known, { namespace, name: undefined });
  requireName(kind, input);
  if (!["", "0", undefined].includes(revisionIn(input))) {
    const message = "resourceVersion should not be set on objects to be created";
    throw new ApiError("BadRequest", message);
  }
  const object = await named(input, () =>
    write(
      gateway.backendFor(kind),
      (context) => admitCreate(storedKind(kind), asStored(kind, input), context),
      { ports: gateway.ports, dryRun: options.dryRun, target: (made) => targetOf(kind, made) },
    ),
  );
  return { object, warnings };
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
  Pick<ValidateOptions, "sent"> & { readonly part: "main" | "status" };

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
  let warnings: readonly string[] = [];
  const object = await write(
    gateway.backendFor(kind),
    (context): Turn => {
      const before = existing(context, target);
      const changed = change(asServed(kind, before));
      const validated = validateFields(kind, ofKind(kind, changed), {
        mode: options.fieldValidation,
        sent: options.sent,
        duplicates: duplicatesOf(changed),
      });
      warnings = validated.warnings;
      const after = placed(validated.input, target);
      requireConditional(target, revisionIn(after));
      requireRevision(before, revisionIn(after), target);
      requireUid(before, after, target);
      return admitted(target, { before, input: after, part: options.part }, context);
    },
    { ports: gateway.ports, dryRun: options.dryRun, target: () => target, changes: target },
  );
  return { object, warnings };
}

function admitted(
  { kind }: Target,
  {
    before,
    input,
    part,
  }: {
    readonly before: AnyObject;
    readonly input: unknown;
    readonly part: "main" | "status";
  },
  context: AdmissionContext,
): Turn {
  const stored = asStored(kind, input);
  const made =
    part === "main"
      ? admitUpdate(storedKind(kind), before, stored, context)
      : admitStatus(
          storedKind(kind),
          before,
          isRecord(stored) ? stored["status"] : undefined,
          context,
        );
  return made ?? { object: before, ops: undefined };
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

function revisionIn({ metadata }: JsonRecord): string | undefined {
  const revision = isRecord(metadata) ? metadata["resourceVersion"] : undefined;
  return typeof revision === "string" ? revision : undefined;
}

function requireUid(before: AnyObject, { metadata }: JsonRecord, target: Target): void {
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
