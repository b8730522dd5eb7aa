/** What the commands read from files. */
import "reflect-metadata";
import type { KeyObject } from "node:crypto";
import { Pkcs10CertificateRequestGenerator } from "@peculiar/x509";

/** A kind with a status, a scale, a column and a short name. */
export const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.example.dev }
spec:
  group: example.dev
  scope: Namespaced
  names: { plural: widgets, singular: widget, kind: Widget, shortNames: [wg] }
  versions:
    - name: v1
      served: true
      storage: true
      additionalPrinterColumns:
        - { name: Size, type: integer, jsonPath: .spec.size }
        - { name: Age, type: date, jsonPath: .metadata.creationTimestamp }
      subresources:
        status: {}
        scale: { specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas }
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: { type: integer, minimum: 1, description: How large it is. }
                replicas: { type: integer, default: 1 }
            status: { type: object, properties: { replicas: { type: integer } } }
`;

/** More than the Role of the name permits. */
export const role = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader, namespace: suite }
rules: [{ apiGroups: [""], resources: [pods], verbs: [get, list, watch] }]
`;

/** A CertificateSigningRequest for a user. */
export async function signingRequest(
  user: string,
  keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject },
): Promise<string> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey(
      "pkcs8",
      keys.privateKey.export({ type: "pkcs8", format: "der" }),
      algorithm,
      true,
      ["sign"],
    ),
    crypto.subtle.importKey(
      "spki",
      keys.publicKey.export({ type: "spki", format: "der" }),
      algorithm,
      true,
      ["verify"],
    ),
  ]);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: `CN=${user}, O=builders`,
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
  });
  const pem = Buffer.from(request.toString("pem")).toString("base64");
  return `
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: { name: ${user} }
spec:
  request: ${pem}
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
`;
}
