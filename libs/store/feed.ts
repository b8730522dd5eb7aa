/** A feed: consumers of the state, one after another, as if they were one. */
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import type { Delivery, Life } from "./life.ts";
import { type FeedItem, type Revision, StoreUnavailable } from "./store.ts";
import type { Stream } from "./stream.ts";

/** What a feed needs of a stream. */
export type Source = Pick<Stream, "begin" | "tombstoneMs" | "nextOfAll" | "lastRevision">;
type Options = { readonly after: Revision; readonly signal: AbortSignal };
type Ports = { readonly clock: Clock; readonly log: Log };

type Progress = {
  readonly created: string;
  readonly revision: Revision;
  readonly loaded: boolean;
  /** On the monotonic scale. */
  readonly heardAtMs: number;
};

const pauseMs = { first: 20, most: 500 };

/** @throws what the stream throws beside {StoreUnavailable}, which is tried again */
export async function* feedOf(
  stream: Source,
  { after, signal }: Options,
  { clock, log }: Ports,
): AsyncGenerator<FeedItem> {
  let progress: Progress | undefined;
  let pause = pauseMs.first;
  const heard = (life: Life, revision: Revision, loaded: boolean): Progress => ({
    created: life.stream.created,
    revision,
    loaded,
    heardAtMs: clock.monotonicMs(),
  });
  while (!signal.aborted) {
    try {
      const resume: Revision = progress?.revision ?? after;
      const isLoad: boolean = progress === undefined ? after === 0 : !progress.loaded;
      const from = isLoad ? "newest" : resume + 1;
      await using life = await stream.begin("state", { from, prefix: "", signal });
      if (
        progress === undefined ? !(await isRecent(stream, after, clock)) : !isSame(progress, life)
      ) {
        log.warn({ revision: resume }, "feed starts over");
        yield { type: "reset" };
        progress = heard(life, 0, false);
        if (!isLoad) continue;
      } else if (isLoad && progress !== undefined && progress.revision > 0) {
        yield { type: "reset" }; // The load broke off.
      }
      for await (const { item, revision, loaded } of isLoad
        ? loading(life)
        : following(life, resume)) {
        progress = heard(life, revision, loaded);
        pause = pauseMs.first;
        yield item;
      }
      if (signal.aborted) return;
      if (isLoad && progress?.loaded === true) continue; // What follows has a consumer of its own.
      log.info({ revision: progress?.revision ?? after }, "feed was cut off");
      await rest();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      log.debug({ err: error }, "feed cannot begin yet");
      await rest();
    }
  }

  async function rest(): Promise<void> {
    await clock.sleep(pause, signal);
    pause = Math.min(pause * 2, pauseMs.most);
  }

  /** Whether the feed can go on in this stream from where it was. */
  function isSame(progress: Progress, { stream: state }: Life): boolean {
    const silentMs = clock.monotonicMs() - progress.heardAtMs;
    const isOther = state.created !== progress.created || state.last < progress.revision;
    return !isOther && silentMs < stream.tombstoneMs / 2;
  }
}

/** Whether no marker that came after `after` can have expired yet (S6): by the record's times. */
async function isRecent(stream: Source, after: Revision, clock: Clock): Promise<boolean> {
  if (after === 0) return true;
  const next = await stream.nextOfAll(after);
  if (next !== undefined) return clock.now() - next.storedAtMs < stream.tombstoneMs / 2;
  if ((await stream.lastRevision()) <= after) return true;
  throw new StoreUnavailable("the record lags");
}

type Step = { readonly item: FeedItem; readonly revision: Revision; readonly loaded: boolean };

/**
 * The newest of every key. What the consumer was to send first may be gone by the time it sends it,
 * replaced by a later write: so the load is complete only at a revision that the stream had when the
 * last of the first had been sent.
 *
 * It ends there: of a consumer of the newest, the server would count anew what is pending over all
 * keys, at every delete, for as long as it lives.
 */
async function* loading(life: Life): AsyncGenerator<Step> {
  let revision = 0;
  let isFirst = true;
  let target = life.stream.last;
  life.probe();
  for await (const delivery of life) {
    if (delivery.type === "stored") continue;
    revision = Math.max(revision, revisionOf(delivery));
    if (delivery.type === "entry") {
      yield { item: delivery, revision, loaded: false };
      if (delivery.pending === 0) life.probe();
      if (revision < target) continue;
      if (isFirst) target = await life.last();
      isFirst = false;
    }
    // Where some that were to be sent are gone, a heartbeat names a place on the way.
    if (revision < target) continue;
    yield { item: { type: "loaded", revision }, revision, loaded: true };
    return;
  }
}

/** Every revision after `after`. */
async function* following(life: Life, after: Revision): AsyncGenerator<Step> {
  let revision = after;
  life.probe(); // What came before may be torn.
  for await (const delivery of life) {
    if (delivery.type === "stored") {
      yield { item: delivery, revision, loaded: true };
      continue;
    }
    const isGap = delivery.type === "entry" && delivery.entry.revision > revision + 1;
    revision = Math.max(revision, revisionOf(delivery));
    const item = delivery.type === "reached" ? ({ type: "idle", revision } as const) : delivery;
    yield { item, revision, loaded: true };
    if (isGap || (delivery.type === "entry" && isTorn(delivery))) life.probe();
  }
}

type EntryItem = Extract<Delivery, { type: "entry" }>;

const revisionOf = (
  delivery: EntryItem | { readonly type: "reached"; readonly revision: Revision },
) => (delivery.type === "entry" ? delivery.entry.revision : delivery.revision);

/** The rest of its transaction is not on its way: it may have expired, and nothing ends the cut (S1). */
const isTorn = ({ entry, pending }: EntryItem) => pending === 0 && entry.tx.index < entry.tx.count;
