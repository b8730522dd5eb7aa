/**
 * The little that a bus needs of what carries its messages: publish and subscribe, best effort. What
 * a bus makes of it (requests, bounded work, streams) is in `bus-on.ts`, once for every wire.
 */
import type { Message } from "./bus.ts";

export type Packet = Message & {
  /** Where an answer is expected; undefined when none is. */
  readonly reply: string | undefined;
  /** The server's answer to a request on a subject that nobody hears. */
  readonly nobody: boolean;
};

export type PublishOptions = {
  /** Set: the wire answers `nobody` there when no one hears the subject. */
  readonly reply?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export interface Wire extends AsyncDisposable {
  /** What this connection's inbox subjects begin with; no other connection has the same. */
  readonly inbox: string;
  /** @throws {Error} when the packet is larger than the wire carries */
  publish(subject: string, data: Uint8Array, options?: PublishOptions): void;
  /** `unsubscribe` resolves when what the other end had already sent has been heard. */
  subscribe(
    subject: string,
    queue: string | undefined,
    heard: (packet: Packet) => void,
  ): { readonly unsubscribe: () => Promise<void> };
  /** Resolves when the other end has seen all that was published and subscribed before. */
  flush(): Promise<void>;
  /** Monotonic milliseconds; undefined while the wire is down. */
  upSinceMs(): number | undefined;
  /** Calls `listener` each time the wire has come up again. */
  onUp(listener: () => void): Disposable;
}
