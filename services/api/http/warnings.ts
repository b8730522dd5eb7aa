import type { OutgoingHttpHeaders } from "node:http";
import type { Kind } from "../../../libs/model/kind.ts";
import type { Reply } from "./reply.ts";

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

/** Who uses a version that is to go is told so. */
export function warned({ custom, deprecation }: Kind, reply: Reply): Reply {
  const warning = custom?.deprecation ?? deprecation;
  if (warning === undefined || reply.type === "raw") return reply;
  const own = reply.headers?.["Warning"];
  const said = warningsIn([warning])["Warning"];
  const all = [said, own].flat().filter((one) => one !== undefined);
  return { ...reply, headers: { ...reply.headers, Warning: all.map(String) } };
}
