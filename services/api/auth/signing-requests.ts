/** `certificates.k8s.io`: who approves, and the certificates for the API's clients. */
import { admitStatus } from "../../../libs/admission/admit.ts";
import { type AnyObject, timestamp } from "../../../libs/admission/context.ts";
import { ApiError, invalid } from "../../../libs/model/errors.ts";
import {
  certificateSigningRequest,
  type CertificateSigningRequest,
} from "../../../libs/model/kinds/certificatesigningrequest.ts";
import { decodeBody, decodePatch } from "../http/decode.ts";
import { writeOptionsOf } from "../http/query.ts";
import { type Reply, valueReply } from "../http/reply.ts";
import { rootsOf } from "../http/resource-routes.ts";
import type { Exchange, Route } from "../http/server.ts";
import { isRecord } from "../patch/record.ts";
import { type Change, updateObject } from "../resources/change.ts";
import type { Gateway } from "../resources/gateway.ts";
import { readObject } from "../resources/read.ts";
import { refusalAbout } from "../resources/refusal.ts";
import { existing, write } from "../resources/write.ts";
import { signRequest, UnsignableRequest } from "../pki/sign-request.ts";
import { clientsSigner, pemIn } from "./asked-by.ts";
import type { Duty } from "./duties.ts";

const kind = certificateSigningRequest;

type Status = NonNullable<CertificateSigningRequest["status"]>;
type Condition = NonNullable<Status["conditions"]>[number];

/** `certificatesigningrequests/<name>/approval`. */
export function approvalRoutes(gateway: Gateway): readonly Route[] {
  const path = `${rootsOf(kind).own}/:name/approval`;
  const target = ({ params }: Exchange) => ({
    kind,
    namespace: undefined,
    name: params["name"] ?? "",
  });
  const changing = async (exchange: Exchange, change: Change, sent: "object" | "patch") => {
    const options = { ...writeOptionsOf(exchange), part: "status", sent } as const;
    const judged: Change = (before) => approved(before, change(before), gateway);
    const { object } = await updateObject(gateway, target(exchange), judged, options);
    return valueReply(object, { language: "json" });
  };
  const verbs: Readonly<Partial<Record<Route["method"], (of: Exchange) => Promise<Reply>>>> = {
    GET: async (exchange) =>
      valueReply(await readObject(gateway.backendFor(kind), target(exchange), undefined), {
        language: "json",
      }),
    async PUT(exchange) {
      const given = await decodeBody(exchange.request, kind.schema);
      return changing(exchange, () => given, "object");
    },
    PATCH: async (exchange) =>
      changing(exchange, await decodePatch(exchange.request, kind.schema), "patch"),
  };
  return Object.entries(verbs).map(([method, run]) => ({
    method: method as Route["method"], // `verbs` is keyed by them.
    path,
    async handle(exchange) {
      try {
        return await run(exchange);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        throw refusalAbout(error, kind, exchange.params["name"]);
      }
    },
  }));
}

const isVerdict = ({ type }: Pick<Condition, "type">) => type === "Approved" || type === "Denied";

/** The request with the verdicts that are given, and of its own the rest. @throws {ApiError} Invalid */
function approved(before: AnyObject, given: unknown, { ports }: Pick<Gateway, "ports">): unknown {
  const own = conditionsOf(before);
  const told = isRecord(given) ? conditionsOf(given) : [];
  const verdicts = told.filter(isVerdict);
  const refuse = (message: string) => {
    const cause = { reason: "FieldValueInvalid", field: "status.conditions", message };
    return invalid(kind, before.metadata.name, [cause]);
  };
  if (new Set(verdicts.map(({ type }) => type)).size > 1)
    throw refuse("Invalid value: Approved and Denied conditions are mutually exclusive");
  for (const { type } of own.filter(isVerdict)) {
    if (!verdicts.some((one) => one.type === type))
      throw refuse(`Forbidden: updates may not remove a condition of type "${type}"`);
  }
  const now = timestamp(ports.clock.now());
  const stamped = verdicts.map((one) => ({
    ...one,
    lastUpdateTime: one.lastUpdateTime ?? now,
    lastTransitionTime: one.lastTransitionTime ?? now,
  }));
  const others = own.filter((one) => !isVerdict(one));
  // What it says of its revision still counts.
  const metadata = isRecord(given) ? given["metadata"] : before.metadata;
  return {
    ...before,
    metadata,
    status: { ...before.status, conditions: [...stamped, ...others] },
  };
}

function conditionsOf(of: { readonly status?: unknown }): readonly Condition[] {
  const conditions = isRecord(of.status) ? of.status["conditions"] : undefined;
  return Array.isArray(conditions) ? (conditions as Condition[]) : []; // The schema judges them next.
}

const lifeSeconds = 365 * 24 * 3_600;
const usesAllowed = ["client auth", "digital signature", "key encipherment"];

/** Signs what is approved for clients of the API. */
export function clientSigner({
  backendFor,
  identity,
  ports,
}: Pick<Gateway, "backendFor" | "identity" | "ports">): Duty {
  async function verdictOn({ spec }: CertificateSigningRequest): Promise<Partial<Status>> {
    const { usages = [], expirationSeconds, request } = spec;
    const other = usages.find((one) => !usesAllowed.includes(one));
    try {
      if (other !== undefined || !usages.includes("client auth"))
        throw new UnsignableRequest(`usages must be client auth, and of ${usesAllowed.join(", ")}`);
      const pem = await signRequest(pemIn(request), {
        authority: identity.authority,
        lifeSeconds: Math.min(expirationSeconds ?? lifeSeconds, lifeSeconds),
        enciphers: usages.includes("key encipherment"),
        ...ports,
      });
      return { certificate: Buffer.from(pem).toString("base64") };
    } catch (error) {
      if (!(error instanceof UnsignableRequest)) throw error;
      const now = timestamp(ports.clock.now());
      const failed: Condition = {
        type: "Failed",
        status: "True",
        reason: "SignerValidationFailure",
        message: error.message,
        lastUpdateTime: now,
        lastTransitionTime: now,
      };
      return { conditions: [failed] };
    }
  }

  return {
    kind,
    isDue: (object) => isToSign(object as unknown as CertificateSigningRequest), // Of that kind.
    async fulfil(object) {
      const asked = object as unknown as CertificateSigningRequest; // As above.
      const verdict = await verdictOn(asked);
      const target = { kind, namespace: undefined, name: asked.metadata.name };
      await write(
        backendFor(kind),
        (context) => {
          const before = existing(context, target) as unknown as CertificateSigningRequest; // As above.
          const same = { object: before, ops: undefined };
          if (before.metadata.uid !== asked.metadata.uid || !isToSign(before)) return same;
          const { conditions = [], ...status } = before.status ?? {};
          const all = [...conditions, ...(verdict.conditions ?? [])];
          const after = { ...status, ...verdict, conditions: all };
          return admitStatus(kind, before, after, context) ?? same;
        },
        { ports, dryRun: false, target: () => target, changes: target },
      );
    },
  };
}

function isToSign({ spec, status }: CertificateSigningRequest): boolean {
  const { conditions = [], certificate = "" } = status ?? {};
  const has = (type: string) => conditions.some((one) => one.type === type);
  const isOpen = !has("Denied") && !has("Failed") && certificate === "";
  return spec.signerName === clientsSigner && has("Approved") && isOpen;
}
