/**
 * HTTP/1.1 over one TLS connection, one request at a time, with no more than that needs: as lean as the
 * client of NATS that it is measured beside.
 */
import { once } from "node:events";
import { connect } from "node:tls";
import type { HttpsPlace } from "../../test/https-client.ts";

export type BareClient = Disposable & {
  /** Resolves with the whole body. @throws {Error} when the answer is no success, or has no length */
  ask(
    method: "GET" | "POST",
    path: string,
    sent?: { readonly body?: string; readonly accept?: string },
  ): Promise<Buffer>;
};

const headEnd = "\r\n\r\n";

export async function bareClient({ server, authority, token }: HttpsPlace): Promise<BareClient> {
  const { hostname, port } = new URL(server);
  const socket = connect({ host: hostname, port: Number(port), ca: authority });
  await once(socket, "secureConnect");
  let waiting: PromiseWithResolvers<Buffer> | undefined;
  let received: Buffer[] = [];
  let bytes = 0;
  /** Of the reply with its head, once that is there. */
  let whole: { readonly bodyAt: number; readonly end: number } | undefined;
  const fail = (error: Error) => waiting?.reject(error);
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the connection was closed")));
  socket.on("data", (chunk) => {
    received.push(chunk);
    bytes += chunk.byteLength;
    if (whole === undefined) {
      const begun = joined(received);
      const headEnds = begun.indexOf(headEnd);
      if (headEnds < 0) return;
      const head = begun.toString("latin1", 0, headEnds);
      const length = /^content-length: (\d+)/im.exec(head)?.[1];
      if (length === undefined || !head.startsWith("HTTP/1.1 2")) return fail(new Error(head));
      const bodyAt = headEnds + headEnd.length;
      whole = { bodyAt, end: bodyAt + Number(length) };
    }
    if (bytes < whole.end) return;
    const body = joined(received).subarray(whole.bodyAt, whole.end);
    [received, bytes, whole] = [[], 0, undefined];
    waiting?.resolve(body);
  });
  return {
    ask(method, path, { body = "", accept = "application/json" } = {}) {
      waiting = Promise.withResolvers();
      const head = [
        `${method} ${path} HTTP/1.1`,
        `Host: ${hostname}`,
        `Authorization: Bearer ${token}`,
        `Accept: ${accept}`,
        `Content-Type: application/json`,
        `Content-Length: ${Buffer.byteLength(body)}`,
      ];
      socket.write(`${head.join("\r\n")}${headEnd}${body}`);
      return waiting.promise;
    },
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

const joined = (chunks: readonly Buffer[]): Buffer => {
  const [first] = chunks;
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
};
