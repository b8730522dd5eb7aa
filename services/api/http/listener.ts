/** The TLS port: HTTP/2 for who can, HTTP/1.1 for the others and for all that upgrades. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createSecureServer, type Http2Session, type SecureServerOptions } from "node:http2";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Limits } from "./limits.ts";

export type Listener = AsyncDisposable & { readonly port: number };

type Handlers = {
  readonly request: (request: IncomingMessage, response: ServerResponse) => void;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
};

export type ListenOptions = {
  readonly host: string;
  readonly port: number;
  readonly tls: Pick<
    SecureServerOptions,
    "cert" | "key" | "ca" | "requestCert" | "rejectUnauthorized"
  >;
  readonly limits: Limits;
  readonly clock: Clock;
};

/** How long replies that are under way may take once the gateway stops. */
const stopWaitMs = 500;
/** Tables and queues of one HTTP/2 connection, in MB: a few large lists at once. */
const sessionMaxMegabytes = 64;

export async function listen(
  { host, port, tls, limits, clock }: ListenOptions,
  handlers: Handlers,
): Promise<Listener> {
  const server = createSecureServer({
    ...tls,
    ...http1(limits),
    allowHTTP1: true,
    maxSessionMemory: sessionMaxMegabytes,
    maxHeaderListPairs: limits.headersMax + 10,
    settings: {
      maxConcurrentStreams: limits.streamsPerConnectionMax,
      maxHeaderListSize: limits.headersMaxBytes,
    },
  });
  // Its own interface for both is that of HTTP/1.1.
  server.on("request", handlers.request as unknown as Parameters<typeof server.on>[1]);
  server.on("upgrade", handlers.upgrade);
  const sessions = new Set<Http2Session>();
  const sockets = new Set<TLSSocket>();
  server.on("session", (session) => {
    sessions.add(session);
    const pings = keepAlive(session, limits, clock);
    session.once("close", () => {
      sessions.delete(session);
      pings[Symbol.dispose]();
    });
  });
  server.on("secureConnection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  // A client that does not keep to the protocol is cut off: nobody else is concerned.
  server.on("sessionError", () => undefined);

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve()); // HTTP/2 connections are told to GOAWAY.
      });
      for (const session of sessions) session.close();
      closeIdle(server);
      using _limit = clock.after(stopWaitMs, () => {
        for (const session of sessions) session.destroy();
        for (const socket of sockets) socket.destroy();
      });
      await closed;
    },
  };
}

/** Options of its HTTP/1.1 half, which Node passes on. */
const http1 = ({ headersMaxBytes, headersWaitMs, bodyWaitMs }: Limits): SecureServerOptions => ({
  ...({
    maxHeaderSize: headersMaxBytes,
    headersTimeout: headersWaitMs,
    requestTimeout: bodyWaitMs,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: Math.min(1_000, headersWaitMs),
  } as SecureServerOptions), // Not among its types.
});

function closeIdle(server: object): void {
  const { closeIdleConnections } = server as { closeIdleConnections?: () => void }; // As above.
  closeIdleConnections?.call(server);
}

/** A connection whose other end has gone without a word is found by its silence. */
function keepAlive(
  session: Http2Session,
  { pingEveryMs, pingWaitMs }: Limits,
  clock: Clock,
): Disposable {
  let timer = clock.after(pingEveryMs, ping);
  function ping() {
    if (session.destroyed) return;
    timer = clock.after(pingWaitMs, () => session.destroy());
    const sent = session.ping((error) => {
      timer[Symbol.dispose]();
      if (error === null && !session.destroyed) timer = clock.after(pingEveryMs, ping);
    });
    if (!sent) session.destroy();
  }
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
