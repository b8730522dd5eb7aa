/** What can be asked of a pod beside reading and writing it: its routes. */
import * as z from "zod";
import { admitBind } from "../../../libs/admission/admit.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { gvkOf } from "../../../libs/webhooks/request.ts";
import { decodeBody } from "../http/decode.ts";
import { dryRunOf } from "../http/query.ts";
import { created, type Reply, valueReply } from "../http/reply.ts";
import { rootsOf } from "../http/resource-routes.ts";
import type { Exchange, Route } from "../http/server.ts";
import { warningsIn } from "../http/warnings.ts";
import { askedWith, bodyAt } from "../resources/asked.ts";
import { parseAsked } from "../resources/field-validation.ts";
import type { Gateway } from "../resources/gateway.ts";
import { existing, write } from "../resources/write.ts";
import { admitConnect } from "./connect.ts";
import { evict } from "./eviction.ts";
import { podExec } from "./exec.ts";
import { explainManifest, explainPod } from "./explain.ts";
import { podLogs } from "./logs.ts";
import { podPortForward } from "./port-forward.ts";

export function podRoutes(gateway: Gateway, kind: Kind): readonly Route[] {
  const one = `${rootsOf(kind).own}/:name`;
  const streams = (["exec", "attach", "portforward"] as const).flatMap((verb) =>
    (["GET", "POST"] as const).map((method): Route => ({
      method,
      path: `${one}/${verb}`,
      handle: refuseWithoutUpgrade,
      async upgrade(upgrade) {
        await admitConnect(gateway, kind, verb, upgrade);
        if (verb === "portforward") await podPortForward(gateway, kind, upgrade);
        else await podExec(gateway, kind, { verb, upgrade });
      },
    })),
  );
  return [
    { method: "GET", path: `${one}/log`, handle: (exchange) => podLogs(gateway, kind, exchange) },
    ...streams,
    {
      method: "GET",
      path: `${one}/explain`,
      handle: (exchange) => explainPod(gateway, kind, exchange),
    },
    {
      method: "POST",
      path: `${one}/explain`,
      handle: (exchange) => explainManifest(gateway, kind, exchange),
    },
    {
      method: "POST",
      path: `${one}/eviction`,
      handle: (exchange) => evict(gateway, kind, exchange),
    },
    { method: "POST", path: `${one}/binding`, handle: (exchange) => bind(gateway, kind, exchange) },
  ];
}

function refuseWithoutUpgrade(): never {
  throw new ApiError("BadRequest", "unable to upgrade: missing upgrade headers in request");
}

const binding = z.object({
  target: z
    .object({
      kind: z.string().optional().meta({ proto: 1 }),
      name: z.string().min(1).meta({ proto: 3 }),
    })
    .meta({ proto: 2 }),
});
const bindingKind = { group: "", version: "v1", kind: "Binding", schema: binding } as const;

async function bind(
  gateway: Gateway,
  kind: Kind,
  { params, query, request, user }: Exchange,
): Promise<Reply> {
  const body = await decodeBody(request, binding);
  const nodeIn = (given: unknown) => parseAsked(bindingKind, given).target.name;
  const node = nodeIn(body);
  const target = { kind, namespace: params["namespace"], name: params["name"] ?? "" };
  const dryRun = dryRunOf(query);
  const told: string[] = [];
  await write(
    gateway.backendFor(kind),
    (context, changed) => {
      const to = changed === undefined ? node : nodeIn(changed.body);
      return admitBind(kind, existing(context, target), to, context);
    },
    {
      ports: gateway.ports,
      dryRun,
      target: () => target,
      changes: target,
      asks: askedWith(
        {
          ...target,
          subresource: "binding",
          body: gvkOf(bindingKind),
          object: bodyAt(bindingKind, target, body),
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
