/**
 * What ServiceAccounts' tokens are signed with (ADR 0018): kept in the state, under a key that no API
 * shows and no node reads, so that every gateway and every controllers instance has the same.
 *
 *     const keys = await openSigningKeys(store);
 *     const token = signToken(keys, claims);
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import * as z from "zod";
import { signingKeysKey } from "../cluster/key.ts";
import type { Store } from "../store/store.ts";

export type SigningKey = {
  /** `kid`: the digest of its public part. */
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
};

/** The first one signs; what any of them has signed is valid. */
export type SigningKeys = readonly [SigningKey, ...SigningKey[]];

const stored = z.object({ keys: z.array(z.object({ privateKey: z.string() })).min(1) });

/** Those of the cluster; the first who asks makes one. */
export async function openSigningKeys(store: Store): Promise<SigningKeys> {
  const found = await store.get(signingKeysKey);
  if (found !== undefined && !found.deleted) return read(found.value);
  const value = new TextEncoder().encode(JSON.stringify({ keys: [freshKey()] }));
  await store.commit([{ op: "put", key: signingKeysKey, expect: "absent", value }]);
  const kept = await store.get(signingKeysKey); // Ours, or that of whoever was faster.
  if (kept === undefined) throw new Error("the signing key was not kept");
  return read(kept.value);
}

/** As JWKS shows it (RFC 7517). */
export const publicJwk = ({ id, publicKey }: SigningKey) => ({
  use: "sig",
  kid: id,
  alg: "ES256",
  ...publicKey.export({ format: "jwk" }),
});

function read(value: Uint8Array): SigningKeys {
  const { keys } = stored.parse(JSON.parse(new TextDecoder().decode(value)));
  const [first, ...rest] = keys.map(({ privateKey }) => keyOf(privateKey));
  if (first === undefined) throw new Error("there is no signing key"); // The schema wants one.
  return [first, ...rest];
}

function keyOf(pem: string): SigningKey {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const id = createHash("sha256").update(publicKey.export({ format: "der", type: "spki" }));
  return { id: id.digest("base64url"), privateKey, publicKey };
}

function freshKey(): { readonly privateKey: string } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey: privateKey.export({ format: "pem", type: "pkcs8" }).toString() };
}
