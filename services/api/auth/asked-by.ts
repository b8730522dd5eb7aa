/** What an object says of who made it. */
import { forbidden } from "../../../libs/admission/forbidden.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { certificateSigningRequest as kind } from "../../../libs/model/kinds/certificatesigningrequest.ts";
import { isRecord, type JsonRecord } from "../patch/record.ts";
import { subjectIn, UnsignableRequest } from "../pki/sign-request.ts";
import type { UserInfo } from "./user.ts";

/** Makes certificates for clients of the API. */
export const clientsSigner = "kubernetes.io/kube-apiserver-client";
const mastersGroup = "system:masters";

/**
 * A request for a certificate says who makes it, whatever it said itself; what is of another kind stays as it is.
 *
 * @throws {ApiError} Forbidden, when its certificate would be above all rules
 */
export function askedBy(of: Kind, input: JsonRecord, user: UserInfo): JsonRecord {
  if (of.group !== kind.group || of.kind !== kind.kind || !isRecord(input["spec"])) return input;
  const { username, uid, groups, extra } = user;
  const { uid: _uid, extra: _extra, ...spec } = input["spec"];
  requireNoMaster(input, spec);
  return {
    ...input,
    spec: {
      ...spec,
      username,
      groups: [...groups],
      ...(uid !== undefined && { uid }),
      ...(extra !== undefined && { extra }),
    },
  };
}

function requireNoMaster({ metadata }: JsonRecord, { request, signerName }: JsonRecord): void {
  if (signerName !== clientsSigner || typeof request !== "string") return;
  try {
    if (!subjectIn(pemIn(request)).groups.includes(mastersGroup)) return;
  } catch (error) {
    if (error instanceof UnsignableRequest) return; // Its kind's schema judges what it is.
    throw error;
  }
  const name = isRecord(metadata) && typeof metadata["name"] === "string" ? metadata["name"] : "";
  const why = `use of ${clientsSigner} signer with ${mastersGroup} group is not allowed`;
  throw forbidden({ group: kind.group, resource: kind.plural }, name, why);
}

/** A field of bytes as the text that it holds. */
export const pemIn = (base64: string): string => Buffer.from(base64, "base64").toString();
