/** Runs in a pod's network namespace: connects to ports of its localhost and hands the sockets over. */
import { connect, type Socket } from "node:net";
import { dialFailure } from "./dial-words.ts";
import type { DialAnswer, DialQuestion } from "./namespace-dialer.ts";

/** As the name `localhost` is tried. */
const hosts = [
  { host: "127.0.0.1", network: "tcp4", told: "IPv4: " },
  { host: "::1", network: "tcp6", told: "IPv6: " },
] as const;

process.on("message", (message) => {
  const { id, port } = message as DialQuestion; // As namespace-dialer.ts sends it.
  dial(port).then(
    (socket) => answer({ id }, socket),
    (error: unknown) =>
      answer({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
process.once("disconnect", () => process.exit());

async function dial(port: number): Promise<Socket> {
  const failures: string[] = [];
  for (const { host, network, told } of hosts) {
    try {
      return await connected(host, port);
    } catch (error) {
      failures.push(told + dialFailure(network, { host, port }, error));
    }
  }
  throw new Error(failures.join(" "));
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
