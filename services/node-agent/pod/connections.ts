import { readFile } from "node:fs/promises";

const established = "01";
const listening = "0A";

/**
 * How many connections others have to what listens in a process's network namespace; undefined when
 * that cannot be seen (the process has ended, or its /proc is another machine's).
 */
export async function openConnections(pid: number): Promise<number | undefined> {
  try {
    const tables = await Promise.all(
      ["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => "")),
    );
    if (tables.every((table) => table === "")) return undefined;
    return countInbound(tables.join("\n"));
  } catch {
    return undefined; // It has ended: nobody is connected.
  }
}

/** Established connections whose local port is one that is listened on, in lines of /proc/net/tcp. */
export function countInbound(table: string): number {
  const sockets = table.split("\n").flatMap((line) => {
    const [, local = "", , state = ""] = line.trim().split(/\s+/);
    const port = local.split(":")[1];
    return port === undefined ? [] : [{ port, state }];
  });
  const ports = new Set(sockets.filter(({ state }) => state === listening).map(({ port }) => port));
  return sockets.filter(({ port, state }) => state === established && ports.has(port)).length;
}
