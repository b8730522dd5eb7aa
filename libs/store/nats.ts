/**
 * The store on JetStream: one bucket, whose stream's sequence is the one revision (design §3).
 *
 * The streams are made when they are absent. The commit logic is in `group-commit.ts`; here is only
 * what talks to the server.
 */
import type { NatsConnection } from "@nats-io/nats-core";
import { api, orUnavailable, streamState } from "./jetstream-api.ts";
import { streamOf, subjectOf } from "./key-subject.ts";
import { append } from "./nats-append.ts";
import { beginLife } from "./nats-consumer.ts";
import { type Link, natsLink } from "./nats-link.ts";
import { isNothingAfter, messageOf, newestOf } from "./nats-read.ts";
import { ensureStreams, historyOf } from "./nats-streams.ts";
import type { Store } from "./store.ts";
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
    /** Revisions older than it end, and are deleted from feeds: for events. Never by default. */
    readonly maxAgeSeconds?: number;
  };

/**
 * Connects, and makes or updates the bucket's streams.
 *
 * @throws {StoreUnavailable} when JetStream is not ready within a minute
 */
export async function natsStore(options: NatsStoreOptions): Promise<Store> {
  const { bucket = "state", replicas = 1, maxAgeSeconds, clock } = options;
  const link = await natsLink(options);
  try {
    await ensureStreams(link, { bucket, replicas, maxAgeSeconds }, clock);
  } catch (error) {
    await link[Symbol.asyncDispose]();
    throw error;
  }
  return storeOnStream(
    natsStream(link, { tombstoneSeconds: 3_600, ...options, bucket, replicas }),
    options,
  );
}

type StreamOptions = StorePorts & {
  readonly bucket: string;
  readonly tombstoneSeconds: number;
  readonly replicas: number;
};

function natsStream(link: Link, options: StreamOptions): Stream {
  const { bucket, tombstoneSeconds, clock, random, replicas } = options;
  const state = streamOf(bucket);
  const history = historyOf(bucket);
  const lastRevision = async () => {
    const info = await orUnavailable(api(link, `STREAM.INFO.${state}`, undefined, streamState));
    return info.state.last_seq;
  };
  return {
    tombstoneMs: tombstoneSeconds * 1_000,
    append: (drafts) => append(link, drafts, random.uuid(), { bucket, tombstoneSeconds }),
    newest: (keys) => newestOf(link, bucket, keys),
    last: (key) => messageOf(link, state, bucket, { last_by_subj: subjectOf(bucket, key) }),
    next: (key, after) =>
      messageOf(link, history, bucket, { seq: after + 1, next_by_subj: subjectOf(bucket, key) }),
    recorded: (keys, at) => newestOf(link, bucket, keys, { stream: history, at }),
    async at(revision) {
      const query = { seq: revision };
      const found = await messageOf(link, history, bucket, query);
      return found ?? messageOf(link, state, bucket, query);
    },
    nextOfAll: (after) =>
      messageOf(link, history, bucket, { seq: after + 1, next_by_subj: subjectOf(bucket, ">") }),
    lastRevision,
    async isLast(revision) {
      // Any copy answers a direct read, one that lags too: only the one that is alone knows.
      if (replicas > 1) return (await lastRevision()) <= revision;
      return isNothingAfter(link, bucket, revision);
    },
    begin: (source, { from, prefix, signal }) => {
      const stream = source === "state" ? state : history;
      return orUnavailable(beginLife(link, { bucket, stream, from, prefix, clock, signal }));
    },
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
}
