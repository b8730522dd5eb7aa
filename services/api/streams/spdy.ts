/**
 * SPDY/3.1 as Kubernetes' clients speak it: streams that the client opens, and no flow control of the
 * protocol's. What waits is bounded here instead: a reader that is slow stops the whole connection,
 * a writer waits for the socket.
 */
import { type Duplex, PassThrough } from "node:stream";
import transport, { type Stream } from "spdy-transport";
import type { Clock } from "../../../libs/telemetry/clock.ts";

/** Client-go has no windows: it never says that it can take more. */
const wideOpen = 2 ** 30;
const chunkBytes = 64 * 1_024;
const unsentMaxBytes = 256 * 1_024;
const unreadMaxBytes = 256 * 1_024;
/** Of a frame of headers, compressed. */
const headersMaxBytes = 16 * 1_024;
const streamsMax = 1_000;
/** How long the client may take to close what has ended. */
const closeMaxMs = 5_000;

export type SpdyStream = {
  readonly id: number;
  header(name: string): string | undefined;
  /** Until the client ends its side. Throws when the stream or its connection breaks. */
  readonly readable: AsyncIterable<Uint8Array>;
  /** Resolves when there is room for more. @throws {Error} when the stream is broken */
  write(chunk: Uint8Array): Promise<void>;
  end(): void;
  abort(): void;
};
export type SpdyConnection = {
  /** Aborts when nothing will come or go any more. */
  readonly closed: AbortSignal;
  /** Closes once all is sent that was written: streams are to be ended before. */
  end(): Promise<void>;
  abort(): void;
};

/** @param accept is handed each stream that the client opens, once it is on its way to be told so */
export function spdyConnection(
  socket: Duplex,
  { accept, clock }: { readonly accept: (stream: SpdyStream) => void; readonly clock: Clock },
): SpdyConnection {
  const closed = new AbortController();
  const open = new Map<Stream, PassThrough>();
  const connection = transport.connection.create(socket, {
    protocol: "spdy",
    isServer: true,
    maxChunk: chunkBytes,
    maxStreams: streamsMax,
  });
  const { parser, framer, window } = connection._spdyState;
  let [paused, discards] = [false, false];

  const finish = () => {
    closed.abort();
    socket.destroy();
  };
  const sum = (lengths: Iterable<number>) => [...lengths].reduce((all, one) => all + one, 0);
  const unread = () => sum([...open.keys()].map(({ readableLength }) => readableLength));
  const unsent = () => framer.readableLength + socket.writableLength;

  function slowDown(): void {
    if (paused || discards || unread() <= unreadMaxBytes) return;
    paused = true;
    parser.pause();
  }
  function relieve(): void {
    if (!paused || (!discards && unread() > unreadMaxBytes / 2)) return;
    paused = false;
    parser.resume();
  }

  let draining: Promise<void> | undefined;
  /** Resolves when no more than `maxBytes` wait to be sent, or nobody takes them any more. */
  async function sent(maxBytes: number): Promise<void> {
    while (!closed.signal.aborted && unsent() > maxBytes) {
      draining ??= drained(socket, closed.signal).finally(() => (draining = undefined));
      await draining;
    }
  }

  function wrapped(stream: Stream, input: PassThrough): SpdyStream {
    async function* read(): AsyncGenerator<Uint8Array> {
      for await (const chunk of input as AsyncIterable<Uint8Array>) {
        yield chunk;
        setImmediate(relieve); // Once the next is on its way.
      }
    }
    return {
      id: stream.id,
      header: (name) => stream.headers[name.toLowerCase()],
      readable: { [Symbol.asyncIterator]: read },
      async write(chunk) {
        await sent(unsentMaxBytes);
        if (closed.signal.aborted) throw new Error("the connection is closed");
        window.send.current = wideOpen;
        stream._spdyState.window.send.current = wideOpen;
        await new Promise<void>((resolve, reject) => {
          const stop = () => reject(new Error("the connection is closed"));
          closed.signal.addEventListener("abort", stop, { once: true });
          stream.write(chunk, (error) => {
            closed.signal.removeEventListener("abort", stop);
            if (error) reject(error);
            else resolve();
          });
        });
      },
      end: () => void stream.end(),
      abort: () => stream.abort(),
    };
  }

  fillHeaders(parser);
  boundHeaders(parser);
  socket.once("end", finish);
  connection.on("error", finish);
  connection.on("close", finish);
  connection.on("frame", ({ type }) => {
    if (type === "DATA") queueMicrotask(slowDown); // Once the stream has it.
  });
  connection.on("stream", (stream) => {
    stream.on("error", () => undefined); // Who reads or writes is told.
    if (open.size >= streamsMax) return stream.abort();
    const input = inputOf(stream);
    open.set(stream, input);
    stream.once("close", () => {
      open.delete(stream);
      relieve();
    });
    // Its headers are compressed meanwhile. What is said or ended before would overtake the reply, and
    // client-go waits 30 s for one that a connection no longer brings.
    stream.respond(200, {}, (error) => {
      if (!error) accept(wrapped(stream, input));
    });
  });
  connection.start(3.1);

  return {
    closed: closed.signal,
    async end() {
      discards = true; // A close with input unread would take what is under way with it.
      for (const input of open.values()) input.resume();
      relieve();
      await new Promise((resolve) => setImmediate(resolve)); // What ends the streams is in the framer.
      await sent(0);
      socket.end();
      if (closed.signal.aborted) return;
      const limit = clock.after(closeMaxMs, finish);
      closed.signal.addEventListener("abort", () => limit[Symbol.dispose](), { once: true });
    },
    abort: finish,
  };
}

/** What a stream brings. Its own iterator misses an end that comes while somebody waits. */
function inputOf(stream: Stream): PassThrough {
  const input = new PassThrough({ highWaterMark: chunkBytes });
  input.on("error", () => undefined); // Who reads is told.
  stream.pipe(input);
  stream.once("close", () =>
    setImmediate(() => {
      if (!input.writableEnded) input.destroy(new Error("the client has closed the stream"));
    }),
  );
  return input;
}

type Parser = ReturnType<typeof transport.connection.create>["_spdyState"]["parser"];

/** Kubernetes' clients leave out what HTTP over SPDY must have. */
function fillHeaders(parser: Parser): void {
  const parse = parser.parseKVs.bind(parser);
  parser.parseKVs = (buffer, done) =>
    parse(buffer, (error, headers) => done(error, { ":method": "POST", ":path": "/", ...headers }));
}

function boundHeaders(parser: Parser): void {
  const read = parser.onFrameHead.bind(parser);
  parser.onFrameHead = (buffer, done) =>
    read(buffer, (error, frame) => {
      const head = parser.pendingHeader;
      const tooLarge = head?.control === true && head.length > headersMaxBytes;
      done(error ?? (tooLarge ? new Error("a frame of headers is too large") : null), frame);
    });
}

/** The socket has sent something. */
function drained(socket: Duplex, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (!socket.writableNeedDrain) {
      setImmediate(resolve); // It is on its way there from the framer.
      return;
    }
    const done = () => {
      socket.off("drain", done);
      closed.removeEventListener("abort", done);
      resolve();
    };
    socket.once("drain", done);
    closed.addEventListener("abort", done, { once: true });
  });
}
