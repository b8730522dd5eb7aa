/** The feed of a bucket: consumers one after another, as if they were one. */
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import { JetStreamError } from "./jetstream-api.ts";
import { streamOf, subjectOf } from "./key-subject.ts";
import { beginLife, type Life } from "./nats-consumer.ts";
import type { Link } from "./nats-link.ts";
import { entryOf } from "./nats-messages.ts";
import { type FeedItem, type Revision, StoreUnavailable } from "./store.ts";

export type FeedOptions = {
  readonly bucket: string;
  readonly after: Revision;
  /** A feed that was cut off for longer may have missed markers that came and went (S6). */
  readonly resumableMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
};

type Progress = {
  readonly created: string;
  readonly revision: Revision;
  readonly loaded: boolean;
  /** On the monotonic scale. */
  readonly heardAtMs: number;
};

export async function* natsFeed(link: Link, options: FeedOptions): AsyncGenerator<FeedItem> {
  const { bucket, after, resumableMs, clock, log, signal } = options;
  let progress: Progress | undefined;
  let pauseMs = 20;
  while (!signal.aborted) {
    try {
      const resume: Revision = progress === undefined ? after : progress.revision;
      const load = progress === undefined ? after === 0 : !progress.loaded;
      const from = load ? "newest" : resume + 1;
      const filter = subjectOf(bucket, ">");
      await using life = await beginLife(link, {
        stream: streamOf(bucket),
        filter,
        from,
        clock,
        signal,
      });
      if (progress !== undefined && !isSame(progress, life, resumableMs, clock)) {
        log.warn({ revision: progress.revision }, "feed starts over");
        yield { type: "reset" };
        progress = {
          created: life.stream.created,
          revision: 0,
          loaded: false,
          heardAtMs: clock.monotonicMs(),
        };
        if (!load) continue;
      } else if (load && progress !== undefined && progress.revision > 0) {
        yield { type: "reset" }; // The load broke off.
      }
      pauseMs = 20;
      for await (const step of load ? loading(life, bucket) : following(life, bucket, resume)) {
        progress = {
          created: life.stream.created,
          revision: step.revision,
          loaded: step.loaded,
          heardAtMs: clock.monotonicMs(),
        };
        yield step.item;
      }
      if (!signal.aborted) log.info({ revision: progress?.revision ?? after }, "feed was cut off");
    } catch (error) {
      if (!(error instanceof StoreUnavailable) && !(error instanceof JetStreamError)) throw error;
      log.debug({ err: error }, "feed cannot begin yet");
      await clock.sleep(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, 500);
    }
  }
}

/** Whether the feed can go on in this stream from where it was. */
function isSame(progress: Progress, { stream }: Life, resumableMs: number, clock: Clock): boolean {
  return (
    stream.created === progress.created &&
    stream.state.last_seq >= progress.revision &&
    clock.monotonicMs() - progress.heardAtMs < resumableMs
  );
}

type Step = { readonly item: FeedItem; readonly revision: Revision; readonly loaded: boolean };

/**
 * The newest of every key, then what follows. What the consumer was to send first may be gone by
 * the time it sends it, replaced by a later write: so the load is complete only at a revision that
 * the stream had when the last of the first had been sent.
 */
async function* loading(life: Life, bucket: string): AsyncGenerator<Step> {
  let revision = 0;
  let loaded = false;
  let isFirst = true;
  let target = life.stream.state.last_seq;
  life.probe();
  for await (const delivery of life) {
    if (delivery.type === "reached") {
      revision = Math.max(revision, delivery.revision);
      const type = loaded ? "idle" : "loaded";
      loaded = true;
      yield { item: { type, revision }, revision, loaded };
      continue;
    }
    const entry = entryOf(delivery.message, bucket);
    revision = Math.max(revision, entry.revision);
    yield { item: { type: "entry", entry, pending: delivery.pending }, revision, loaded };
    if (loaded) {
      if (isTorn(entry.tx, delivery.pending)) life.probe();
      continue;
    }
    if (delivery.pending === 0) life.probe();
    if (revision < target) continue;
    if (isFirst) {
      isFirst = false;
      target = await life.last();
    }
    if (revision < target) continue;
    loaded = true;
    yield { item: { type: "loaded", revision }, revision, loaded };
  }
}

async function* following(life: Life, bucket: string, after: Revision): AsyncGenerator<Step> {
  let revision = after;
  for await (const delivery of life) {
    if (delivery.type === "reached") {
      revision = Math.max(revision, delivery.revision);
      yield { item: { type: "idle", revision }, revision, loaded: true };
      continue;
    }
    const { pending } = delivery;
    const entry = entryOf(delivery.message, bucket);
    revision = entry.revision;
    yield { item: { type: "entry", entry, pending }, revision, loaded: true };
    if (isTorn(entry.tx, pending)) life.probe();
  }
}

/** The rest of its transaction is not on its way: it may have expired, and nothing ends the cut (S1). */
const isTorn = (tx: { readonly index: number; readonly count: number }, pending: number) =>
  pending === 0 && tx.index < tx.count;
