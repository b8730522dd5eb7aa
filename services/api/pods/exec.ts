/** Exec and attach: a client's streams joined with one of the node's, frame by frame. */
import type { ByteStream } from "../../../libs/bus/bus.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { ExecOpening } from "../../../libs/protocol/node.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { flagOf, textOf } from "../http/query.ts";
import type { Upgrade } from "../http/server.ts";
import type { Gateway } from "../resources/gateway.ts";
import { channel, type FrameClient, frameOf } from "../streams/frame-client.ts";
import { protocolOf, spdyExec } from "../streams/spdy-exec.ts";
import { transportOf } from "../streams/upgrade-response.ts";
import { execDialects, requireDialect, webSocketFrames } from "../streams/websocket-frames.ts";
import { openOn } from "./node-stream.ts";
import { locate } from "./pod-location.ts";

/** A chunk of the bus, its channel byte included. */
const frameMaxBytes = 64 * 1024;

/**
 * Joins the request with the container; ends when either side does. A refusal is a reply to the
 * request: clients that may speak several protocols show that of the last one that they tried.
 *
 * @throws {ApiError} NotFound, BadRequest, Forbidden (no protocol is shared), ServiceUnavailable
 */
export async function podExec(
  gateway: Gateway,
  kind: Kind,
  { verb, upgrade }: { readonly verb: "exec" | "attach"; readonly upgrade: Upgrade },
): Promise<void> {
  const transport = transportOf(upgrade);
  if (transport === "websocket") requireDialect(upgrade, execDialects);
  else if (transport === "spdy") protocolOf(upgrade);
  else throw new ApiError("BadRequest", "unable to upgrade: neither SPDY/3.1 nor a WebSocket");
  const wanted = wantedOf(verb, upgrade);
  const stream = await openExec(gateway, kind, { wanted, upgrade });
  const { log, ports } = gateway;
  try {
    const client =
      transport === "websocket"
        ? await webSocketFrames(upgrade, execDialects, log)
        : await spdyExec(upgrade, wanted, ports.clock);
    await join(client, stream, log);
  } catch (error) {
    log.debug({ err: error }, "a client was not joined with a container");
    stream.abort("the client has gone");
    upgrade.socket.destroy();
  }
}

type Wanted = Pick<ExecOpening, "command" | "stdin" | "stdout" | "stderr" | "tty">;

/** @throws {ApiError} BadRequest */
function wantedOf(verb: "exec" | "attach", { query }: Upgrade): Wanted {
  const command = verb === "exec" ? query.getAll("command") : [];
  if (verb === "exec" && command.length === 0) {
    throw new ApiError("BadRequest", "you must specify at least one command for the container");
  }
  const [stdin, tty] = [flagOf(query, "stdin"), flagOf(query, "tty")];
  const [stdout, stderr] = [flagOf(query, "stdout"), flagOf(query, "stderr") && !tty];
  if (!stdin && !stdout && !stderr) {
    throw new ApiError("BadRequest", "you must specify at least 1 of stdin, stdout, stderr");
  }
  return { command, stdin, stdout, stderr, tty };
}

async function openExec(
  gateway: Gateway,
  kind: Kind,
  { wanted, upgrade: { query, params } }: { readonly wanted: Wanted; readonly upgrade: Upgrade },
): Promise<ByteStream> {
  const { namespace = "", name = "" } = params;
  const container = textOf(query, "container");
  const { node, ...found } = await locate(gateway, kind, { namespace, name, container });
  return openOn(gateway, node, { verb: "exec", opening: { ...found, ...wanted } });
}

async function join(client: FrameClient, stream: ByteStream, log: Log): Promise<void> {
  let heard = true;
  const feeding = client
    .run(async (message) => {
      if (!heard) return;
      try {
        for (const frame of frames(message)) await stream.write(frame);
      } catch (error) {
        heard = false; // The command has ended, its output may still be on the way.
        log.debug({ err: error }, "input to a container went nowhere");
      }
    })
    .catch((error: unknown) => log.debug({ err: error }, "input to a container broke off"))
    .finally(() => stream.abort("the client has gone"));
  try {
    for await (const chunk of stream.readable) await client.write(chunk);
  } catch (error) {
    log.debug({ err: error }, "an exec stream broke");
    await client.write(frameOf(channel.error, brokenOff(error))).catch(() => undefined); // Gone, too.
  }
  await client.end();
  await feeding;
}

/** The v1 Status of a stream whose node, or whose gateway, is no more. */
function brokenOff(error: unknown): Uint8Array {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `Internal error occurred: the connection to the container broke: ${reason}`;
  return Buffer.from(JSON.stringify(new ApiError("InternalError", message).toStatus()));
}

/** A message as frames that the bus can carry: input is cut, the rest is small. */
function* frames(message: Uint8Array): Iterable<Uint8Array> {
  if (message.byteLength <= frameMaxBytes || message[0] !== channel.stdin) {
    if (message.byteLength > 0) yield message;
    return;
  }
  for (let at = 1; at < message.byteLength; at += frameMaxBytes - 1) {
    yield frameOf(channel.stdin, message.subarray(at, at + frameMaxBytes - 1));
  }
}
