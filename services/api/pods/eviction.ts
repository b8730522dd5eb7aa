/** `pods/<name>/eviction`: a deletion that budgets must permit. */
import * as z from "zod";
import { admitEvict } from "../../../libs/admission/evict.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { Pod } from "../../../libs/model/kinds/pod.ts";
import { gvkOf } from "../../../libs/webhooks/request.ts";
import { decodeBody } from "../http/decode.ts";
import { dryRunOf } from "../http/query.ts";
import { warningsIn } from "../http/warnings.ts";
import { askedWith, bodyAt } from "../resources/asked.ts";
import { created, type Reply, valueReply } from "../http/reply.ts";
import type { Exchange } from "../http/server.ts";
import { deleteOptions, requirePreconditions } from "../resources/delete.ts";
import { parseAsked } from "../resources/field-validation.ts";
import type { Gateway } from "../resources/gateway.ts";
import { existing, write } from "../resources/write.ts";

const eviction = z.object({ deleteOptions: deleteOptions.optional().meta({ proto: 2 }) });
const evictionKind = {
  group: "policy",
  version: "v1",
  kind: "Eviction",
  schema: eviction,
} as const;

/** @throws {ApiError} NotFound, Conflict, TooManyRequests when a budget does not permit it */
export async function evict(
  gateway: Gateway,
  kind: Kind,
  { params, query, request, user }: Exchange,
): Promise<Reply> {
  const body = await decodeBody(request, eviction);
  const asked = parseAsked(evictionKind, body);
  const options = asked.deleteOptions ?? {};
  const target = { kind, namespace: params["namespace"], name: params["name"] ?? "" };
  const dryRun = dryRunOf(query) || (options.dryRun ?? []).length > 0;
  const told: string[] = [];
  await write(
    gateway.backendFor(kind),
    (context) => {
      const before = existing(context, target);
      requirePreconditions(before, options, target);
      // What lies at a pod's key was admitted as one.
      return admitEvict(before as Pod, options, context) ?? { object: before, ops: undefined };
    },
    {
      ports: gateway.ports,
      dryRun,
      target: () => target,
      changes: target,
      asks: askedWith(
        {
          ...target,
          subresource: "eviction",
          body: gvkOf(evictionKind),
          object: bodyAt(evictionKind, target, body),
          user,
          dryRun,
        },
        told,
      ),
    },
  );
  const headers = warningsIn(told);
  return valueReply(created, { language: "json" }, { code: 201, headers });
}
