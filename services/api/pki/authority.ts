/**
 * The cluster's certificate authority and its bearer token, made once in a folder that every gateway
 * of the machine shares. A server certificate is made by each gateway at its start, and stays in its
 * memory: only the CA's key and the token are files, mode 0600.
 */
import "reflect-metadata";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Random } from "../../../libs/telemetry/random.ts";

export type Authority = {
  /** PEM; for the kubeconfig. */
  readonly certificate: string;
  readonly privateKey: string;
  /** What a client must show as `Authorization: Bearer …`. */
  readonly token: string;
};

export type ServerIdentity = { readonly certificate: string; readonly privateKey: string };

export const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const yearMs = 365 * 24 * 3_600 * 1_000;
/** Clocks differ: what is made now is valid on a machine that is this far behind. */
const skewMs = 3_600_000;

/**
 * Reads the authority in `folder`, or makes it. Of several gateways that start at once one makes it
 * and the others read that one's: the folder with both files appears by one rename.
 */
export async function openAuthority(
  folder: string,
  ports: { readonly clock: Clock; readonly random: Random },
): Promise<Authority> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const home = join(folder, "authority");
  const found = await readAuthority(home);
  if (found !== undefined) return found;
  const fresh = join(folder, `new-${ports.random.uuid()}`);
  await writeAuthority(fresh, await makeAuthority(ports));
  try {
    await rename(fresh, home);
  } catch (error) {
    if (!isTaken(error)) throw error;
    await rm(fresh, { recursive: true });
  }
  const made = await readAuthority(home);
  if (made === undefined) throw new Error("the authority was not kept");
  return made;
}

/** A certificate for a gateway that is reached under `hosts`, names or addresses. */
export async function serverIdentity(
  authority: Authority,
  hosts: readonly string[],
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<ServerIdentity> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await signingKeyOf(authority);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(random),
    issuer: issuer.subject,
    subject: "CN=berth-api",
    ...lifetime(clock),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        [...new Set(hosts)].map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
      ),
    ],
  });
  return { certificate: certificate.toString("pem"), privateKey: await pemOf(keys.privateKey) };
}

export const signingKeyOf = ({ privateKey }: Authority): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey("pkcs8", x509.PemConverter.decodeFirst(privateKey), algorithm, false, [
    "sign",
  ]);

async function makeAuthority({
  clock,
  random,
}: {
  readonly clock: Clock;
  readonly random: Random;
}): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(random),
    name: "CN=berth-ca",
    ...lifetime(clock),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
    ],
  });
  return {
    certificate: certificate.toString("pem"),
    privateKey: await pemOf(keys.privateKey),
    token: Buffer.from(random.bytes(32)).toString("base64url"),
  };
}

const lifetime = (clock: Clock) => ({
  notBefore: new Date(clock.now() - skewMs),
  notAfter: new Date(clock.now() + 10 * yearMs),
});

/** A positive serial number of 16 bytes, in hex. */
export const serial = (random: Random) => `01${Buffer.from(random.bytes(15)).toString("hex")}`;

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = await webcrypto.subtle.exportKey("pkcs8", key);
  return x509.PemConverter.encode(bytes, "PRIVATE KEY");
}

const files = { certificate: "ca.crt", privateKey: "ca.key", token: "token" } as const;

async function writeAuthority(folder: string, authority: Authority): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  for (const [field, name] of Object.entries(files)) {
    const text = authority[field as keyof Authority]; // `files` is keyed by the fields.
    await writeFile(join(folder, name), text, { mode: 0o600, flush: true });
  }
}

async function readAuthority(folder: string): Promise<Authority | undefined> {
  try {
    const [certificate, privateKey, token] = await Promise.all([
      readFile(join(folder, files.certificate), "utf8"),
      readFile(join(folder, files.privateKey), "utf8"),
      readFile(join(folder, files.token), "utf8"),
    ]);
    return { certificate, privateKey, token };
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

const isTaken = (error: unknown) => ["ENOTEMPTY", "EEXIST", "EPERM"].includes(codeOf(error) ?? "");

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
