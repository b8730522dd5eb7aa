/** A way to NATS that can be cut: neither side hears that it is, as behind a dead switch. */
import { createServer, connect, type Socket } from "node:net";
import { once } from "node:events";

export type CuttableProxy = AsyncDisposable & {
  /** `nats://127.0.0.1:<port>`. */
  readonly url: string;
  /** Nothing passes any more; what is sent is held back. */
  cut(): void;
  /** What was held back is lost with its connections; new ones pass. */
  mend(): void;
};

/** @param to `nats://<host>:<port>` */
export async function cuttableProxy(to: string): Promise<CuttableProxy> {
  const { hostname, port } = new URL(to);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk: Uint8Array) => void (isCut || into.write(chunk)));
      from.on("error", () => into.destroy());
      from.on("close", () => {
        sockets.delete(from);
        if (!isCut) into.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `nats://127.0.0.1:${address.port}`,
    cut: () => void (isCut = true),
    mend() {
      isCut = false;
      drop();
    },
    async [Symbol.asyncDispose]() {
      drop();
      server.close();
    },
  };
}
