/** Exec and attach: a WebSocket of the client's joined with a stream of the node's, frame by frame. */
import { type RawData, WebSocket, WebSocketServer } from "ws";
import type { ByteStream } from "../../../libs/bus/bus.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { ExecOpening } from "../../../libs/protocol/node.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { flagOf, textOf } from "../http/query.ts";
import { refusalOf, type Upgrade } from "../http/server.ts";
import type { Gateway } from "../resources/gateway.ts";
import { openOn } from "./logs.ts";
import { locate } from "./pod-location.ts";

/** The channel protocols that are spoken, best first. v4 cannot end a channel, else they are the same. */
const protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"] as const;
/** A chunk of the bus, its channel byte included. */
const frameMaxBytes = 64 * 1024;
/** What the client may have unread before the node is slowed. */
const unsentMaxBytes = 1024 * 1024;
const channelStdin = 0;
const channelError = 3;

const sockets = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  maxPayload: 16 * 1024 * 1024,
  handleProtocols: (offered) => protocols.find((one) => offered.has(one)) ?? false,
});

/**
 * Joins the request with the container; ends when either side does. A refusal is told inside the
 * WebSocket: a failed upgrade would make kubectl try SPDY and show that failure instead.
 *
 * @throws {ApiError} BadRequest when no protocol is shared
 */
export async function podExec(
  gateway: Gateway,
  kind: Kind,
  { verb, upgrade }: { readonly verb: "exec" | "attach"; readonly upgrade: Upgrade },
): Promise<void> {
  const { request, socket, head } = upgrade;
  const offered = (request.headers["sec-websocket-protocol"] ?? "")
    .split(",")
    .map((one) => one.trim());
  if (!protocols.some((one) => offered.includes(one))) {
    throw new ApiError(
      "BadRequest",
      `unable to upgrade: only ${protocols.join(" and ")} are spoken`,
    );
  }
  const answer = await openExec(gateway, kind, { verb, upgrade }).catch((error: unknown) =>
    refusalOf(error, gateway.log),
  );
  sockets.handleUpgrade(request, socket, head, (client) => {
    if (answer instanceof ApiError) refuse(client, answer);
    else join(client, answer, gateway.log);
  });
}

/** @throws {ApiError} NotFound, BadRequest, ServiceUnavailable */
async function openExec(
  gateway: Gateway,
  kind: Kind,
  {
    verb,
    upgrade: { query, params },
  }: { readonly verb: "exec" | "attach"; readonly upgrade: Upgrade },
): Promise<ByteStream> {
  const command = verb === "exec" ? query.getAll("command") : [];
  if (verb === "exec" && command.length === 0) {
    throw new ApiError("BadRequest", "you must specify at least one command for the container");
  }
  const { namespace = "", name = "" } = params;
  const found = await locate(gateway, kind, {
    namespace,
    name,
    container: textOf(query, "container"),
  });
  const { node, ...container } = found;
  const opening: ExecOpening = {
    ...container,
    command,
    stdin: flagOf(query, "stdin"),
    stdout: flagOf(query, "stdout"),
    stderr: flagOf(query, "stderr"),
    tty: flagOf(query, "tty"),
  };
  return openOn(gateway, node, { verb: "exec", opening });
}

function refuse(client: WebSocket, refusal: ApiError): void {
  client.on("error", () => client.terminate());
  const status = Buffer.from(JSON.stringify(refusal.toStatus()));
  client.send(Buffer.concat([Buffer.of(channelError), status]), { binary: true });
  client.close(1000);
}

function join(client: WebSocket, stream: ByteStream, log: Log): void {
  client.on("error", (error) => log.debug({ err: error }, "an exec connection broke"));
  client.on("close", () => stream.abort("the client has gone"));
  // One write after the other, and the client's socket waits: the node's reader sets the pace.
  let last = Promise.resolve();
  client.on("message", (data) => {
    client.pause();
    last = last
      .then(async () => {
        for (const frame of frames(bytesOf(data))) await stream.write(frame);
        client.resume();
      })
      .catch((error: unknown) => {
        log.debug({ err: error }, "input to a container broke off");
        client.close(1011);
      });
  });
  toClient(client, stream).then(
    () => client.close(1000),
    (error: unknown) => {
      log.debug({ err: error }, "an exec stream broke");
      client.close(1011);
    },
  );
}

async function toClient(client: WebSocket, stream: ByteStream): Promise<void> {
  for await (const chunk of stream.readable) {
    if (client.readyState !== WebSocket.OPEN) return;
    const sent = Promise.withResolvers<void>();
    client.send(chunk, { binary: true }, () => sent.resolve());
    if (client.bufferedAmount > unsentMaxBytes) await sent.promise;
  }
}

/** A message as frames that the bus can carry: input is cut, the rest is small. */
function* frames(message: Uint8Array): Iterable<Uint8Array> {
  if (message.byteLength <= frameMaxBytes || message[0] !== channelStdin) {
    if (message.byteLength > 0) yield message;
    return;
  }
  for (let at = 1; at < message.byteLength; at += frameMaxBytes - 1) {
    const part = message.subarray(at, at + frameMaxBytes - 1);
    const frame = new Uint8Array(part.byteLength + 1);
    frame[0] = channelStdin;
    frame.set(part, 1);
    yield frame;
  }
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
