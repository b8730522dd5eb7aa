/** Of spdy-transport, which has no types, what is used here; `_spdyState` is its own. */
declare module "spdy-transport" {
  import type { Duplex, Readable, Transform } from "node:stream";

  type Side = { current: number };
  type Done<T> = (error: Error | null, value?: T) => void;
  type Headers = Record<string, string>;

  export type Stream = Duplex & {
    readonly id: number;
    readonly headers: Headers;
    readonly _spdyState: { readonly window: { readonly send: Side } };
    respond(status: number, headers: Headers, done: (error: Error | null) => void): void;
    abort(): void;
  };
  export type Frame = { readonly type: string };
  type Parser = Transform & {
    pendingHeader: { readonly control: boolean; readonly length: number } | null;
    onFrameHead(buffer: unknown, done: Done<Frame>): void;
    parseKVs(buffer: unknown, done: Done<Headers>): void;
  };
  export type Connection = {
    readonly _spdyState: {
      readonly parser: Parser;
      readonly framer: Readable;
      readonly window: { readonly send: Side };
    };
    start(version: 3.1): void;
    /** As a client. */
    request(of: {
      readonly method: string;
      readonly path: string;
      readonly headers: Headers;
    }): Stream;
    on(event: "stream", listener: (stream: Stream) => void): void;
    on(event: "frame", listener: (frame: Frame) => void): void;
    on(event: "close" | "error", listener: (error?: Error) => void): void;
  };
  const transport: {
    readonly connection: {
      create(
        socket: Duplex,
        options: {
          readonly protocol: "spdy";
          readonly isServer: boolean;
          readonly maxChunk?: number;
          readonly maxStreams?: number;
        },
      ): Connection;
    };
  };
  export default transport;
}
