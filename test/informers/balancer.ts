/** A TCP balancer as stands before several gateways: each connection goes to one that takes it. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export type Balancer = AsyncDisposable & {
  readonly port: number;
  /** Connections that it has passed on. */
  connections(): number;
};

/** Tries the ports in turn; a connection that none takes is closed. */
export async function balancer(ports: () => readonly number[]): Promise<Balancer> {
  const open = new Set<Socket>();
  let next = 0;
  let passed = 0;
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
    return socket;
  };
  const serve = async (client: Socket): Promise<void> => {
    keep(client);
    const all = ports();
    for (let tried = 0; tried < all.length; tried += 1) {
      next = (next + 1) % all.length;
      const backend = keep(connect({ host: "127.0.0.1", port: all[next] ?? 0 }));
      const taken = await Promise.race([
        once(backend, "connect").then(() => true),
        once(backend, "close").then(() => false),
      ]).catch(() => false); // It refused.
      if (!taken) continue;
      passed += 1;
      backend.on("close", () => client.destroy());
      client.on("close", () => backend.destroy());
      backend.pipe(client);
      client.pipe(backend);
      client.resume();
      return;
    }
    client.destroy();
  };
  const server = createServer({ pauseOnConnect: true }, (client) => {
    serve(client).catch(() => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it has no port");
  return {
    port: address.port,
    connections: () => passed,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
