/** What others need to check ServiceAccounts' tokens: OpenID Connect discovery and the public keys. */
import { publicJwk } from "../../../libs/identity/signing-keys.ts";
import { type Reply, valueReply } from "../http/reply.ts";
import type { Route } from "../http/server.ts";
import type { Identity } from "./identity.ts";

const keysPath = "/openid/v1/jwks";

export function issuerRoutes({ issuer, keys }: Identity): readonly Route[] {
  const get = (path: string, handle: () => Reply): Route => ({ method: "GET", path, handle });
  return [
    get(keysPath, () => ({
      ...valueReply({ keys: keys.map(publicJwk) }, { language: "json" }),
      contentType: "application/jwk-set+json",
    })),
    get("/.well-known/openid-configuration", () =>
      valueReply(
        {
          issuer,
          jwks_uri: `${issuer}${keysPath}`,
          response_types_supported: ["id_token"],
          subject_types_supported: ["public"],
          id_token_signing_alg_values_supported: ["ES256"],
        },
        { language: "json" },
      ),
    ),
  ];
}
