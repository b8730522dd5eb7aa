/**
 * The store in this process, for tests and simulation: the same logic as on JetStream, on a bucket
 * that behaves as JetStream does, with faults where they are asked for.
 *
 * Several stores on one `bucket` are several processes of one cluster.
 */
import { type Clock, systemClock } from "../telemetry/clock.ts";
import { createLog } from "../telemetry/log.ts";
import { systemRandom } from "../telemetry/random.ts";
import type { Delivery, Life, LifeOptions } from "./life.ts";
import { type MemoryBucket, memoryBucket } from "./memory-bucket.ts";
import { type MemoryFaults, noFaults } from "./memory-faults.ts";
import { type Entry, type Revision, type Store, StoreUnavailable } from "./store.ts";
import { storeOnStream, type StorePorts } from "./store-on-stream.ts";
import type { Answer, Draft, Stream } from "./stream.ts";

export type MemoryStoreOptions = Partial<StorePorts> & {
  readonly bucket?: MemoryBucket;
  readonly faults?: MemoryFaults;
};

export function memoryStore({
  clock = systemClock,
  random = systemRandom,
  log = createLog("memory-store", "silent"),
  bucket = memoryBucket({ clock }),
  faults = noFaults,
}: MemoryStoreOptions = {}): Store {
  return storeOnStream(memoryStream(bucket, faults, clock), { clock, random, log });
}

function memoryStream(bucket: MemoryBucket, faults: MemoryFaults, clock: Clock): Stream {
  const readable = () => bucket.last() - faults.lag();
  const reached = () => {
    if (faults.isDown()) throw new StoreUnavailable("the bucket cannot be reached");
  };
  return {
    tombstoneMs: bucket.tombstoneMs,
    append: async (drafts) => appended(drafts, bucket, faults, clock),
    async newest(keys) {
      reached();
      const at = readable();
      const entries = keys.map((key) => bucket.newest(key, at));
      return new Map(
        entries.filter((entry) => entry !== undefined).map((entry) => [entry.key, entry]),
      );
    },
    async last(key) {
      reached();
      return bucket.newest(key);
    },
    async next(key, after) {
      reached();
      const entry = bucket.recordedAfter(after, key);
      return entry !== undefined && entry.revision <= readable() ? entry : undefined;
    },
    async recorded(keys, at) {
      reached();
      const upTo = Math.min(at, readable());
      const entries = keys.map((key) => bucket.recordedUpTo(upTo, key));
      return new Map(
        entries.filter((entry) => entry !== undefined).map((entry) => [entry.key, entry]),
      );
    },
    async at(revision) {
      reached();
      const entry = bucket.recordedAfter(revision - 1);
      return entry?.revision === revision ? entry : bucket.at(revision);
    },
    async nextOfAll(after) {
      reached();
      return bucket.recordedAfter(after);
    },
    async lastRevision() {
      reached();
      return bucket.last();
    },
    async isLast(revision) {
      reached();
      return bucket.last() <= revision;
    },
    async begin(source, options) {
      reached();
      return source === "state"
        ? feedLife(bucket, faults, clock, options)
        : recordLife(bucket, options);
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function appended(
  drafts: readonly Draft[],
  bucket: MemoryBucket,
  faults: MemoryFaults,
  clock: Clock,
): Promise<Answer> {
  const fault = faults.isDown() ? "lose" : faults.append();
  switch (fault) {
    case "pass":
      return bucket.append(drafts);
    case "refuse":
      return { type: "refused" };
    case "lose":
      return { type: "silent" };
    case "mute":
      bucket.append(drafts);
      return { type: "silent" };
    case "late":
      clock.after(faults.delayMs(), () => void bucket.append(drafts));
      return { type: "silent" };
    case "slow": {
      const answer = bucket.append(drafts);
      await clock.sleep(faults.delayMs());
      return answer;
    }
    default:
      return fault satisfies never;
  }
}

/** A consumer: first the newest of each key as of its beginning, then what is stored as it goes. */
function feedLife(
  bucket: MemoryBucket,
  faults: MemoryFaults,
  clock: Clock,
  { from, signal }: LifeOptions,
): Life {
  const newest = from === "newest" ? [...bucket.newestOfAll()] : [];
  const resume = from === "newest" ? bucket.last() : from - 1;
  const question = { isAsked: false };

  async function* deliveries(): AsyncGenerator<Delivery> {
    for (const [at, revision] of newest.entries()) {
      if (await isCut(faults, clock, signal)) return;
      const entry = bucket.at(revision); // Gone, if a later write has replaced it.
      const pending = newest.length - at - 1 + bucket.pending(resume);
      if (entry !== undefined) yield { type: "entry", entry, pending };
    }
    const isOver = () => isCut(faults, clock, signal);
    yield* following(bucket, { after: resume, question, signal }, isOver);
  }
  const probe = () => (question.isAsked = true);
  return lifeOf(bucket, { first: 1, deliveries, probe });
}

function recordLife(bucket: MemoryBucket, { from, signal }: LifeOptions): Life {
  const first = bucket.firstRecorded();
  async function* deliveries(): AsyncGenerator<Delivery> {
    let at = Math.max(from === "newest" ? 0 : from - 1, first - 1);
    while (!signal.aborted) {
      const entry = bucket.recordedAfter(at);
      if (entry === undefined) {
        yield { type: "reached", revision: bucket.last() };
        await appendedTo(bucket, signal);
        continue;
      }
      at = entry.revision;
      yield { type: "entry", entry, pending: bucket.pending(at) };
    }
  }
  // It says by itself when nothing is pending.
  return lifeOf(bucket, { first, deliveries, probe: () => undefined });
}

async function* following(
  bucket: MemoryBucket,
  {
    after,
    question,
    signal,
  }: {
    readonly after: Revision;
    readonly question: { isAsked: boolean };
    readonly signal: AbortSignal;
  },
  isCut: () => Promise<boolean>,
): AsyncGenerator<Delivery> {
  let at = after;
  while (!signal.aborted) {
    if (question.isAsked) {
      question.isAsked = false;
      yield { type: "stored", revision: bucket.last(), after: at };
    }
    const entry: Entry | undefined = bucket.after(at);
    if (entry === undefined) {
      at = bucket.last();
      yield { type: "reached", revision: at };
      if (bucket.last() === at) await appendedTo(bucket, signal);
      continue;
    }
    if (await isCut()) return;
    at = entry.revision;
    yield { type: "entry", entry, pending: bucket.pending(at) };
  }
}

async function isCut(faults: MemoryFaults, clock: Clock, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted && !faults.isDown()) {
    const fault = faults.deliver();
    if (fault !== "pause") return fault === "cut";
    await clock.sleep(faults.delayMs(), signal);
  }
  return true;
}

/** Resolves after the next append, or when `signal` aborts. */
function appendedTo(bucket: MemoryBucket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = () => {
      listening[Symbol.dispose]();
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const listening = bucket.onAppend(finish);
    signal.addEventListener("abort", finish, { once: true });
  });
}

function lifeOf(
  bucket: MemoryBucket,
  {
    first,
    deliveries,
    probe,
  }: {
    readonly first: Revision;
    readonly deliveries: () => AsyncGenerator<Delivery>;
    readonly probe: () => void;
  },
): Life {
  return {
    stream: { created: "memory", first, last: bucket.last() },
    probe,
    last: async () => bucket.last(),
    [Symbol.asyncIterator]: deliveries,
    async [Symbol.asyncDispose]() {},
  };
}
