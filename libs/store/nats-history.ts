import type { Clock } from "../telemetry/clock.ts";
import { JetStreamError } from "./jetstream-api.ts";
import { filterOf } from "./key-subject.ts";
import { beginLife } from "./nats-consumer.ts";
import type { Link } from "./nats-link.ts";
import { entryOf } from "./nats-messages.ts";
import { historyOf } from "./nats-streams.ts";
import { type Entry, HistoryExpired, type Revision, StoreUnavailable } from "./store.ts";

export type HistoryOptions = {
  readonly bucket: string;
  readonly after: Revision;
  readonly upTo: Revision;
  readonly prefix: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** Consumers that are begun anew when one is cut off. */
const livesMax = 10;

/** The record from a short-lived consumer on the mirror, which may lag: waits until it has `upTo`. */
export async function* natsHistory(link: Link, options: HistoryOptions): AsyncGenerator<Entry> {
  const { bucket, upTo, prefix, clock, signal } = options;
  let at = options.after;
  for (let lives = 0; lives < livesMax && at < upTo && !signal.aborted; lives += 1) {
    try {
      await using life = await beginLife(link, {
        stream: historyOf(bucket),
        filter: filterOf(bucket, prefix),
        from: at + 1,
        clock,
        signal,
      });
      // The server raises a start that is too old without a word (W2).
      const { first_seq: first, last_seq: last } = life.stream.state;
      if (first > at + 1 && last > 0) throw new HistoryExpired("the record begins later");
      life.probe();
      for await (const delivery of life) {
        if (delivery.type === "reached") {
          at = Math.max(at, delivery.revision);
          if (at >= upTo) return;
          continue;
        }
        const entry = entryOf(delivery.message, bucket);
        if (entry.revision > upTo) return;
        at = entry.revision;
        if (entry.key.startsWith(prefix)) yield entry;
        if (at >= upTo) return;
        if (delivery.pending === 0) life.probe();
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailable) && !(error instanceof JetStreamError)) throw error;
      await clock.sleep(100 * (lives + 1), signal);
    }
  }
  if (at < upTo && !signal.aborted) throw new StoreUnavailable("the record could not be read");
}
