/** Ports of a pod, forwarded to a client: each connection is a stream of its own to the node. */
import type { Duplex } from "node:stream";
import type { ByteStream } from "../../../libs/bus/bus.ts";
import { writeAll } from "../../../libs/bus/duplex.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { Upgrade } from "../http/server.ts";
import type { Gateway } from "../resources/gateway.ts";
import { channel, type FrameClient, frameOf } from "../streams/frame-client.ts";
import { spdyConnection, type SpdyStream } from "../streams/spdy.ts";
import { listedIn, switchProtocols, transportOf } from "../streams/upgrade-response.ts";
import { portDialects, requireDialect, webSocketFrames } from "../streams/websocket-frames.ts";
import { asksForTunnel, webSocketTunnel } from "../streams/websocket-tunnel.ts";
import { openOn } from "./node-stream.ts";
import { locatePod } from "./pod-location.ts";

const protocol = "portforward.k8s.io";
/** The two streams of a connection come within so long. */
const pairMaxMs = 30_000;
const pairsMax = 500;
/** Ports of one WebSocket: its channels are numbered by a byte. */
const portsMax = 127;

/** A connection to one of the pod's ports. @throws {ApiError} */
type Open = (port: number) => Promise<ByteStream>;
type Ports = {
  readonly open: Open;
  readonly pod: string;
  readonly clock: Clock;
  readonly log: Log;
};

/** @throws {ApiError} NotFound, BadRequest, Forbidden (no protocol is shared) */
export async function podPortForward(
  gateway: Gateway,
  kind: Kind,
  upgrade: Upgrade,
): Promise<void> {
  const { namespace = "", name = "" } = upgrade.params;
  const { node, ...pod } = await locatePod(gateway, kind, { namespace, name });
  const ports: Ports = {
    open: (port) => {
      const opening = { ...pod, port, to: "localhost" } as const;
      return openOn(gateway, node, { verb: "forward", opening });
    },
    pod: `${name}_${namespace}, uid ${pod.uid}`,
    clock: gateway.ports.clock,
    log: gateway.log,
  };
  const transport = transportOf(upgrade);
  if (transport === "spdy") {
    requireProtocol(upgrade);
    switchProtocols(upgrade, { Upgrade: "SPDY/3.1", "X-Stream-Protocol-Version": protocol });
    overSpdy(upgrade.socket, ports);
  } else if (transport === "websocket" && asksForTunnel(upgrade)) {
    overSpdy(await webSocketTunnel(upgrade), ports);
  } else if (transport === "websocket") {
    requireDialect(upgrade, portDialects);
    const asked = portsIn(upgrade.query);
    overChannels(await webSocketFrames(upgrade, portDialects, gateway.log), asked, ports);
  } else {
    throw new ApiError("BadRequest", "unable to upgrade: neither SPDY/3.1 nor a WebSocket");
  }
}

function requireProtocol({ request }: Upgrade): void {
  const offered = listedIn(request.headers["x-stream-protocol-version"]);
  if (offered.length === 0 || offered.includes(protocol)) return;
  const told = `client supports [${offered.join(" ")}], server accepts [${protocol}]`;
  throw new ApiError("Forbidden", `unable to upgrade: unable to negotiate protocol: ${told}`);
}

/** @throws {ApiError} BadRequest */
function portsIn(query: URLSearchParams): readonly number[] {
  const texts = query.getAll("ports").flatMap((one) => one.split(","));
  const ports = texts.map(Number);
  if (ports.length === 0) throw new ApiError("BadRequest", 'query parameter "ports" is required');
  const wrong = texts.find((_, nth) => !isPort(ports[nth] ?? 0));
  if (wrong === undefined && ports.length <= portsMax) return ports;
  const what = wrong === undefined ? "more than 127 ports" : `invalid port "${wrong.slice(0, 20)}"`;
  throw new ApiError("BadRequest", `unable to forward: ${what}`);
}

const isPort = (port: number) => Number.isInteger(port) && port > 0 && port < 65_536;

type Pair = { data?: SpdyStream; error?: SpdyStream };

function overSpdy(socket: Duplex, ports: Ports): void {
  const { clock, log } = ports;
  const pairs = new Map<string, Pair>();
  const connection = spdyConnection(socket, {
    clock,
    accept(stream) {
      const type = stream.header("streamtype");
      const port = Number(stream.header("port"));
      if ((type !== "data" && type !== "error") || !isPort(port)) return stream.abort();
      // Old clients open the error stream first and number neither.
      const id = stream.header("requestid") ?? String(type === "data" ? stream.id - 2 : stream.id);
      const pair = pairs.get(id) ?? awaitPair(id);
      if (pair === undefined || pair[type] !== undefined) return stream.abort();
      pair[type] = stream;
      const { data, error } = pair;
      if (data === undefined || error === undefined) return;
      pairs.delete(id);
      carry(port, { data, error }, ports).catch((failure: unknown) =>
        log.debug({ err: failure }, "a forwarded connection broke"),
      );
    },
  });

  /** Its other half is to come. */
  function awaitPair(id: string): Pair | undefined {
    if (pairs.size >= pairsMax) return undefined;
    const pair: Pair = {};
    pairs.set(id, pair);
    clock.after(pairMaxMs, () => {
      if (pairs.get(id) !== pair || connection.closed.aborted) return;
      pairs.delete(id);
      pair.data?.abort();
      pair.error?.abort();
    });
    return pair;
  }
}

/** One connection, until the pod has closed it; what goes wrong is told on its error stream. */
async function carry(
  port: number,
  { data, error }: Required<Pair>,
  { open, pod }: Ports,
): Promise<void> {
  let stream: ByteStream | undefined;
  try {
    const opened = (stream = await open(port));
    const sending = sendUp(data, opened);
    for await (const chunk of opened.readable) await data.write(chunk);
    data.end();
    error.end();
    await sending;
  } catch (failure) {
    const told = Buffer.from(`error forwarding port ${port} to pod ${pod}: ${reasonOf(failure)}`);
    await error.write(told).catch(() => undefined); // The client has gone, too.
  } finally {
    data.end();
    error.end();
    await stream?.[Symbol.asyncDispose]();
  }
}

async function sendUp(data: SpdyStream, stream: ByteStream): Promise<void> {
  try {
    for await (const chunk of data.readable) await writeAll(stream, chunk);
    await stream.end();
  } catch {
    stream.abort("the client has gone"); // Or the pod: then there is nothing left to abort.
  }
}

/** Port i has channel 2i for its data and 2i+1 for what goes wrong; both begin with its number. */
function overChannels(client: FrameClient, asked: readonly number[], ports: Ports): void {
  const streams: (ByteStream | undefined)[] = [];
  const opening = asked.map(async (port, nth) => {
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    await client.write(frameOf(2 * nth, number));
    await client.write(frameOf(2 * nth + 1, number));
    return (streams[nth] = await ports.open(port));
  });
  const receive = async (port: number, nth: number) => {
    try {
      const stream = await opening[nth];
      for await (const chunk of stream?.readable ?? []) await client.write(frameOf(2 * nth, chunk));
    } catch (failure) {
      const text = `error forwarding port ${port} to pod ${ports.pod}: ${reasonOf(failure)}`;
      await client.write(frameOf(2 * nth + 1, Buffer.from(text))).catch(() => undefined); // Gone, too.
    }
  };
  const gone = () => {
    for (const stream of streams) stream?.abort("the client has gone");
  };
  const take = async (frame: Uint8Array) => {
    const [to = 0] = frame;
    if (to === channel.close || to % 2 !== 0) return;
    try {
      const stream = await opening[to / 2];
      if (stream !== undefined) await writeAll(stream, frame.subarray(1));
    } catch (failure) {
      ports.log.debug({ err: failure }, "what a client sent went nowhere"); // It is told by `receive`.
    }
  };
  const log = (failure: unknown) =>
    ports.log.debug({ err: failure }, "a client's connection broke");
  client.run(take).catch(log).finally(gone);
  Promise.all(asked.map(receive)).then(() => client.end(), log);
}

const reasonOf = (failure: unknown) => (failure instanceof Error ? failure.message : "unknown");
