import * as z from "zod";
import { conditionStatus } from "../condition.ts";
import { atomicList, bytes, int32, mapBy } from "../field.ts";
import { defineKind, type ObjectOf } from "../kind.ts";
import { pathSegment } from "../names.ts";
import { problem } from "../problem.ts";
import { ageOf, durationText, time } from "../time.ts";

const secondsMin = 600;

const spec = z
  .strictObject({
    request: bytes.meta({ proto: 1, description: "A PKCS#10 request, PEM." }),
    signerName: z.string().meta({ proto: 7, description: "Who is asked: example.com/serving." }),
    expirationSeconds: int32
      .optional()
      .meta({ proto: 8, description: "How long the certificate is to be valid." }),
    usages: z
      .array(z.string())
      .optional()
      .meta({ proto: 5, ...atomicList }),
    username: z.string().optional().meta({ proto: 2, description: "Who asks." }),
    uid: z.string().optional().meta({ proto: 3 }),
    groups: z
      .array(z.string())
      .optional()
      .meta({ proto: 4, ...atomicList }),
    extra: z.record(z.string(), z.array(z.string())).optional().meta({ proto: 6 }),
  })
  .superRefine(({ request, signerName, expirationSeconds = secondsMin, usages = [] }, context) => {
    if (!isRequest(request)) {
      const detail = "PEM block type must be CERTIFICATE REQUEST";
      context.addIssue(problem("FieldValueInvalid", ["request"], detail));
    }
    if (usages.length === 0) {
      context.addIssue(problem("FieldValueRequired", ["usages"], ""));
    }
    if (signerName === "") {
      context.addIssue(problem("FieldValueRequired", ["signerName"], ""));
    } else if (
      !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+\/[^/]+$/.test(signerName)
    ) {
      const shown = JSON.stringify(signerName.slice(0, 300));
      const detail = `${shown}: must be a fully qualified domain and path of the form "<domain>/<path>"`;
      context.addIssue(problem("FieldValueInvalid", ["signerName"], detail));
    }
    if (expirationSeconds < secondsMin) {
      const detail = `${expirationSeconds}: may not specify a duration less than ${secondsMin} seconds (10 minutes)`;
      context.addIssue(problem("FieldValueInvalid", ["expirationSeconds"], detail));
    }
  })
  .meta({ title: "certificates.v1.CertificateSigningRequestSpec" });

const isRequest = (base64: string): boolean =>
  /-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(
    Buffer.from(base64, "base64").toString("latin1"),
  );

const condition = z
  .strictObject({
    type: z.string().min(1, "Required value").meta({ proto: 1 }),
    status: conditionStatus.meta({ proto: 6 }),
    reason: z.string().optional().meta({ proto: 2 }),
    message: z.string().optional().meta({ proto: 3 }),
    lastUpdateTime: time.optional().meta({ proto: 4 }),
    lastTransitionTime: time.optional().meta({ proto: 5 }),
  })
  .meta({ title: "certificates.v1.CertificateSigningRequestCondition" });

const status = z
  .strictObject({
    conditions: z
      .array(condition)
      .optional()
      .meta({ proto: 1, ...mapBy("type") }),
    certificate: bytes.optional().meta({ proto: 2, description: "The chain, PEM." }),
  })
  .meta({ title: "certificates.v1.CertificateSigningRequestStatus" });

export const certificateSigningRequest = defineKind({
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  plural: "certificatesigningrequests",
  short: ["csr"],
  namespaced: false,
  description: "Asks a signer for a certificate.",
  name: pathSegment,
  spec,
  status,
  columnsAreAll: true,
  columns: [
    { name: "Name", type: "string", format: "name", read: ({ metadata }) => metadata.name },
    {
      name: "Age",
      type: "string",
      read: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now),
    },
    { name: "SignerName", type: "string", read: ({ spec }) => spec.signerName },
    { name: "Requestor", type: "string", read: ({ spec }) => spec.username ?? "" },
    {
      name: "RequestedDuration",
      type: "string",
      read: ({ spec: { expirationSeconds: seconds } }) =>
        seconds === undefined ? "<none>" : durationText(seconds * 1_000),
    },
    { name: "Condition", type: "string", read: ({ status: at }) => conditionText(at) },
  ],
});
export type CertificateSigningRequest = ObjectOf<typeof certificateSigningRequest>;

/** `Approved,Issued`, as kubectl shows it. */
function conditionText({
  conditions = [],
  certificate = "",
}: z.output<typeof status> = {}): string {
  const has = (type: string) => conditions.some((one) => one.type === type);
  const answer = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  return [
    answer,
    ...(has("Failed") ? ["Failed"] : []),
    ...(certificate === "" ? [] : ["Issued"]),
  ].join(",");
}
