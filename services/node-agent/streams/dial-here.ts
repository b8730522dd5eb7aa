/** Runs in a pod's network namespace: connects to ports of its localhost and hands the sockets over. */
import { connect, type Socket } from "node:net";
import type { DialAnswer, DialQuestion } from "./namespace-dialer.ts";

/** As the name `localhost` is tried. */
const hosts = ["127.0.0.1", "::1"] as const;

process.on("message", (message) => {
  const { id, port } = message as DialQuestion; // As namespace-dialer.ts sends it.
  dial(port).then(
    (socket) => answer({ id }, socket),
    (error: unknown) => answer({ id, error: String(error) }),
  );
});
process.once("disconnect", () => process.exit());

async function dial(port: number): Promise<Socket> {
  const failures: string[] = [];
  for (const host of hosts) {
    try {
      return await connected(host, port);
    } catch (error) {
      failures.push((error as NodeJS.ErrnoException).message); // As net's errors are.
    }
  }
  throw new Error(failures.join(", "));
}

function connected(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true });
  socket.pause(); // What comes first is read by whom it is handed to.
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}

function answer(message: DialAnswer, socket?: Socket): void {
  process.send?.(message, socket);
}
