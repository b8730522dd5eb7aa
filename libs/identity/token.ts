/** The token of a ServiceAccount: a JWT that says whose it is, for whom, and what it dies with. */
import { sign } from "node:crypto";
import * as z from "zod";
import type { ClusterSettings } from "../cluster/settings.ts";
import type { SigningKeys } from "./signing-keys.ts";

const ref = z.object({ name: z.string(), uid: z.string() });

/** What a token says beyond RFC 7519, under `kubernetes.io`. */
const bindings = z.object({
  namespace: z.string(),
  serviceaccount: ref,
  pod: ref.optional(),
  secret: ref.optional(),
  node: z.object({ name: z.string(), uid: z.string().optional() }).optional(),
  /** When a client should have another, seconds since 1970; absent: when this one ends. */
  warnafter: z.number().optional(),
});
export type Bindings = z.output<typeof bindings>;

export const tokenClaims = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string().transform((one) => [one]), z.array(z.string())]),
  iat: z.number(),
  nbf: z.number(),
  exp: z.number(),
  jti: z.string().optional(),
  "kubernetes.io": bindings,
});
export type TokenClaims = z.output<typeof tokenClaims>;

/** A token of a Secret of type `kubernetes.io/service-account-token`: it is valid as long as that. */
export const legacyClaims = z.object({
  iss: z.string(),
  sub: z.string(),
  "kubernetes.io/serviceaccount/namespace": z.string(),
  "kubernetes.io/serviceaccount/secret.name": z.string(),
  "kubernetes.io/serviceaccount/service-account.name": z.string(),
  "kubernetes.io/serviceaccount/service-account.uid": z.string(),
});
export type LegacyClaims = z.output<typeof legacyClaims>;

export const legacyIssuer = "kubernetes/serviceaccount";

/** Who signs, and, where a client names no other, for whom. */
export const issuerOf = ({ domain }: Pick<ClusterSettings, "domain">): string =>
  `https://kubernetes.default.svc.${domain}`;

/** As the API names a ServiceAccount among users. */
export const accountUser = (namespace: string, name: string): string =>
  `system:serviceaccount:${namespace}:${name}`;

/** A JWT of ES256 that carries `claims`. */
export function signToken([key]: SigningKeys, claims: TokenClaims | LegacyClaims): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const text = `${encode({ alg: "ES256", kid: key.id })}.${encode(claims)}`;
  const signature = sign("sha256", Buffer.from(text), {
    key: key.privateKey,
    dsaEncoding: "ieee-p1363",
  });
  return `${text}.${signature.toString("base64url")}`;
}
