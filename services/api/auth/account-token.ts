/** Tokens of ServiceAccounts: signed by the cluster, and valid as long as what they are bound to. */
import { createHash } from "node:crypto";
import { errors, jwtVerify } from "jose";
import { lapsed, lapsedLegacy } from "../../../libs/identity/grant.ts";
import type { SigningKeys } from "../../../libs/identity/signing-keys.ts";
import {
  accountUser,
  type LegacyClaims,
  legacyClaims,
  legacyIssuer,
  type TokenClaims,
  tokenClaims,
} from "../../../libs/identity/token.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Backend } from "../resources/backend.ts";
import type { ReadToken, TokenHolder } from "./bearer.ts";
import { authenticatedGroup, credentialId, groupsOfAccount, type UserInfo } from "./user.ts";

export type AccountTokenOptions = {
  readonly keys: SigningKeys;
  readonly issuer: string;
  /** Those of the API itself: a token that names none is for these. */
  readonly own: readonly string[];
  readonly backend: Pick<Backend, "view" | "consistent">;
  readonly clock: Clock;
};

/** Tokens whose signature need not be checked again; of more the oldest are forgotten. */
const rememberedMax = 10_000;

type Proved =
  | { readonly form: "bound"; readonly claims: TokenClaims }
  | { readonly form: "legacy"; readonly claims: LegacyClaims };

/**
 * Reads ServiceAccounts' tokens. That one is not valid any more counts only at a consistent cut: the
 * account may just have been made, through another gateway (S5).
 */
export function accountTokens(options: AccountTokenOptions): ReadToken {
  const { keys, issuer, own, backend, clock } = options;
  const remembered = new Map<string, Proved>();

  /** Its signature, its issuer, and no more: undefined for what the cluster did not sign. */
  async function prove(token: string): Promise<Proved | undefined> {
    const id = createHash("sha256").update(token).digest("base64");
    const known = remembered.get(id);
    if (known !== undefined) return known;
    const proved = await verified(token);
    if (proved === undefined) return undefined;
    remembered.set(id, proved);
    const [oldest] = remembered.keys();
    if (remembered.size > rememberedMax && oldest !== undefined) remembered.delete(oldest);
    return proved;
  }

  async function verified(token: string): Promise<Proved | undefined> {
    if (token.split(".").length !== 3) return undefined;
    for (const { publicKey } of keys) {
      try {
        // Times are judged by `valid`: those of a remembered token too.
        const { payload } = await jwtVerify(token, publicKey, {
          algorithms: ["ES256"],
          currentDate: new Date(0),
          clockTolerance: Number.MAX_SAFE_INTEGER,
        });
        if (payload.iss === issuer) {
          const { data } = tokenClaims.safeParse(payload);
          return data && { form: "bound", claims: data };
        }
        if (payload.iss !== legacyIssuer) return undefined;
        const { data } = legacyClaims.safeParse(payload);
        return data && { form: "legacy", claims: data };
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
    }
    return undefined;
  }

  function valid(token: string, { form, claims }: Proved): boolean {
    if (form === "legacy") return lapsedLegacy(claims, token, backend.view) === undefined;
    const now = clock.now();
    if (now >= claims.exp * 1_000 || now < claims.nbf * 1_000 - skewMs) return false;
    return lapsed(claims, backend.view, now) === undefined;
  }

  return async (token, asked) => {
    const proved = await prove(token);
    if (proved === undefined) return undefined;
    const made = proved.form === "legacy" ? own : proved.claims.aud;
    const audiences = asked.filter((one) => made.includes(one));
    if (audiences.length === 0) return undefined;
    if (!valid(token, proved)) {
      if (isOver(proved, clock.now())) return undefined;
      await backend.consistent();
      if (!valid(token, proved)) return undefined;
    }
    return holderOf(proved, audiences);
  };
}

/** Clocks of two signers differ by so much. */
const skewMs = 10_000;

const isOver = ({ form, claims }: Proved, now: number): boolean =>
  form === "bound" && now >= claims.exp * 1_000;

function holderOf({ form, claims }: Proved, audiences: readonly string[]): TokenHolder {
  return { user: form === "legacy" ? ofSecret(claims) : ofAccount(claims), audiences };
}

function ofAccount({ jti, "kubernetes.io": bound }: TokenClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = bound;
  const told = (name: string, value: string | undefined) =>
    value === undefined ? {} : { [`authentication.kubernetes.io/${name}`]: [value] };
  return {
    username: accountUser(namespace, serviceaccount.name),
    uid: serviceaccount.uid,
    groups: [...groupsOfAccount(namespace), authenticatedGroup],
    extra: {
      ...(jti !== undefined && { [credentialId]: [`JTI=${jti}`] }),
      ...told("node-name", node?.name),
      ...told("node-uid", node?.uid),
      ...told("pod-name", pod?.name),
      ...told("pod-uid", pod?.uid),
    },
  };
}

function ofSecret(claims: LegacyClaims): UserInfo {
  const namespace = claims["kubernetes.io/serviceaccount/namespace"];
  return {
    username: accountUser(namespace, claims["kubernetes.io/serviceaccount/service-account.name"]),
    uid: claims["kubernetes.io/serviceaccount/service-account.uid"],
    groups: [...groupsOfAccount(namespace), authenticatedGroup],
  };
}
