import type { IncomingMessage } from "node:http";
import { objectMaxBytes } from "../../../libs/admission/transaction.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { type Language, media } from "./accept.ts";

/** A body holds one object. */
export const bodyMaxBytes = objectMaxBytes;
/** What is read and dropped of a body that is too large, so that its sender gets to read why. */
const drainedMaxBytes = 32 * 1024 * 1024;

/**
 * The request's whole body.
 *
 * @throws {ApiError} RequestEntityTooLarge, BadRequest when the client broke off
 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes <= bodyMaxBytes) chunks.push(chunk);
      else if (sizeBytes > drainedMaxBytes) break;
    }
  } catch (error) {
    throw new ApiError("BadRequest", "the request's body ended early", {}, { cause: error });
  }
  // In HTTP/2 a body that is broken off just ends.
  if (request.aborted) throw new ApiError("BadRequest", "the request's body ended early");
  if (sizeBytes > bodyMaxBytes) {
    throw new ApiError(
      "RequestEntityTooLarge",
      `Request entity too large: limit is ${bodyMaxBytes}`,
    );
  }
  return Buffer.concat(chunks);
}

const languages: ReadonlyMap<string, Language> = new Map([
  ["", "json"],
  ["application/json", "json"],
  ["application/yaml", "yaml"],
  ["application/x-yaml", "yaml"],
  ["application/vnd.kubernetes.protobuf", "protobuf"],
]);

/** @throws {ApiError} UnsupportedMediaType */
export function languageOf(contentType: string | undefined): Language {
  const { type } = media(contentType ?? "");
  const language = languages.get(type);
  if (language !== undefined) return language;
  const known = [...languages.keys()].filter((name) => name !== "");
  throw new ApiError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${known.join(", ")}`,
  );
}
