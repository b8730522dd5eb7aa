import type { Clock } from "../telemetry/clock.ts";
import { type Entry, HistoryExpired, type Revision, StoreUnavailable } from "./store.ts";
import type { Stream } from "./stream.ts";

export type RecordOptions = {
  readonly after: Revision;
  readonly upTo: Revision;
  readonly prefix: string;
  readonly signal: AbortSignal;
};

/** Consumers that are begun anew when one is cut off. */
const livesMax = 10;

/** The record from a short-lived consumer on the mirror, which may lag: waits until it has `upTo`. */
export async function* recordOf(
  stream: Stream,
  { after, upTo, prefix, signal }: RecordOptions,
  clock: Clock,
): AsyncGenerator<Entry> {
  let at = after;
  for (let lives = 1; lives <= livesMax && at < upTo && !signal.aborted; lives += 1) {
    try {
      await using life = await stream.begin("history", { from: at + 1, prefix, signal });
      // The server raises a start that is too old without a word (W2).
      const { first, last } = life.stream;
      if (first > at + 1 && last > 0) throw new HistoryExpired("the record begins later", first);
      life.probe();
      for await (const delivery of life) {
        if (delivery.type === "stored") continue;
        if (delivery.type === "reached") {
          at = Math.max(at, delivery.revision);
          if (at >= upTo) return;
          continue;
        }
        const { entry, pending } = delivery;
        if (entry.revision > upTo) return;
        at = entry.revision;
        if (entry.key.startsWith(prefix)) yield entry;
        if (at >= upTo) return;
        if (pending === 0) life.probe();
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      await clock.sleep(100 * lives, signal);
    }
  }
  if (at < upTo && !signal.aborted) throw new StoreUnavailable("the record could not be read");
}
