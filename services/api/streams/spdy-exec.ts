/** A client that opens a SPDY stream for each of a command's own. */
import type { Clock } from "../../../libs/telemetry/clock.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Upgrade } from "../http/server.ts";
import { channel, type FrameClient, frameOf, messageOf } from "./frame-client.ts";
import { type SpdyConnection, spdyConnection, type SpdyStream } from "./spdy.ts";
import { listedIn, switchProtocols } from "./upgrade-response.ts";

/** Best first: from v4 on the end is told as a Status, from v3 on there is a stream for sizes. */
const protocols = [
  "v4.channel.k8s.io",
  "v3.channel.k8s.io",
  "v2.channel.k8s.io",
  "channel.k8s.io",
] as const;
type Protocol = (typeof protocols)[number];

/** The client's part of the hand-shake. */
const openMaxMs = 30_000;
/** A terminal's size is a short line. */
const sizeMaxBytes = 1_024;

/**
 * Client-go takes an error stream without a byte for success, even when its connection breaks. What
 * may come before a Status in JSON makes that one which is cut short.
 */
const begun = Buffer.from(" ");

const names = ["error", "stdin", "stdout", "stderr", "resize"] as const;
type Name = (typeof names)[number];
/** Those that the client asked for. */
export type Wanted = Readonly<Record<"stdin" | "stdout" | "stderr" | "tty", boolean>>;

/** @throws {ApiError} Forbidden, in Kubernetes' words, when no protocol is shared */
export function protocolOf({ request }: Pick<Upgrade, "request">): Protocol {
  const offered = listedIn(request.headers["x-stream-protocol-version"]);
  if (offered.length === 0) return "channel.k8s.io";
  const chosen = protocols.find((one) => offered.includes(one));
  if (chosen !== undefined) return chosen;
  const told = `client supports [${offered.join(" ")}], server accepts [${protocols.join(" ")}]`;
  throw new ApiError("Forbidden", `unable to upgrade: unable to negotiate protocol: ${told}`);
}

/** @throws {Error} when the client does not open what it asked for */
export async function spdyExec(
  upgrade: Upgrade,
  wanted: Wanted,
  clock: Clock,
): Promise<FrameClient> {
  const protocol = protocolOf(upgrade);
  const expected = expectedOf(wanted, protocol);
  const streams = new Map<Name, SpdyStream>();
  const complete = Promise.withResolvers<void>();
  switchProtocols(upgrade, { Upgrade: "SPDY/3.1", "X-Stream-Protocol-Version": protocol });
  const connection = spdyConnection(upgrade.socket, {
    clock,
    accept(stream) {
      const name = names.find((one) => one === stream.header("streamtype"));
      if (name === undefined || streams.has(name)) return stream.abort();
      streams.set(name, stream);
      if (expected.every((one) => streams.has(one))) complete.resolve();
    },
  });
  const gone = () => complete.reject(new Error("the client has gone"));
  connection.closed.addEventListener("abort", gone, { once: true });
  using _limit = clock.after(openMaxMs, () =>
    complete.reject(new Error("timed out waiting for client to create streams")),
  );
  try {
    await complete.promise;
    if (protocol === "v4.channel.k8s.io") await streams.get("error")?.write(begun);
  } catch (error) {
    connection.abort();
    throw error;
  }
  return frameClient(connection, streams, protocol);
}

function expectedOf({ stdin, stdout, stderr, tty }: Wanted, protocol: Protocol): readonly Name[] {
  const sizes = tty && (protocol === "v4.channel.k8s.io" || protocol === "v3.channel.k8s.io");
  return names.filter(
    (name) =>
      name === "error" ||
      (name === "stdin" && stdin) ||
      (name === "stdout" && stdout) ||
      (name === "stderr" && stderr && !tty) ||
      (name === "resize" && sizes),
  );
}

function frameClient(
  connection: SpdyConnection,
  streams: ReadonlyMap<Name, SpdyStream>,
  protocol: Protocol,
): FrameClient {
  const outputs = [undefined, "stdout", "stderr", "error"] as const;
  return {
    async run(take) {
      const { closed } = connection;
      const gone = new Promise<void>((resolve) => {
        if (closed.aborted) resolve();
        closed.addEventListener("abort", () => resolve(), { once: true });
      });
      const [input, sizes] = [streams.get("stdin"), streams.get("resize")];
      const feeding = [
        ...(input === undefined ? [] : [feed(input, take)]),
        ...(sizes === undefined ? [] : [resize(sizes, take)]),
      ];
      // A broken stream is a client that goes; only then is nobody there any more.
      await Promise.race([gone, Promise.all(feeding).then(() => gone)]);
    },
    async write(frame) {
      const name = outputs[frame[0] ?? 0];
      const stream = name === undefined ? undefined : streams.get(name);
      const payload = frame.subarray(1);
      const told =
        name === "error" && protocol !== "v4.channel.k8s.io" ? messageOf(payload) : payload;
      if (told !== undefined && told.byteLength > 0) await stream?.write(told);
    },
    async end() {
      for (const stream of streams.values()) stream.end();
      await connection.end();
    },
  };
}

type Take = Parameters<FrameClient["run"]>[0];

async function feed(input: SpdyStream, take: Take): Promise<void> {
  for await (const chunk of input.readable) await take(frameOf(channel.stdin, chunk));
  await take(Uint8Array.of(channel.close, channel.stdin));
}

/** Sizes come as JSON objects, one after the other. */
async function resize(sizes: SpdyStream, take: Take): Promise<void> {
  let text = "";
  for await (const chunk of sizes.readable) {
    text += Buffer.from(chunk).toString();
    for (let end = text.indexOf("}"); end >= 0; end = text.indexOf("}")) {
      await take(frameOf(channel.resize, Buffer.from(text.slice(0, end + 1).trim())));
      text = text.slice(end + 1);
    }
    if (text.length > sizeMaxBytes) throw new Error("this is no terminal's size");
  }
}
