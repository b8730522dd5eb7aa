/** Certificates for clients, as they ask for them (PKCS#10), signed by the cluster's authority. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Random } from "../../../libs/telemetry/random.ts";
import { algorithm, type Authority, serial, signingKeyOf } from "./authority.ts";

/** The request cannot be signed, and will not be: why. */
export class UnsignableRequest extends Error {
  override readonly name = "UnsignableRequest";
}

/** Who a request would make its holder: CN, and each O. @throws {UnsignableRequest} */
export function subjectIn(pem: string): {
  readonly name: string;
  readonly groups: readonly string[];
} {
  const { subjectName } = parsed(pem);
  return { name: subjectName.getField("CN")[0] ?? "", groups: subjectName.getField("O") };
}

export type SignOptions = {
  readonly authority: Authority;
  readonly lifeSeconds: number;
  /** That the key may encipher keys, as keys of RSA do. */
  readonly enciphers: boolean;
  readonly clock: Clock;
  readonly random: Random;
};

/** Signers' and clients' clocks differ by so much. */
const skewMs = 300_000;

/**
 * A certificate that is good for a client and for nothing else, with the request's subject.
 *
 * @throws {UnsignableRequest} when the request is not signed by the key that it is for
 */
export async function signRequest(pem: string, options: SignOptions): Promise<string> {
  const { authority, lifeSeconds, enciphers, clock, random } = options;
  const request = parsed(pem);
  if (!(await verified(request))) throw new UnsignableRequest("the request's signature is wrong");
  const issuer = new x509.X509Certificate(authority.certificate);
  const endsAt = Math.min(clock.now() + lifeSeconds * 1_000, issuer.notAfter.getTime());
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(random),
    issuer: issuer.subjectName,
    subject: request.subjectName,
    notBefore: new Date(clock.now() - skewMs),
    notAfter: new Date(endsAt),
    signingAlgorithm: algorithm,
    publicKey: request.publicKey,
    signingKey: await signingKeyOf(authority),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      enciphers
        ? new x509.KeyUsagesExtension(digitalSignature | keyEncipherment, true)
        : new x509.KeyUsagesExtension(digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

function parsed(pem: string): x509.Pkcs10CertificateRequest {
  try {
    return new x509.Pkcs10CertificateRequest(pem);
  } catch (cause) {
    throw new UnsignableRequest("the request cannot be read", { cause });
  }
}

async function verified(request: x509.Pkcs10CertificateRequest): Promise<boolean> {
  try {
    return await request.verify(webcrypto);
  } catch (cause) {
    throw new UnsignableRequest("the request's key cannot be read", { cause });
  }
}
