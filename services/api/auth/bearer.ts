import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { administrator, type UserInfo } from "./user.ts";

/** Tells who sends a request; undefined when it does not prove to be anybody: 401. */
export type Authenticate = (request: IncomingMessage) => UserInfo | undefined;

/** Who carries the token is the administrator; it is compared in a time that tells nothing of it. */
export function bearerCheck(token: string): Authenticate {
  const expected = digest(token);
  return ({ headers }) => {
    const given = /^Bearer (.+)$/i.exec(headers.authorization ?? "")?.[1] ?? "";
    return timingSafeEqual(digest(given), expected) ? administrator : undefined;
  };
}

/** Of one length, whatever the text's: `timingSafeEqual` compares nothing else. */
const digest = (text: string) => createHash("sha256").update(text).digest();
