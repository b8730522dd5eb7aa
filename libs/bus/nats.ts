/** The bus on a NATS connection. */
import { headers as natsHeaders, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import type { Random } from "../telemetry/random.ts";
import type { Bus } from "./bus.ts";
import { busOn } from "./bus-on.ts";
import { listeners } from "./listeners.ts";
import type { Packet, PublishOptions, Wire } from "./wire.ts";

export type NatsBusOptions = {
  /** One or several servers, comma-separated. */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The connection's name, for `nats server report connections`. */
  readonly name: string;
  /** What inbox subjects begin with; a node's user may be confined to its own (`_INBOX_n1`). */
  readonly inboxPrefix?: string;
};

/** A dead server is noticed after two of these without an answer. */
const pingIntervalMs = 1_500;
const pingsUnansweredMax = 2;
const reconnectWaitMs = 250;
const drainMaxMs = 2_000;
const noRespondersCode = 503;

/** Connects, waiting for a server that is not there yet; reconnects for ever. */
export async function natsBus(options: NatsBusOptions): Promise<Bus> {
  const connection = await connect({
    servers: options.url.split(","),
    name: options.name,
    pingInterval: pingIntervalMs,
    maxPingOut: pingsUnansweredMax,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMs,
    reconnectJitter: reconnectWaitMs,
    waitOnFirstConnect: true,
    noAsyncTraces: true, // As the store does: a stack for every request costs too much.
  });
  return busOn(natsWire(connection, options), options);
}

function natsWire(
  connection: NatsConnection,
  { clock, random, log, inboxPrefix = "_INBOX" }: NatsBusOptions,
): Wire {
  let upSinceMs: number | undefined = clock.monotonicMs();
  const reconnected = listeners<[]>();
  const watching = watch();

  async function watch(): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === "disconnect" || type === "close") {
        upSinceMs = undefined;
        log.warn("the connection to NATS was lost");
      }
      if (type === "reconnect") {
        upSinceMs = clock.monotonicMs();
        log.info("the connection to NATS is back");
        reconnected.call();
      }
    }
  }

  return {
    inbox: `${inboxPrefix}.${random.uuid().replaceAll("-", "")}`,
    publish(subject, data, { reply, headers }: PublishOptions = {}) {
      if (connection.isClosed()) return;
      connection.publish(subject, data, {
        ...(reply !== undefined && { reply }),
        ...(headers !== undefined && { headers: headersOf(headers) }),
      });
    },
    subscribe(subject, queue, heard) {
      const subscription = connection.subscribe(subject, {
        ...(queue !== undefined && { queue }),
        callback: (error, message) => {
          if (error === null) heard(packetOf(message));
          else log.error({ err: error, subject }, "a subscription was refused");
        },
      });
      return {
        async unsubscribe() {
          if (upSinceMs === undefined) return subscription.unsubscribe();
          await within(subscription.drain(), clock);
        },
      };
    },
    async flush() {
      if (upSinceMs === undefined || connection.isClosed()) return; // Sent again when it is back.
      await connection.flush().catch((error: unknown) => {
        log.debug({ err: error }, "the connection was lost before a flush");
      });
    },
    upSinceMs: () => upSinceMs,
    onUp: (listener) => reconnected.add(listener),
    async [Symbol.asyncDispose]() {
      if (upSinceMs !== undefined) {
        await within(connection.drain(), clock);
      }
      await connection.close();
      await watching;
    },
  };
}

/** Waits for `drained`, though no longer than is good; the timer goes, so that the process can end. */
async function within(drained: Promise<void>, clock: Clock): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([drained, clock.sleep(drainMaxMs, over.signal)]);
  } finally {
    over.abort();
  }
}

function headersOf(entries: Readonly<Record<string, string>>) {
  const result = natsHeaders();
  for (const [name, value] of Object.entries(entries)) result.set(name, value);
  return result;
}

function packetOf(message: Msg): Packet {
  const { subject, data, headers } = message;
  const { reply } = message;
  return {
    subject,
    data,
    reply: reply === undefined || reply === "" ? undefined : reply,
    nobody: data.byteLength === 0 && headers?.code === noRespondersCode,
    header(name) {
      const actual = headers?.keys().find((key) => key.toLowerCase() === name.toLowerCase());
      return actual === undefined ? undefined : headers?.get(actual);
    },
  };
}
