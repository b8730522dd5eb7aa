/**
 * A watch: the initial events where they are asked for, what is missed since the given revision, then
 * every change, bookmarks and a time limit. All watches live off one ring (W1); only a watch from
 * before the ring reads the history (W2).
 */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { apiVersionOf } from "../../../libs/model/kind.ts";
import type { Change } from "../../../libs/store/replica.ts";
import { HistoryExpired, type Revision } from "../../../libs/store/store.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Out } from "../http/reply.ts";
import { type Backend, objectOf } from "../resources/backend.ts";
import type { Selects } from "../resources/selectors.ts";
import { type Encoded, type Shown, shownError, shownEvent } from "../resources/show.ts";
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
const bookmarkEveryMs = 30_000;
/** Rounds in which the history may be chased before the ring must have been reached. */
const catchUpRounds = 10;
/** Text that is written at once. */
const chunkMaxChars = 64 * 1024;

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
  try {
    if (options.from.type === "after") {
      const reached = await missed(backend, options, { writer, signal });
      await live(backend, options, { writer, signal, clock, after: reached });
    } else {
      await live(backend, options, { writer, signal, clock, after: undefined });
    }
  } catch (error) {
    if (signal.aborted) return;
    const refusal = expired(error);
    if (refusal === undefined) throw error;
    await out.write(shownError(refusal.toStatus(), shown));
  }
}

type Writer = ReturnType<typeof eventWriter>;
type Run = { readonly writer: Writer; readonly signal: AbortSignal };

/** Sends what happened before the ring begins; returns the revision from which the ring serves. */
async function missed(
  backend: Backend,
  options: WatchOptions,
  { writer, signal }: Run,
): Promise<Revision> {
  if (options.from.type !== "after") return 0;
  let reached = options.from.revision;
  for (let round = 0; round < catchUpRounds; round += 1) {
    const upTo = backend.ring.base;
    if (reached >= upTo) return reached;
    const changes = catchUp(backend.store, {
      after: reached,
      upTo,
      prefix: options.prefix,
      signal,
    });
    for await (const change of changes) {
      const event = eventOf(change, options.selects);
      if (event !== undefined) await writer.write([writer.text(event.type, event.object)]);
    }
    reached = upTo;
  }
  throw new HistoryExpired("the watch cannot catch up");
}

async function live(
  backend: Backend,
  { prefix, selects, initialEventsEnd, bookmarks, from }: WatchOptions,
  {
    writer,
    signal,
    clock,
    after,
  }: Run & { readonly clock: Clock; readonly after: Revision | undefined },
): Promise<void> {
  /** What waits to be sent: events, or the revision of a bookmark. */
  let waiting: (WatchEvent | { readonly type: "BOOKMARK"; readonly object: AnyObject })[] = [];
  let failure: Error | undefined;
  let wake: () => void = () => undefined;
  const rouse = () => wake();
  const over = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => over.resolve(), { once: true });
  const fail = (error: Error) => {
    failure = error;
    if (error instanceof SlowWatcher) over.resolve();
    rouse();
  };
  const changed = (change: Change<unknown>) => {
    const event = eventOf(change, selects);
    if (event === undefined) return;
    waiting.push(event);
    if (waiting.length > backlogMax) fail(new SlowWatcher("the client does not keep up"));
    rouse();
  };
  const lost = () => fail(new HistoryExpired("changes may have been missed"));

  // From here to the end of the initial events nothing waits: it is one cut.
  using _followed = backend.ring.follow(prefix, { changed, lost });
  if (from.type === "state") {
    for (const { value } of backend.view.raw.scan(prefix)) {
      const object = objectOf(value);
      if (selects(object)) waiting.push({ type: "ADDED", object });
    }
    if (initialEventsEnd) waiting.push(bookmark(writer.kindOf, backend.view.revision, initialEnd));
  } else {
    const changes = backend.ring.after(after ?? 0, prefix);
    if (changes === undefined) throw new HistoryExpired("too old resource version");
    for (const change of changes) changed(change);
  }

  using _bookmarks = repeat(clock, bookmarkEveryMs, () => {
    if (!bookmarks) return;
    waiting.push(bookmark(writer.kindOf, backend.view.revision, {}));
    rouse();
  });
  signal.addEventListener("abort", rouse, { once: true });
  while (!signal.aborted) {
    const batch = waiting;
    waiting = [];
    for (const texts of chunks(batch, writer)) {
      await Promise.race([writer.write(texts), over.promise]);
      if (signal.aborted || failure instanceof SlowWatcher) return;
    }
    if (failure !== undefined && waiting.length === 0) throw failure;
    if (waiting.length > 0) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (signal.aborted || waiting.length > 0 || failure !== undefined) resolve();
    });
  }
}

class SlowWatcher extends Error {
  override readonly name = "SlowWatcher";
}

function* chunks(
  events: readonly { readonly type: WatchEvent["type"] | "BOOKMARK"; readonly object: AnyObject }[],
  writer: Writer,
): Iterable<readonly Encoded[]> {
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
  annotations: Readonly<Record<string, string>>,
): { readonly type: "BOOKMARK"; readonly object: AnyObject } {
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

function expired(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (!(error instanceof HistoryExpired)) return undefined;
  return new ApiError("Expired", "too old resource version", {}, { cause: error });
}
