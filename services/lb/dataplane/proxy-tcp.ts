import { createServer, type Socket, connect } from "node:net";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Choose } from "./choose.ts";

/** A place where a Service is listened for; closing it lets the connections that exist go on. */
export type Listener = { readonly close: () => Promise<void> };
export type ListenOptions = {
  readonly address: string;
  readonly port: number;
  readonly choose: Choose;
  readonly clock: Clock;
};

const connectTimeoutMs = 5_000;
/** Connections at once through one place; more are reset. */
const connectionsMax = 10_000;

export async function listenTcp({
  address,
  port,
  choose,
  clock,
}: ListenOptions): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, carry);
  server.maxConnections = connectionsMax;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: address, port, backlog: 1_024 }, resolve);
  await promise;
  server.off("error", reject);
  return {
    // Not awaited to the end: that comes with the last connection, which may live for days.
    close: async () => {
      server.close();
      server.unref();
    },
  };

  function carry(client: Socket): void {
    const backend = choose(client.remoteAddress ?? "");
    if (backend === undefined) return void client.resetAndDestroy();
    const upstream = connect({
      host: backend.address,
      port: backend.port,
      allowHalfOpen: true,
      noDelay: true,
    });
    const limit = clock.after(connectTimeoutMs, () => upstream.destroy());
    upstream.once("connect", () => {
      limit[Symbol.dispose]();
      client.pipe(upstream);
      upstream.pipe(client);
    });
    const drop = () => {
      limit[Symbol.dispose]();
      if (!client.destroyed) client.resetAndDestroy();
      upstream.destroy();
    };
    client.on("error", drop);
    upstream.on("error", drop);
    client.on("close", (hadError) => {
      if (hadError || !client.readableEnded) upstream.destroy();
    });
    upstream.on("close", () => {
      if (!upstream.readableEnded) drop();
    });
  }
}
