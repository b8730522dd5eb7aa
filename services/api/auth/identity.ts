/** Whom the gateway knows, and what it signs with. */
import { openSigningKeys, type SigningKeys } from "../../../libs/identity/signing-keys.ts";
import { publishTrust } from "../../../libs/identity/trust.ts";
import { issuerOf } from "../../../libs/identity/token.ts";
import type { ClusterSettings } from "../../../libs/cluster/settings.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Authority } from "../pki/authority.ts";
import type { Backend } from "../resources/backend.ts";
import { accountTokens } from "./account-token.ts";
import { type Authenticate, firstOf } from "./authenticate.ts";
import { adminToken, byBearer, firstReader, type ReadToken } from "./bearer.ts";
import { byCertificate } from "./client-certificate.ts";
import { impersonating } from "./impersonate.ts";

export type Identity = {
  readonly authority: Authority;
  readonly keys: SigningKeys;
  readonly issuer: string;
  /** For whom a token is made, and read, when nobody says. */
  readonly audiences: readonly string[];
  readonly readToken: ReadToken;
  readonly authenticate: Authenticate;
};

export type IdentityOptions = {
  readonly authority: Authority;
  readonly backend: Pick<Backend, "store" | "view" | "consistent">;
  readonly settings: ClusterSettings;
  readonly clock: Clock;
};

export async function openIdentity(options: IdentityOptions): Promise<Identity> {
  const { authority, backend, settings, clock } = options;
  const keys = await openSigningKeys(backend.store);
  await publishTrust(backend.store, authority.certificate);
  const issuer = issuerOf(settings);
  const audiences = [issuer];
  const readers = [
    adminToken(authority.token, audiences),
    accountTokens({ keys, issuer, own: audiences, backend, clock }),
  ];
  return {
    authority,
    keys,
    issuer,
    audiences,
    readToken: firstReader(readers),
    authenticate: impersonating(firstOf([byCertificate, byBearer(readers, audiences)])),
  };
}
