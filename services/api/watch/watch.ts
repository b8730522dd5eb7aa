/**
 * A watch: the initial events where they are asked for, what is missed since the given revision, then
 * every change, bookmarks and a time limit. All watches live off one ring (W1); only a watch from
 * before the ring reads the history (W2).
 */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { apiVersionOf } from "../../../libs/model/kind.ts";
import type { Change } from "../../../libs/store/replica.ts";
import { HistoryExpired, type Revision, StoreUnavailable } from "../../../libs/store/store.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Out } from "../http/reply.ts";
import { type Backend, objectOf } from "../resources/backend.ts";
import type { Selects } from "../resources/selectors.ts";
import { type Encoded, type Shown, shownError, shownEvent } from "../resources/show.ts";
import { readyToServe } from "../resources/versions.ts";
import { catchUp } from "./catch-up.ts";
import { eventOf, type WatchEvent } from "./watch-events.ts";

export type WatchOptions = {
  readonly prefix: string;
  readonly selects: Selects;
  /** Where to begin: with what is there now (`state`), or with what came after a revision. */
  readonly from:
    | { readonly type: "state" }
    | { readonly type: "after"; readonly revision: Revision };
  /** Ends the initial events with the bookmark that WatchList clients wait for. */
  readonly initialEventsEnd: boolean;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
};

/** Events that wait for a slow client before its watch is closed. */
const backlogMax = 10_000;
const bookmarkEveryMs = 60_000;
/** Revisions whose changes are read from the record at once, and held until they are sent. */
const catchUpMax = 2_000;
/** Text that is written at once. */
const chunkMaxChars = 64 * 1024;

/** Runs until the time is over, the client is gone, or it cannot go on: then with a 410, or it is slow. */
export async function runWatch(
  backend: Backend,
  shown: Omit<Shown, "now">,
  options: WatchOptions,
  { out, clock }: { readonly out: Out; readonly clock: Clock },
): Promise<void> {
  const timeout = new AbortController();
  using _timer = clock.after(options.timeoutMs, () => timeout.abort());
  const signal = AbortSignal.any([out.signal, timeout.signal]);
  const writer = eventWriter(out, shown, clock);
  const from = options.from.type === "after" ? options.from.revision : 0;
  const run: Run = { writer, signal, clock, told: from };
  try {
    if (options.from.type === "after") await missed(backend, options, run);
    if (!signal.aborted) await live(backend, options, run);
  } catch (error) {
    // The client goes on from what it was told, at whichever gateway can.
    if (signal.aborted || error instanceof StoreUnavailable) return;
    const refusal = expired(error, { asked: run.told, base: backend.ring.base });
    if (refusal === undefined) throw error;
    await out.write(shownError(refusal.toStatus(), shown));
  }
}

type Writer = ReturnType<typeof eventWriter>;
type Run = {
  readonly writer: Writer;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** The client was told of every change up to it. */
  told: Revision;
};

/** Sends what happened before the ring begins, some at a time: a slow client holds no consumer. */
async function missed(backend: Backend, options: WatchOptions, run: Run): Promise<void> {
  const { signal, writer } = run;
  const { prefix, selects } = options;
  while (!signal.aborted && run.told < backend.ring.base) {
    const after = run.told;
    const upTo = Math.min(after + catchUpMax, backend.ring.base);
    const events = await backend.catchUps(async () => {
      const found: WatchEvent[] = [];
      const changes = catchUp(backend.store, { after, upTo, prefix, signal });
      for await (const change of changes) {
        const event = eventOf(change, selects);
        if (event !== undefined) found.push(event);
      }
      return found;
    });
    await readyToServe(
      writer.kindOf,
      events.map(({ object }) => object),
    );
    for (const texts of chunks(events, writer)) {
      if (signal.aborted) return;
      await untilOver(writer.write(texts), signal);
    }
    run.told = upTo;
  }
}

async function live(
  backend: Backend,
  { prefix, selects, initialEventsEnd, bookmarks, from }: WatchOptions,
  run: Run,
): Promise<void> {
  const { writer, signal, clock } = run;
  /** What waits to be sent. */
  let waiting: Sent[] = [];
  /** How much it begins with, however much that is. */
  let begin = Number.POSITIVE_INFINITY;
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  const rouse = () => wake();
  const slow = new AbortController();
  const over = AbortSignal.any([signal, slow.signal]);
  const send = (...events: Sent[]) => {
    waiting.push(...events);
    if (waiting.length > begin + backlogMax) slow.abort();
    rouse();
  };
  const changed = (change: Change<unknown>) => {
    if (change.revision <= begun) return;
    const event = eventOf(change, selects);
    if (event !== undefined) send(event);
  };
  const lost = () => {
    failure = new HistoryExpired("changes were missed");
    rouse();
  };

  // From here to the end of the initial events nothing waits: it is one cut.
  const begun = from.type === "state" ? backend.view.revision : run.told;
  using _followed = backend.ring.follow(prefix, { changed, lost });
  if (from.type === "state") {
    waiting = added(backend, { prefix, selects });
    if (initialEventsEnd) waiting.push(bookmark(writer.kindOf, begun, initialEnd));
  } else {
    const changes = backend.ring.after(begun, prefix);
    if (changes === undefined) throw new HistoryExpired("too old resource version");
    for (const change of changes) changed(change);
  }
  begin = waiting.length;
  run.told = begun;

  /** What was told of all: the ring may lag behind the cut that the watch began with. */
  const bookmarked = () =>
    bookmark(writer.kindOf, Math.max(begun, backend.ring.revision), undefined);
  using _bookmarks = repeat(clock, bookmarkEveryMs, () => {
    if (bookmarks) send(bookmarked());
  });
  over.addEventListener("abort", rouse, { once: true });
  while (!over.aborted) {
    const upTo = Math.max(begun, backend.ring.revision);
    const batch = waiting;
    waiting = [];
    await readyToServe(
      writer.kindOf,
      batch.map(({ object }) => object),
    );
    for (const texts of chunks(batch, writer)) {
      await untilOver(writer.write(texts), over);
      if (over.aborted) return;
    }
    run.told = upTo;
    if (waiting.length > 0) continue;
    if (failure !== undefined) throw failure;
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (over.aborted || waiting.length > 0 || failure !== undefined) resolve();
    });
  }
  // The time is over, and the client has all so far: where it may go on from.
  if (slow.signal.aborted || !bookmarks) return;
  const rest = backend.ring.revision > run.told ? [...waiting, bookmarked()] : waiting;
  await readyToServe(
    writer.kindOf,
    rest.map(({ object }) => object),
  );
  for (const texts of chunks(rest, writer)) await untilOver(writer.write(texts), signal);
}

type Sent = {
  readonly type: WatchEvent["type"] | "BOOKMARK";
  readonly object: AnyObject;
};

/** What is there, by key. */
function added(
  { view }: Backend,
  { prefix, selects }: Pick<WatchOptions, "prefix" | "selects">,
): Sent[] {
  return [...view.raw.scan(prefix)]
    .filter(({ value }) => selects(objectOf(value)))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ value }) => ({ type: "ADDED", object: objectOf(value) }));
}

/** Resolves when `work` does, or when `signal` aborts. */
function untilOver(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      signal.removeEventListener("abort", finish);
      resolve();
    };
    signal.addEventListener("abort", finish, { once: true });
    if (signal.aborted) finish();
    work.then(finish, reject);
  });
}

function* chunks(events: readonly Sent[], writer: Writer): Iterable<readonly Encoded[]> {
  let [texts, size]: [Encoded[], number] = [[], 0];
  for (const { type, object } of events) {
    const text = writer.text(type, object);
    texts.push(text);
    size += text.length;
    if (size < chunkMaxChars) continue;
    yield texts;
    [texts, size] = [[], 0];
  }
  if (texts.length > 0) yield texts;
}

const initialEnd = { "k8s.io/initial-events-end": "true" };

function bookmark(
  kind: Shown["kind"],
  revision: Revision,
  annotations: Readonly<Record<string, string>> | undefined,
): Sent {
  const metadata = { resourceVersion: String(revision), creationTimestamp: null, annotations };
  // No object of its kind: an empty one, as clients expect of a bookmark.
  const object = {
    kind: kind.kind,
    apiVersion: apiVersionOf(kind),
    metadata,
  } as unknown as AnyObject;
  return { type: "BOOKMARK", object };
}

function eventWriter(out: Out, shown: Omit<Shown, "now">, clock: Clock) {
  let head = true;
  return {
    kindOf: shown.kind,
    text(type: WatchEvent["type"] | "BOOKMARK", object: AnyObject): Encoded {
      const text = shownEvent(type, object, { ...shown, now: clock.now() }, { head });
      if (type !== "BOOKMARK") head = false;
      return text;
    },
    write(texts: readonly Encoded[]): Promise<void> {
      out.told?.(texts.length);
      return out.write(
        shown.language === "protobuf"
          ? Buffer.concat(texts.map((text) => Buffer.from(text)))
          : texts.join(""),
      );
    },
  };
}

/** Calls `run` every `everyMs` until disposed. */
function repeat(clock: Clock, everyMs: number, run: () => void): Disposable {
  const set = (): Disposable =>
    clock.after(everyMs, () => {
      run();
      timer = set();
    });
  let timer = set();
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

function expired(
  error: unknown,
  { asked, base }: { readonly asked: Revision; readonly base: Revision },
): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (!(error instanceof HistoryExpired)) return undefined;
  const oldest = error.first === undefined ? base : error.first - 1;
  const message = `too old resource version: ${asked} (${oldest})`;
  return new ApiError("Expired", message, {}, { cause: error });
}
