/**
 * HTTP/1.1 over one TLS connection, one request at a time, with no more than that needs: as lean as the
 * client of NATS that it is measured beside.
 */
import { once } from "node:events";
import { connect } from "node:tls";
import type { HttpsPlace } from "../../test/https-client.ts";

export type BareClient = Disposable & {
  /** Resolves with the whole body. @throws {Error} when the answer is no success, or has no length */
  ask(method: "GET" | "POST", path: string, body?: string): Promise<Buffer>;
};

const headEnd = "\r\n\r\n";

export async function bareClient({ server, authority, token }: HttpsPlace): Promise<BareClient> {
  const { hostname, port } = new URL(server);
  const socket = connect({ host: hostname, port: Number(port), ca: authority });
  await once(socket, "secureConnect");
  let waiting: PromiseWithResolvers<Buffer> | undefined;
  let received: Buffer = Buffer.alloc(0);
  const fail = (error: Error) => waiting?.reject(error);
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the connection was closed")));
  socket.on("data", (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const end = received.indexOf(headEnd);
    if (end < 0) return;
    const head = received.toString("latin1", 0, end);
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    if (length === undefined || !head.startsWith("HTTP/1.1 2")) return fail(new Error(head));
    const begin = end + headEnd.length;
    if (received.length < begin + Number(length)) return;
    const body = received.subarray(begin, begin + Number(length));
    received = Buffer.alloc(0);
    waiting?.resolve(body);
  });
  return {
    ask(method, path, body = "") {
      waiting = Promise.withResolvers();
      const head = [
        `${method} ${path} HTTP/1.1`,
        `Host: ${hostname}`,
        `Authorization: Bearer ${token}`,
        `Content-Type: application/json`,
        `Content-Length: ${Buffer.byteLength(body)}`,
      ];
      socket.write(`${head.join("\r\n")}${headEnd}${body}`);
      return waiting.promise;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
