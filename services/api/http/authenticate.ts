import { createHash, timingSafeEqual } from "node:crypto";

/** Tells whether an `Authorization` header carries the token, in a time that tells nothing of it. */
export function bearerCheck(token: string): (header: string | undefined) => boolean {
  const expected = digest(token);
  return (header) => {
    const given = /^Bearer (.+)$/i.exec(header ?? "")?.[1] ?? "";
    return timingSafeEqual(digest(given), expected);
  };
}

/** Of one length, whatever the text's: `timingSafeEqual` compares nothing else. */
const digest = (text: string) => createHash("sha256").update(text).digest();
