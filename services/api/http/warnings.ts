import type { OutgoingHttpHeaders } from "node:http";

/** Clients bound the headers that they read: so much of a warning, and of all, is sent. */
const warningMaxChars = 256;
const warningsMaxChars = 4_096;

/** `Warning` headers of RFC 7234, as kubectl prints them; what does not fit is left out. */
export function warningsIn(warnings: readonly string[]): OutgoingHttpHeaders {
  const lines: string[] = [];
  let chars = 0;
  for (const text of warnings) {
    const line = `299 - "${quotable(text.slice(0, warningMaxChars))}"`;
    chars += line.length;
    if (chars > warningsMaxChars) break;
    lines.push(line);
  }
  return lines.length === 0 ? {} : { Warning: lines };
}

/** A header holds bytes: UTF-8 here, without what would end it. */
function quotable(text: string): string {
  const printable = text.toWellFormed().replaceAll(/\p{Cc}/gu, " ");
  const escaped = printable.replaceAll(/["\\]/g, "\\$&");
  return Buffer.from(escaped, "utf8").toString("latin1");
}
