import type { Upgrade } from "../http/server.ts";

/** Answers that the connection now speaks another protocol. */
export function switchProtocols(
  { socket, head }: Pick<Upgrade, "socket" | "head">,
  headers: Readonly<Record<string, string>>,
): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${lines.join("")}\r\n`);
  if (head.length > 0) socket.unshift(head);
}

/** Which way the client wants to go on. */
export function transportOf({ request }: Pick<Upgrade, "request">): "websocket" | "spdy" | "other" {
  const asked = (request.headers.upgrade ?? "").toLowerCase();
  if (asked === "websocket") return "websocket";
  return asked === "spdy/3.1" ? "spdy" : "other";
}

/** What a header lists, over all its lines. */
export const listedIn = (header: string | readonly string[] | undefined): readonly string[] =>
  (typeof header === "string" ? [header] : (header ?? []))
    .flatMap((line) => line.split(","))
    .map((one) => one.trim())
    .filter((one) => one !== "");
