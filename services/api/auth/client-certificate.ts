/** Clients that show a certificate of the cluster's authority: CN is their name, each O a group. */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { Authenticate } from "./authenticate.ts";
import { authenticatedGroup, credentialId, type UserInfo } from "./user.ts";

/** TLS has checked it: its signature, its time, and that it is meant for clients. */
export const byCertificate: Authenticate = async (request) => {
  const socket = tlsOf(request);
  if (socket?.authorized !== true) return undefined;
  const { subject, fingerprint256 } = socket.getPeerCertificate();
  return userOf(subject ?? {}, fingerprint256);
};

/** Undefined for one that names nobody. */
export function userOf(
  subject: Readonly<Record<string, string | readonly string[] | undefined>>,
  fingerprint: string,
): UserInfo | undefined {
  const [username = ""] = valuesOf(subject["CN"]);
  if (username === "") return undefined;
  return {
    username,
    groups: [...new Set([...valuesOf(subject["O"]), authenticatedGroup])],
    extra: { [credentialId]: [`X509SHA256=${fingerprint.replaceAll(":", "").toLowerCase()}`] },
  };
}

const valuesOf = (field: string | readonly string[] | undefined): readonly string[] =>
  typeof field === "string" ? [field] : (field ?? []);

function tlsOf({ socket }: IncomingMessage): TLSSocket | undefined {
  return "authorized" in socket ? (socket as TLSSocket) : undefined; // Only those have it.
}
