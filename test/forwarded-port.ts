/** Connections through a port that kubectl forwards. */
import { createConnection, type Socket } from "node:net";
import type { KubectlProcess } from "./kubectl-process.ts";

/** The local port that kubectl has taken for that of the pod. */
export async function localPort(forward: KubectlProcess, to: number): Promise<number> {
  const [, port = ""] = await forward.says(new RegExp(`127.0.0.1:(\\d+) -> ${to}\\n`, "u"));
  return Number(port);
}

/** A connection that either side may end alone. */
export const connectionTo = (port: number): Socket =>
  createConnection({ port, host: "127.0.0.1", allowHalfOpen: true });

/** What a connection answers until its end. */
export function answerOf(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
    socket.once("end", () => resolve(answer)).once("error", reject);
  });
}

/** What is answered on a connection on which all is said at once. */
export function exchange(port: number, text: string): Promise<string> {
  const socket = connectionTo(port);
  socket.end(text);
  return answerOf(socket);
}
