/** Tokens that requests carry, and whose they are. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Authenticate } from "./authenticate.ts";
import { administrator, type UserInfo } from "./user.ts";

/** Whose a token is, and for which of the audiences asked for it was made. */
export type TokenHolder = { readonly user: UserInfo; readonly audiences: readonly string[] };

/** Undefined: nobody's, or made for none of `audiences`. */
export type ReadToken = (
  token: string,
  audiences: readonly string[],
) => Promise<TokenHolder | undefined>;

/** Who carries the token is the administrator; it is compared in a time that tells nothing of it. */
export function adminToken(token: string, own: readonly string[]): ReadToken {
  const expected = digest(token);
  return async (given, asked) => {
    if (!timingSafeEqual(digest(given), expected)) return undefined;
    const audiences = asked.filter((one) => own.includes(one));
    return audiences.length === 0 ? undefined : { user: administrator, audiences };
  };
}

/** Who holds the token that the request carries. */
export function byBearer(
  readers: readonly ReadToken[],
  audiences: readonly string[],
): Authenticate {
  const read = firstReader(readers);
  return async (request) => {
    const token = bearerIn(request);
    return token === undefined ? undefined : (await read(token, audiences))?.user;
  };
}

export function firstReader(readers: readonly ReadToken[]): ReadToken {
  return async (token, audiences) => {
    for (const read of readers) {
      const holder = await read(token, audiences);
      if (holder !== undefined) return holder;
    }
    return undefined;
  };
}

/** Of one subprotocol that no server speaks: browsers cannot set a WebSocket's headers. */
const subprotocol = /^base64url\.bearer\.authorization\.k8s\.io\.(.+)$/;

/** In `Authorization`, or among a WebSocket's subprotocols: from there it is taken away. */
function bearerIn({ headers }: IncomingMessage): string | undefined {
  const token = /^Bearer +(.+)$/i.exec(headers.authorization ?? "")?.[1]?.trim();
  if (token !== undefined) return token;
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((one) => one.trim());
  const carrying = offered.find((one) => subprotocol.test(one));
  if (carrying === undefined) return undefined;
  headers["sec-websocket-protocol"] = offered.filter((one) => one !== carrying).join(", ");
  return Buffer.from(subprotocol.exec(carrying)?.[1] ?? "", "base64url").toString();
}

/** Of one length, whatever the text's: `timingSafeEqual` compares nothing else. */
const digest = (text: string) => createHash("sha256").update(text).digest();
