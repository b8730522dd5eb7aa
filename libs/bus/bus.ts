/**
 * Talk between services: messages, requests and flow-controlled streams on NATS subjects. Nothing
 * here is durable; state is `libs/store`'s business.
 *
 * `nats.ts` is the real one, `memory.ts` runs in this process; both pass `contract.ts`.
 */

export type Message = {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Lower-case header names; absent headers are undefined. */
  readonly header: (name: string) => string | undefined;
};

/** No one serves the subject. */
export class NoResponders extends Error {
  override readonly name = "NoResponders";
}
/** No answer came in time. */
export class RequestTimeout extends Error {
  override readonly name = "RequestTimeout";
}
/** The other side refused or failed; `message` is its reason. */
export class RemoteFailure extends Error {
  override readonly name = "RemoteFailure";
}
/** The stream broke: its peer vanished, or aborted with a reason. */
export class StreamBroken extends Error {
  override readonly name = "StreamBroken";
}

export type RequestOptions = { readonly timeoutMs?: number; readonly signal?: AbortSignal };
export type ServeOptions = {
  /** Instances of one queue share the messages; without it each hears all. */
  readonly queue?: string;
  /** Handlers at work at once; further messages wait, at most 1,000 (then the oldest is dropped). Default 64. */
  readonly concurrency?: number;
};

/** A served subject or subscription; disposing of it ends it after the handlers at work have ended. */
export type Served = AsyncDisposable;

/**
 * A two-way stream of chunks. Each direction has its own credit: `write` waits while the reader is
 * behind by more than the window (256 KiB), so memory stays bounded on both sides.
 */
export interface ByteStream extends AsyncDisposable {
  /** Chunks as written (each ≤ 64 KiB), until the peer ends its side. Throws {StreamBroken}. */
  readonly readable: AsyncIterable<Uint8Array>;
  /** @throws {StreamBroken} when the peer is gone */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends this side; the other may go on (half-close). */
  end(): Promise<void>;
  /** Ends both sides; the peer's reads and writes throw {StreamBroken} with `reason`. */
  abort(reason: string): void;
  /** Aborts when the stream has ended on both sides or broken. */
  readonly closed: AbortSignal;
}

export interface Bus extends AsyncDisposable {
  /** Fire and forget. */
  publish(subject: string, data: Uint8Array): void;
  /** Calls `handler` for each message on `subject` (wildcards allowed), one at a time, in order. */
  subscribe(subject: string, handler: (message: Message) => void | Promise<void>): Promise<Served>;
  /**
   * @throws {NoResponders} at once when nobody serves it
   * @throws {RequestTimeout} after `timeoutMs` (default 5,000)
   * @throws {RemoteFailure} when the handler threw
   */
  request(subject: string, data: Uint8Array, options?: RequestOptions): Promise<Uint8Array>;
  /**
   * Answers requests. A handler that returns undefined stays silent (another instance answers);
   * one that throws answers a failure with the error's message.
   */
  serve(
    subject: string,
    handler: (message: Message) => Promise<Uint8Array | undefined>,
    options?: ServeOptions,
  ): Promise<Served>;
  /**
   * Opens a stream to whoever serves `subject`; `opening` is handed to its handler.
   *
   * @throws {NoResponders} when nobody does; {RemoteFailure} when it refuses before accepting
   */
  open(subject: string, opening: Uint8Array, options?: RequestOptions): Promise<ByteStream>;
  /** Serves streams; a stream is closed when its handler ends, aborted when that throws. */
  accept(
    subject: string,
    handler: (stream: ByteStream, message: Message) => Promise<void>,
    options?: ServeOptions,
  ): Promise<Served>;
  /** Since when (monotonic ms of the injected clock) the connection has been up without a break; undefined while it is down (N4). */
  healthySinceMs(): number | undefined;
  /** Calls `listener` after each reconnect, until disposed. */
  onReconnect(listener: () => void): Disposable;
}
