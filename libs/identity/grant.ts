/** What a token may say, and whether what it says still holds, read from a cut. Pure. */
import type { ClusterView } from "../cluster/view.ts";
import { ApiError } from "../model/errors.ts";
import { node as nodeKind } from "../model/kinds/node.ts";
import { pod as podKind } from "../model/kinds/pod.ts";
import { secret as secretKind } from "../model/kinds/secret.ts";
import { serviceAccount } from "../model/kinds/serviceaccount.ts";
import type { EpochMs } from "../telemetry/clock.ts";
import type { Random } from "../telemetry/random.ts";
import { accountUser, type Bindings, type LegacyClaims, type TokenClaims } from "./token.ts";

export type Grant = {
  readonly namespace: string;
  readonly account: string;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  /** The token dies with it. */
  readonly bound?: {
    readonly kind: "Pod" | "Secret" | "Node";
    readonly name: string;
    /** Absent: whichever has the name now. */
    readonly uid?: string | undefined;
  };
};

export type GrantContext = {
  readonly view: ClusterView;
  readonly issuer: string;
  readonly now: EpochMs;
  readonly random: Random;
};

/** Bounds of a token's life. */
export const tokenSecondsMin = 600;
export const tokenSecondsMax = 365 * 24 * 3_600;
/** Of pods' own: an hour, and enough more that it can be told from one that was asked for. */
export const podTokenSeconds = 3_607;

/**
 * The claims of a token for a ServiceAccount that is there, bound to what is there.
 *
 * @throws {ApiError} NotFound, BadRequest (bound to another's pod), Conflict (another uid)
 */
export function grantToken(grant: Grant, context: GrantContext): TokenClaims {
  const { namespace, account, audiences } = grant;
  const { view, issuer, now, random } = context;
  const found = view.get(serviceAccount, namespace, account);
  if (found === undefined) throw missing("serviceaccounts", account);
  const issuedAt = Math.floor(now / 1_000);
  const endsAt = issuedAt + grant.expirationSeconds;
  const extended = isExtended(grant, issuer);
  return {
    aud: [...audiences],
    exp: extended ? issuedAt + tokenSecondsMax : endsAt,
    iat: issuedAt,
    iss: issuer,
    jti: random.uuid(),
    "kubernetes.io": {
      namespace,
      ...boundTo(grant, view),
      serviceaccount: { name: account, uid: found.metadata.uid },
      ...(extended && { warnafter: endsAt }),
    },
    nbf: issuedAt,
    sub: accountUser(namespace, account),
  };
}

/**
 * Whether it is the token that every pod is given without asking: its files are renewed every hour, but
 * clients from before that read them once. As long as its pod is there such a token is good for a year
 * (kube-apiserver's `--service-account-extend-token-expiration`).
 */
const isExtended = ({ bound, expirationSeconds, audiences }: Grant, issuer: string): boolean =>
  bound?.kind === "Pod" &&
  expirationSeconds === podTokenSeconds &&
  audiences.every((audience) => audience === issuer);

/** When a client should have another one, seconds since 1970. */
export const renewedAt = ({ exp, "kubernetes.io": { warnafter } }: TokenClaims): number =>
  warnafter ?? exp;

function boundTo(
  { namespace, account, bound }: Grant,
  view: ClusterView,
): Pick<Bindings, "pod" | "secret" | "node"> {
  if (bound === undefined) return {};
  const { kind, name, uid: asked } = bound;
  if (kind === "Pod") {
    const pod = view.get(podKind, namespace, name);
    if (pod === undefined) throw missing("pods", name);
    const { serviceAccountName, nodeName = "" } = pod.spec;
    if (serviceAccountName !== account) {
      const message = `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`;
      throw new ApiError("BadRequest", message);
    }
    requireUid(pod.metadata.uid, asked);
    const node = nodeName === "" ? undefined : view.get(nodeKind, undefined, nodeName);
    return {
      pod: { name, uid: pod.metadata.uid },
      ...(nodeName !== "" && {
        node: { name: nodeName, ...(node !== undefined && { uid: node.metadata.uid }) },
      }),
    };
  }
  if (kind === "Secret") {
    const secret = view.get(secretKind, namespace, name);
    if (secret === undefined) throw missing("secrets", name);
    requireUid(secret.metadata.uid, asked);
    return { secret: { name, uid: secret.metadata.uid } };
  }
  const node = view.get(nodeKind, undefined, name);
  if (node === undefined) throw missing("nodes", name);
  requireUid(node.metadata.uid, asked);
  return { node: { name, uid: node.metadata.uid } };
}

function requireUid(has: string, asked: string | undefined): void {
  if (asked === undefined || asked === "" || asked === has) return;
  throw new ApiError(
    "Conflict",
    `the UID in the bound object reference (${asked}) does not match the UID in record. The object might have been deleted and then recreated`,
  );
}

const missing = (plural: string, name: string) =>
  new ApiError("NotFound", `${plural} "${name}" not found`, { name, kind: plural });

/** How long a token outlives the end that was set for what it is bound to. */
const leewayMs = 60_000;

type Ending = {
  readonly metadata: {
    readonly uid: string;
    readonly deletionTimestamp?: string | undefined;
  };
};

/** Why a token is not valid, though it is signed and its time has not run out; undefined: it is. */
export function lapsed(claims: TokenClaims, view: ClusterView, now: EpochMs): string | undefined {
  const { namespace, serviceaccount, pod, secret, node } = claims["kubernetes.io"];
  const stands = (held: Ending | undefined, uid: string | undefined): boolean => {
    if (held === undefined || (uid !== undefined && held.metadata.uid !== uid)) return false;
    const { deletionTimestamp } = held.metadata;
    return deletionTimestamp === undefined || Date.parse(deletionTimestamp) + leewayMs > now;
  };
  const account = view.get(serviceAccount, namespace, serviceaccount.name);
  if (!stands(account, serviceaccount.uid)) return "the ServiceAccount is gone";
  if (claims.sub !== accountUser(namespace, serviceaccount.name)) return "the subject is another";
  if (pod !== undefined && !stands(view.get(podKind, namespace, pod.name), pod.uid))
    return "the pod that it is bound to is gone";
  if (secret !== undefined && !stands(view.get(secretKind, namespace, secret.name), secret.uid))
    return "the Secret that it is bound to is gone";
  // Of a pod's token the node is only told.
  if (node !== undefined && pod === undefined) {
    if (!stands(view.get(nodeKind, undefined, node.name), node.uid))
      return "the Node that it is bound to is gone";
  }
  return undefined;
}

/** The same of a token that a Secret holds. */
export function lapsedLegacy(
  claims: LegacyClaims,
  token: string,
  view: ClusterView,
): string | undefined {
  const namespace = claims["kubernetes.io/serviceaccount/namespace"];
  const name = claims["kubernetes.io/serviceaccount/service-account.name"];
  const account = view.get(serviceAccount, namespace, name);
  const uid = claims["kubernetes.io/serviceaccount/service-account.uid"];
  if (account?.metadata.uid !== uid) return "the ServiceAccount is gone";
  if (claims.sub !== accountUser(namespace, name)) return "the subject is another";
  const of = claims["kubernetes.io/serviceaccount/secret.name"];
  const held = view.get(secretKind, namespace, of)?.data?.["token"];
  if (held === undefined || Buffer.from(held, "base64").toString() !== token)
    return "the Secret that held it is gone";
  return undefined;
}
