/** A client that speaks channels over a WebSocket: each message begins with its channel. */
import { createWebSocketStream, WebSocket, WebSocketServer } from "ws";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { Upgrade } from "../http/server.ts";
import { channel, type FrameClient, frameOf, messageOf } from "./frame-client.ts";
import { listedIn } from "./upgrade-response.ts";

type Dialect = {
  /** A digit and base64 instead of bytes. */
  readonly base64: boolean;
  /** How a command ended is told as a Status. */
  readonly status: boolean;
};
type Dialects = Readonly<Record<string, Dialect>>;

const plain: Dialect = { base64: false, status: false };
const v4: Dialects = {
  "v4.channel.k8s.io": { base64: false, status: true },
  "v4.base64.channel.k8s.io": { base64: true, status: true },
};
/** Of commands, best first; who names none speaks the last. Only v5 can end a channel. */
export const execDialects: Dialects = {
  "v5.channel.k8s.io": { base64: false, status: true },
  ...v4,
  "base64.channel.k8s.io": { base64: true, status: false },
  "channel.k8s.io": plain,
};
/** Of ports, two channels each. */
export const portDialects: Dialects = v4;

/** What the client may have unread before the node is slowed. */
const unsentMaxBytes = 256 * 1_024;

const serverFor = (dialects: Dialects) =>
  new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 16 * 1_024 * 1_024,
    handleProtocols: (offered) => Object.keys(dialects).find((one) => offered.has(one)) ?? false,
  });
const servers = new Map([execDialects, portDialects].map((one) => [one, serverFor(one)]));

/** @throws {ApiError} BadRequest when no protocol is shared */
export function requireDialect({ request }: Pick<Upgrade, "request">, dialects: Dialects): void {
  const offered = listedIn(request.headers["sec-websocket-protocol"]);
  if (offered.length === 0 || offered.some((one) => one in dialects)) return;
  const spoken = Object.keys(dialects).join(", ");
  throw new ApiError("BadRequest", `unable to upgrade: only ${spoken} are spoken`);
}

export function webSocketFrames(
  { request, socket, head }: Upgrade,
  dialects: Dialects,
  log: Log,
): Promise<FrameClient> {
  return new Promise((resolve) => {
    servers.get(dialects)?.handleUpgrade(request, socket, head, (client) => {
      client.on("error", (error) => log.debug({ err: error }, "a client's connection broke"));
      resolve(frameClient(client, dialects[client.protocol] ?? plain));
    });
  });
}

function frameClient(client: WebSocket, { base64, status }: Dialect): FrameClient {
  // Messages as they came, one at a time: the reader sets the pace.
  const messages = createWebSocketStream(client, {
    readableObjectMode: true,
    readableHighWaterMark: 1,
  });
  messages.on("error", () => undefined); // It has gone: all that matters here.
  return {
    async run(take) {
      try {
        for await (const message of messages as AsyncIterable<Buffer | string>) {
          const frame = base64 ? decoded(message) : bytesOf(message);
          if (frame.byteLength > 0) await take(frame);
        }
      } finally {
        client.terminate();
      }
    },
    async write(frame) {
      const told = frame[0] === channel.error && !status ? plainly(frame) : frame;
      if (told === undefined) return;
      if (client.readyState !== WebSocket.OPEN) throw new Error("the client has gone");
      const sent = Promise.withResolvers<void>();
      client.send(base64 ? encoded(told) : told, { binary: !base64 }, () => sent.resolve());
      if (client.bufferedAmount > unsentMaxBytes) await sent.promise;
    },
    async end() {
      client.close(1000);
    },
  };
}

function plainly(frame: Uint8Array): Uint8Array | undefined {
  const message = messageOf(frame.subarray(1));
  return message && frameOf(channel.error, message);
}

const bytesOf = (message: Buffer | string): Uint8Array =>
  typeof message === "string" ? Buffer.from(message) : message;

function decoded(message: Buffer | string): Uint8Array {
  const text = message.toString();
  return frameOf(Number(text.slice(0, 1)), Buffer.from(text.slice(1), "base64"));
}

function encoded(frame: Uint8Array): string {
  const payload = Buffer.from(frame.buffer, frame.byteOffset + 1, frame.byteLength - 1);
  return `${frame[0]}${payload.toString("base64")}`;
}
