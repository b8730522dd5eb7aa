/** DELETE of one object, and of a collection. */
import * as z from "zod";
import { admitDelete } from "../../../libs/admission/admit.ts";
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { int64 } from "../../../libs/model/field.ts";
import { optionsOf } from "../../../libs/webhooks/request.ts";
import type { UserInfo } from "../auth/user.ts";
import type { Target } from "./backend.ts";
import type { Gateway } from "./gateway.ts";
import { listObjects } from "./read.ts";
import type { Selects } from "./selectors.ts";
import { storedKind } from "./versions.ts";
import { warnInto } from "./asked.ts";
import { existing, requireRevision, write } from "./write.ts";

/** meta.v1.DeleteOptions. */
export const deleteOptions = z
  .object({
    gracePeriodSeconds: int64.min(0).optional().meta({ proto: 1 }),
    preconditions: z
      .object({
        uid: z.string().optional().meta({ proto: 1 }),
        resourceVersion: z.string().optional().meta({ proto: 2 }),
      })
      .optional()
      .meta({ proto: 2 }),
    orphanDependents: z.boolean().optional().meta({ proto: 3 }),
    propagationPolicy: z.enum(["Background", "Foreground", "Orphan"]).optional().meta({ proto: 4 }),
    dryRun: z.array(z.string()).optional().meta({ proto: 5 }),
  })
  .transform(({ orphanDependents, ...rest }) =>
    orphanDependents === true ? { ...rest, propagationPolicy: "Orphan" as const } : rest,
  );
export type DeleteOptions = z.output<typeof deleteOptions>;

/** As refusals name it. */
export const deleteOptionsKind = {
  group: "meta.k8s.io",
  version: "v1",
  kind: "DeleteOptions",
  schema: deleteOptions,
} as const;

export type Deleted = {
  /** As it is now: marked as ending, or as it was last. */
  readonly object: AnyObject;
  /** It is there no more. */
  readonly gone: boolean;
  readonly warnings: readonly string[];
};

/** How many deletions of a collection are under way at once. */
const atOnce = 64;

/** @throws {ApiError} NotFound, Conflict when a precondition does not hold */
export async function deleteObject(
  gateway: Gateway,
  target: Target,
  options: DeleteOptions,
  user: UserInfo,
): Promise<Deleted> {
  const { kind, namespace, name } = target;
  const backend = gateway.backendFor(kind);
  const told: string[] = [];
  const dryRun = (options.dryRun ?? []).length > 0;
  let gone = false;
  const object = await write(
    backend,
    (context) => {
      const before = existing(context, target);
      requirePreconditions(before, options, target);
      const admitted = admitDelete(storedKind(kind), before, options, context);
      gone = admitted?.ops.some(({ op }, nth) => nth === 0 && op === "delete") ?? false;
      return admitted ?? { object: before, ops: undefined };
    },
    {
      ports: gateway.ports,
      dryRun,
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
          options: optionsOf("DeleteOptions", options),
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
    selects,
    options,
    user,
  }: {
    readonly selects: Selects;
    readonly options: DeleteOptions;
    readonly user: UserInfo;
  },
): Promise<readonly AnyObject[]> {
  const { objects } = await listObjects(gateway.backendFor(target.kind), target, { selects });
  const waiting = [...objects];
  const deleted: AnyObject[] = [];
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { namespace, name = "" } = next.metadata;
      try {
        const one = { ...target, namespace, name };
        const { object } = await deleteObject(gateway, one, options, user);
        deleted.push(object);
      } catch (error) {
        if (!(error instanceof ApiError) || error.reason !== "NotFound") throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return deleted;
}

export function requirePreconditions(
  before: AnyObject,
  { preconditions }: DeleteOptions,
  target: Target,
): void {
  requireRevision(before, preconditions?.resourceVersion, target);
  const { uid } = preconditions ?? {};
  if (uid === undefined || uid === before.metadata.uid) return;
  throw new ApiError(
    "Conflict",
    `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`,
  );
}
