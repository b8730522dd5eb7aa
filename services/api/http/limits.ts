/**
 * What a client may ask of a gateway, and how long it may take: everything that is held for a client
 * has a bound. `docs/limits.md` lists them; bodies and texts have theirs in `body.ts` and `text.ts`.
 */
export type Limits = {
  /** All header lines of a request together. */
  readonly headersMaxBytes: number;
  readonly headersMax: number;
  readonly urlMaxChars: number;
  /** From the connection's first byte to the end of the headers. */
  readonly headersWaitMs: number;
  /** To the end of the body. */
  readonly bodyWaitMs: number;
  /** For a client to take what is sent to it: of a reply, or of a watch's next events. */
  readonly writeWaitMs: number;
  /** Requests that are worked on at once; watches and other streams do not count. */
  readonly readsMax: number;
  readonly writesMax: number;
  /** Requests of each sort that wait for their turn, and for how long. */
  readonly waitingMax: number;
  readonly turnWaitMs: number;
  /** Watches, logs: replies without an end. */
  readonly streamsMax: number;
  /** The same of one client, by its address and its credentials. */
  readonly streamsPerClientMax: number;
  /** Of one HTTP/2 connection. */
  readonly streamsPerConnectionMax: number;
  readonly pingEveryMs: number;
  /** Without an answer to a ping the connection is dead. */
  readonly pingWaitMs: number;
};

export const limits: Limits = {
  headersMaxBytes: 64 * 1024,
  headersMax: 200,
  urlMaxChars: 32 * 1024,
  headersWaitMs: 20_000,
  bodyWaitMs: 60_000,
  writeWaitMs: 60_000,
  readsMax: 400,
  writesMax: 200,
  waitingMax: 2_000,
  turnWaitMs: 10_000,
  streamsMax: 10_000,
  streamsPerClientMax: 1_000,
  streamsPerConnectionMax: 250,
  pingEveryMs: 30_000,
  pingWaitMs: 15_000,
};
