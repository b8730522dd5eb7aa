/** DELETE of one object, and of a collection. */
import * as z from "zod";
import { admitDelete } from "../../../libs/admission/admit.ts";
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { int64 } from "../../../libs/model/field.ts";
import { resourceName, type Target } from "./backend.ts";
import { optionsOf } from "../../../libs/webhooks/request.ts";
import type { UserInfo } from "../auth/user.ts";
import type { Gateway } from "./gateway.ts";
import { dryRunFault } from "./dry-run.ts";
import { listObjects, type ListOptions } from "./read.ts";
import { storedKind } from "./versions.ts";
import { existing, type Fence, write } from "./write.ts";
import { warnInto } from "./asked.ts";

/** meta.v1.DeleteOptions, as it is sent. */
const sentOptions = z.object({
  // A negative one is a second, as in Kubernetes.
  gracePeriodSeconds: int64.optional().meta({ proto: 1 }),
  preconditions: z
    .object({
      uid: z.string().optional().meta({ proto: 1 }),
      resourceVersion: z.string().optional().meta({ proto: 2 }),
    })
    .optional()
    .meta({ proto: 2 }),
  orphanDependents: z.boolean().optional().meta({ proto: 3 }),
  propagationPolicy: z.string().optional().meta({ proto: 4 }),
  dryRun: z.array(z.string()).optional().meta({ proto: 5 }),
});

const policies = ["Foreground", "Background", "Orphan"] as const;

/** The same, checked: of `orphanDependents`, which is deprecated, remains what it means. */
export const deleteOptions = sentOptions.transform((sent, context) => {
  const { orphanDependents, propagationPolicy: given, gracePeriodSeconds: seconds, ...rest } = sent;
  const refuse = (path: string, reason: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message, params: { reason } });
  const shown = JSON.stringify(given?.slice(0, 63));
  if (given !== undefined && orphanDependents !== undefined) {
    const why = "orphanDependents and deletionPropagation cannot be both set";
    refuse("propagationPolicy", "FieldValueInvalid", `Invalid value: ${shown}: ${why}`);
  }
  const known = policies.find((one) => one === given);
  if (given !== undefined && known === undefined) {
    const supported = '"Foreground", "Background", "Orphan", "nil"';
    const message = `Unsupported value: ${shown}: supported values: ${supported}`;
    refuse("propagationPolicy", "FieldValueNotSupported", message);
  }
  if ((rest.dryRun ?? []).some((one) => one !== "All")) {
    refuse("dryRun", "FieldValueNotSupported", dryRunFault(rest.dryRun ?? []));
  }
  const told = orphanDependents === true ? ("Orphan" as const) : ("Background" as const);
  const propagationPolicy = known ?? (orphanDependents === undefined ? undefined : told);
  return {
    ...rest,
    ...(seconds !== undefined && { gracePeriodSeconds: seconds < 0 ? 1 : seconds }),
    ...(propagationPolicy !== undefined && { propagationPolicy }),
    /** The client asked to have the dependents gone: what is not gone at once is 202. */
    ...(orphanDependents === false && { isCascading: true }),
  };
});
export type DeleteOptions = z.output<typeof deleteOptions>;

/** As refusals name it. */
export const deleteOptionsKind = {
  group: "meta.k8s.io",
  version: "v1",
  kind: "DeleteOptions",
  schema: deleteOptions,
} as const;

/** What a deletion of the gateway's own depends on beside what its options say. */
export type DeleteOnly = {
  readonly fence?: Fence | undefined;
  /** @throws {ApiError} when this is not what was meant */
  readonly require?: (object: AnyObject) => void;
};

export type Deleted = {
  /** As it is now: marked as ending, or as it was last. */
  readonly object: AnyObject;
  /** It is there no more. */
  readonly gone: boolean;
  readonly warnings: readonly string[];
};

/** How many deletions of a collection are under way at once. */
const atOnce = 64;

/**
 * @throws {FenceMoved}
 * @throws {ApiError} NotFound, Conflict when a precondition does not hold
 */
export async function deleteObject(
  gateway: Gateway,
  target: Target,
  options: DeleteOptions,
  { user, only: { fence, require } = {} }: { readonly user: UserInfo; readonly only?: DeleteOnly },
): Promise<Deleted> {
  const { kind, namespace, name } = target;
  const { isCascading: _cascading, ...sent } = options;
  const backend = gateway.backendFor(kind);
  const told: string[] = [];
  const dryRun = (options.dryRun ?? []).length > 0;
  let gone = false;
  const object = await write(
    backend,
    (context) => {
      const before = existing(context, target);
      requirePreconditions(before, options, target);
      require?.(before);
      const admitted = admitDelete(storedKind(kind), before, options, context);
      gone = admitted?.ops.some(({ op }, nth) => nth === 0 && op === "delete") ?? false;
      return admitted ?? { object: before, ops: undefined };
    },
    {
      ports: gateway.ports,
      dryRun,
      fence,
      target: () => target,
      changes: target,
      asks: {
        request: {
          operation: "DELETE",
          kind,
          subresource: "",
          namespace,
          name,
          user,
          dryRun,
          options: optionsOf("DeleteOptions", sent),
        },
        warn: warnInto(told),
      },
    },
  );
  return { object, gone, warnings: told };
}

/** @returns what was deleted; what went in the meantime is left out */
export async function deleteCollection(
  gateway: Gateway,
  target: Omit<Target, "name">,
  {
    options,
    user,
    ...which
  }: ListOptions & { readonly options: DeleteOptions; readonly user: UserInfo },
): Promise<readonly AnyObject[]> {
  const { objects } = await listObjects(gateway.backendFor(target.kind), target, which);
  const waiting = objects.toReversed();
  const deleted: AnyObject[] = [];
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { namespace, name = "" } = next.metadata;
      try {
        const one = { ...target, namespace, name };
        const { object } = await deleteObject(gateway, one, options, { user });
        deleted.push(object);
      } catch (error) {
        if (!(error instanceof ApiError) || error.reason !== "NotFound") throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return deleted;
}

/** @throws {ApiError} Conflict when the object is another one, or at another revision */
export function requirePreconditions(
  before: AnyObject,
  { preconditions }: DeleteOptions,
  { kind, name }: Target,
): void {
  const { uid, resourceVersion } = preconditions ?? {};
  const { metadata } = before;
  const conflict = (why: string) => {
    const what = kind.group === "" ? kind.kind : `${kind.kind}.${kind.group}`;
    return new ApiError("Conflict", `Operation cannot be fulfilled on ${what} "${name}": ${why}`);
  };
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

/** What answers a deletion with the object that it ended; the rest does with a Status. */
const shownWhenGone = new Set([
  "pods",
  "podtemplates",
  "serviceaccounts",
  "resourcequotas",
  "persistentvolumes",
  "persistentvolumeclaims",
  "storageclasses.storage.k8s.io",
  "volumeattachments.storage.k8s.io",
  "csidrivers.storage.k8s.io",
  "csinodes.storage.k8s.io",
  "csistoragecapacities.storage.k8s.io",
]);
export const isShownWhenGone = (kind: Target["kind"]): boolean =>
  shownWhenGone.has(resourceName(kind));
