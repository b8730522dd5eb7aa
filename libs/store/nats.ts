/**
 * The store on JetStream: one bucket, whose stream's sequence is the one revision (design §3).
 *
 * The streams are made when they are absent. The commit logic is in `group-commit.ts`; here is only
 * what talks to the server.
 */
import type { NatsConnection } from "@nats-io/nats-core";
import { streamInfo, api } from "./jetstream-api.ts";
import { streamOf, subjectOf } from "./key-subject.ts";
import { append } from "./nats-append.ts";
import { natsFeed } from "./nats-feed.ts";
import { natsHistory } from "./nats-history.ts";
import { type Link, natsLink } from "./nats-link.ts";
import { messageOf, newestOf } from "./nats-read.ts";
import { ensureStreams, historyOf } from "./nats-streams.ts";
import { JetStreamError } from "./jetstream-api.ts";
import { type Store, StoreUnavailable } from "./store.ts";
import { storeOnStream, type StorePorts } from "./store-on-stream.ts";
import type { Stream } from "./stream.ts";

export type NatsStoreOptions = StorePorts &
  /** Servers' URLs, separated by commas; or a connection, which the caller closes. */
  ({ readonly url: string } | { readonly connection: NatsConnection }) & {
    readonly bucket?: string;
    /** Copies of the streams where they are made: 3 in a cluster. */
    readonly replicas?: number;
    /** How long a delete's marker stays, ≥ 1 s: much longer than any replica may lag (S6). */
    readonly tombstoneSeconds?: number;
  };

/**
 * Connects, and makes or updates the bucket's streams.
 *
 * @throws {StoreUnavailable} when JetStream is not ready within a minute
 */
export async function natsStore(options: NatsStoreOptions): Promise<Store> {
  const { bucket = "state", replicas = 1, clock } = options;
  const link = await natsLink(options);
  try {
    await ensureStreams(link, { bucket, replicas }, clock);
  } catch (error) {
    await link[Symbol.asyncDispose]();
    throw error;
  }
  return storeOnStream(natsStream(link, { tombstoneSeconds: 3_600, bucket, ...options }), options);
}

type StreamOptions = StorePorts & { readonly bucket: string; readonly tombstoneSeconds: number };

function natsStream(link: Link, options: StreamOptions): Stream {
  const { bucket, tombstoneSeconds, clock, random, log } = options;
  const closed = new AbortController();
  const until = (signal: AbortSignal | undefined) =>
    signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]);
  return {
    append: (drafts) => append(link, drafts, random.uuid(), { bucket, tombstoneSeconds }),
    newest: (keys) => newestOf(link, bucket, keys),
    last: (key) =>
      messageOf(link, streamOf(bucket), bucket, { last_by_subj: subjectOf(bucket, key) }),
    next: (key, after) =>
      messageOf(link, historyOf(bucket), bucket, {
        seq: after + 1,
        next_by_subj: subjectOf(bucket, key),
      }),
    lastRevision: () => lastRevision(link, bucket),
    feed: ({ after, signal }) =>
      natsFeed(link, {
        bucket,
        after,
        resumableMs: tombstoneSeconds * 500,
        clock,
        log,
        signal: until(signal),
      }),
    history: ({ after, upTo, prefix = "", signal }) =>
      natsHistory(link, { bucket, after, upTo, prefix, clock, signal: until(signal) }),
    async [Symbol.asyncDispose]() {
      closed.abort();
      await link[Symbol.asyncDispose]();
    },
  };
}

async function lastRevision(link: Link, bucket: string): Promise<number> {
  try {
    const info = await api(link, `STREAM.INFO.${streamOf(bucket)}`, undefined, streamInfo);
    return info.state.last_seq;
  } catch (error) {
    if (!(error instanceof JetStreamError)) throw error;
    throw new StoreUnavailable("JetStream cannot answer", { cause: error });
  }
}
