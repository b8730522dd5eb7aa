/** `serviceaccounts/<name>/token`: a token for a ServiceAccount (`kubectl create token`). */
import * as z from "zod";
import { timestamp } from "../../../libs/admission/context.ts";
import {
  type Grant,
  type GrantContext,
  grantToken,
  renewedAt,
  tokenSecondsMax,
  tokenSecondsMin,
} from "../../../libs/identity/grant.ts";
import { signToken, type TokenClaims } from "../../../libs/identity/token.ts";
import { ApiError, invalid } from "../../../libs/model/errors.ts";
import { int64 } from "../../../libs/model/field.ts";
import { serviceAccount } from "../../../libs/model/kinds/serviceaccount.ts";
import { decodeBody } from "../http/decode.ts";
import { dryRunOf } from "../http/query.ts";
import { type Reply, valueReply } from "../http/reply.ts";
import { rootsOf } from "../http/resource-routes.ts";
import type { Exchange, Route } from "../http/server.ts";
import { warningsIn } from "../http/warnings.ts";
import { parseAsked } from "../resources/field-validation.ts";
import type { Gateway } from "../resources/gateway.ts";

const text = (proto: number) => z.string().optional().meta({ proto });

const tokenRequest = z.object({
  metadata: z
    .object({ name: text(1), namespace: text(3) })
    .optional()
    .meta({ proto: 1 }),
  spec: z
    .object({
      audiences: z.array(z.string()).optional().meta({ proto: 1 }),
      boundObjectRef: z
        .object({ kind: text(1), apiVersion: text(2), name: text(3), uid: text(4) })
        .optional()
        .meta({ proto: 3 }),
      expirationSeconds: int64.optional().meta({ proto: 4 }),
    })
    .optional()
    .meta({ proto: 2 }),
});
type Spec = NonNullable<z.output<typeof tokenRequest>["spec"]>;

const kind = {
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenRequest",
  schema: tokenRequest,
} as const;

const defaultSeconds = 3_600;

export const tokenRoute = (gateway: Gateway): Route => ({
  method: "POST",
  path: `${rootsOf(serviceAccount).own}/:name/token`,
  handle: (exchange) => answer(gateway, exchange),
});

/** @throws {ApiError} NotFound, Invalid, BadRequest, Conflict */
async function answer(gateway: Gateway, exchange: Exchange): Promise<Reply> {
  const { identity, ports, backendFor } = gateway;
  const { namespace = "", name = "" } = exchange.params;
  const asked = parseAsked(kind, await decodeBody(exchange.request, tokenRequest));
  requireSame("name", asked.metadata?.name, name);
  requireSame("namespace", asked.metadata?.namespace, namespace);
  const { spec = {} } = asked;
  const seconds = secondsOf(spec, name);
  const audiences =
    spec.audiences === undefined || spec.audiences.length === 0
      ? identity.audiences
      : spec.audiences;
  const bound = boundOf(spec);
  const grant: Grant = {
    namespace,
    account: name,
    audiences,
    expirationSeconds: Math.min(seconds, tokenSecondsMax),
    ...(bound !== undefined && { bound }),
  };
  const backend = backendFor(serviceAccount);
  const { view } = backend;
  await backend.consistent();
  const { issuer, keys } = identity;
  const context: GrantContext = { view, issuer, now: ports.clock.now(), random: ports.random };
  const claims = grantToken(grant, context);
  const token = dryRunOf(exchange.query) ? "" : signToken(keys, claims);
  const shortened = `requested expiration of ${seconds} seconds shortened to ${tokenSecondsMax} seconds`;
  return valueReply(
    {
      kind: kind.kind,
      apiVersion: `${kind.group}/${kind.version}`,
      metadata: { name, namespace, creationTimestamp: timestamp(context.now) },
      spec: {
        audiences,
        expirationSeconds: grant.expirationSeconds,
        boundObjectRef: spec.boundObjectRef ?? null,
      },
      status: { token, expirationTimestamp: expiryOf(claims) },
    },
    { language: "json" },
    { code: 201, headers: warningsIn(seconds > tokenSecondsMax ? [shortened] : []) },
  );
}

const expiryOf = (claims: TokenClaims): string => timestamp(renewedAt(claims) * 1_000);

/** So long an expiration is no mistake of units any more. */
const secondsMax = 2 ** 32;

function secondsOf({ expirationSeconds = defaultSeconds }: Spec, name: string): number {
  const field = "spec.expirationSeconds";
  const refused = (why: string) =>
    invalid(kind, name, [
      {
        reason: "FieldValueInvalid",
        field,
        message: `Invalid value: ${expirationSeconds}: may not specify a duration ${why}`,
      },
    ]);
  if (expirationSeconds < tokenSecondsMin) throw refused("less than 10 minutes");
  if (expirationSeconds > secondsMax) throw refused("larger than 2^32 seconds");
  return expirationSeconds;
}

const boundKinds = ["Pod", "Secret", "Node"] as const;

function boundOf({ boundObjectRef }: Spec): Grant["bound"] {
  if (boundObjectRef === undefined) return undefined;
  const { kind: given = "", apiVersion = "", name = "", uid } = boundObjectRef;
  const known = boundKinds.find((one) => one === given);
  if (known === undefined || apiVersion !== "v1") {
    throw new ApiError("BadRequest", `cannot bind token to object of type ${apiVersion}, ${given}`);
  }
  return { kind: known, name, uid };
}

function requireSame(field: "name" | "namespace", given: string | undefined, wanted: string): void {
  if (given === undefined || given === "" || given === wanted) return;
  throw new ApiError(
    "BadRequest",
    `the ${field} of the provided object does not match the ${field} on the URL`,
  );
}
