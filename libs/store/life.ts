import type { Entry, Revision } from "./store.ts";

export type Delivery =
  | {
      readonly type: "entry";
      readonly entry: Entry;
      /** Messages that the server had still to send after this one, as far as it has counted them. */
      readonly pending: number;
    }
  /** The stream had reached `revision` when it was asked, and all up to `after` had been taken then. */
  | { readonly type: "stored"; readonly revision: Revision; readonly after: Revision }
  /** All up to `revision` has been delivered, and the stream has reached it. */
  | { readonly type: "reached"; readonly revision: Revision };

/**
 * One life of a consumer: in order, without a gap, until anything is missed; then it ends, and
 * whoever uses it begins the next.
 */
export type Life = AsyncIterable<Delivery> &
  AsyncDisposable & {
    /** The stream as it was just after the consumer came to be. */
    readonly stream: StreamState;
    /** Asks how far the stream is: `stored` follows, and `reached` when all up to there has come. */
    probe(): void;
    /** The stream's last sequence now. @throws {StoreUnavailable} */
    last(): Promise<Revision>;
  };

export type StreamState = {
  /** Another value: another stream under the same name. */
  readonly created: string;
  readonly first: Revision;
  readonly last: Revision;
};

export type LifeOptions = {
  /** Where to begin: the newest message of each key, or all from a sequence. */
  readonly from: "newest" | Revision;
  /** Only keys that begin with it, and maybe others. */
  readonly prefix: string;
  readonly signal: AbortSignal;
};
