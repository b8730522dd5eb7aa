/** A connection to NATS as the store uses it: requests that end in an answer or in silence. */
import type { Msg, MsgHdrs, NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { StoreUnavailable } from "./store.ts";

export type Link = AsyncDisposable & {
  readonly connection: NatsConnection;
  /** @throws {StoreUnavailable} when no answer came: it may have been heard */
  request(subject: string, body: Uint8Array | string, options?: RequestOptions): Promise<Msg>;
  /** Calls `listener` after each reconnect, until disposed. */
  onReconnect(listener: () => void): Disposable;
};
export type RequestOptions = { readonly headers?: MsgHdrs; readonly timeoutMs?: number };

const requestTimeoutMs = 2_000;

export async function natsLink(
  options: { readonly url: string } | { readonly connection: NatsConnection },
): Promise<Link> {
  const connection =
    "connection" in options ? options.connection : await dial(options.url.split(","));
  const listeners = new Set<() => void>();
  /** Fails the requests that are under way. */
  const inFlight = new Set<() => void>();
  const watched = watchStatus(connection, listeners, inFlight);
  return {
    connection,
    async request(subject, body, { headers, timeoutMs = requestTimeoutMs } = {}) {
      // With its connection an answer is lost: no reason to wait for it any longer.
      const broken = Promise.withResolvers<never>();
      const fail = () => broken.reject(new StoreUnavailable("the connection broke"));
      broken.promise.catch(() => undefined);
      inFlight.add(fail);
      try {
        const options = { timeout: timeoutMs, ...(headers === undefined ? {} : { headers }) };
        return await Promise.race([connection.request(subject, body, options), broken.promise]);
      } catch (cause) {
        throw new StoreUnavailable("NATS did not answer", { cause });
      } finally {
        inFlight.delete(fail);
      }
    },
    onReconnect(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    async [Symbol.asyncDispose]() {
      listeners.clear();
      if (!("url" in options)) return;
      await connection.close();
      await watched;
    },
  };
}

/** Reconnects for ever, soon: a server that was restarted is back within a second. */
function dial(servers: readonly string[]): Promise<NatsConnection> {
  return connect({
    servers: [...servers],
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    timeout: 5_000,
    pingInterval: 2_000,
    maxPingOut: 2,
    ignoreClusterUpdates: false,
    noAsyncTraces: true, // A stack for every request, used by none that succeeds, costs 4 % of the CPU.
  });
}

async function watchStatus(
  connection: NatsConnection,
  listeners: ReadonlySet<() => void>,
  inFlight: ReadonlySet<() => void>,
): Promise<void> {
  for await (const { type } of connection.status()) {
    if (type !== "reconnect" && type !== "disconnect") continue;
    for (const fail of inFlight) fail();
    if (type === "reconnect") for (const listener of listeners) listener();
  }
}
