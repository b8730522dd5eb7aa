/** The sockets of cluster DNS: UDP and TCP on one address. */
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { frames } from "./frames.ts";
import { resolve, type ResolveOptions, type Transport } from "./resolve.ts";

export type DnsServerOptions = ResolveOptions & {
  readonly address: string;
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
};

/** Queries at work at once; more over UDP are dropped, as a network may. */
const queriesMax = 2_000;
const connectionsMax = 256;
const idleConnectionMs = 10_000;

/** @throws when the address cannot be listened on */
export async function serveDns(options: DnsServerOptions): Promise<AsyncDisposable> {
  const { address, port, clock, log } = options;
  const connections = new Set<Socket>();
  let atWork = 0;

  const udp = createSocket("udp4");
  const tcp = createServer({ noDelay: true }, converse);
  tcp.maxConnections = connectionsMax;
  await listening(udp, () => udp.bind({ address, port }));
  try {
    await listening(tcp, () => tcp.listen({ host: address, port }));
  } catch (error) {
    udp.close();
    throw error;
  }
  udp.on("error", (error) => log.warn({ err: error }, "the DNS socket failed"));
  tcp.on("error", (error) => log.warn({ err: error }, "the DNS socket failed"));
  udp.on("message", (query, { address: from, port: fromPort }) => {
    if (atWork < queriesMax) {
      answered(query, "udp", (answer) => udp.send(answer, fromPort, from, () => undefined)); // Lost: asked again.
    }
  });

  return {
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.destroy();
      await Promise.all(
        [udp, tcp].map((socket) => new Promise<void>((done) => void socket.close(() => done()))),
      );
    },
  };

  function converse(client: Socket): void {
    const queries = frames();
    connections.add(client);
    let idle = clock.after(idleConnectionMs, () => client.destroy());
    client.on("error", () => client.destroy());
    client.on("close", () => {
      idle[Symbol.dispose]();
      connections.delete(client);
    });
    client.on("data", (chunk) => {
      idle[Symbol.dispose]();
      idle = clock.after(idleConnectionMs, () => client.destroy());
      for (const query of queries.push(chunk)) {
        if (atWork >= queriesMax) client.destroy();
        else answered(query, "tcp", (answer) => client.write(queries.framed(answer)));
      }
    });
  }

  /** Supervises one query: whatever fails is this query's alone. */
  function answered(
    query: Uint8Array,
    transport: Transport,
    send: (answer: Uint8Array) => unknown,
  ): void {
    atWork += 1;
    resolve(query, transport, options)
      .then((answer) => answer && send(answer))
      .catch((error: unknown) => log.warn({ err: error }, "a DNS query failed"))
      .finally(() => {
        atWork -= 1;
      })
      .catch((error: unknown) => log.error({ err: error }, "a DNS query failed"));
  }
}

type Listening = Pick<NodeJS.EventEmitter, "once" | "off">;
async function listening(socket: Listening, start: () => unknown): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("listening", resolve);
  socket.once("error", reject);
  start();
  await promise;
  socket.off("error", reject);
}
