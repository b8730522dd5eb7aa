/** The streams of a bucket: made when they are absent, brought up to date when they differ. */
import type { Clock } from "../telemetry/clock.ts";
import * as z from "zod";
import { api, isPassing, JetStreamError, orUnavailable, streamInfo } from "./jetstream-api.ts";
import { streamOf } from "./key-subject.ts";
import type { Link } from "./nats-link.ts";
import { StoreUnavailable } from "./store.ts";

export type StreamsOptions = {
  readonly bucket: string;
  /** Copies of each stream, when it is made. */
  readonly replicas: number;
  /** Each revision ends after it, and the key with its last; for ever without it. */
  readonly maxAgeSeconds?: number | undefined;
};

/** `history` for the cluster's state; other buckets are tests'. */
export const historyOf = (bucket: string): string =>
  bucket === "state" ? "history" : `history_${bucket}`;

const readyWithinMs = 60_000;
const mirroredWithinMs = 5_000;
const nanosPerSecond = 1_000_000_000;
const nanosPerHour = 3_600 * nanosPerSecond;

/**
 * Makes or updates the state's stream and its `history` mirror, waiting for a server that starts.
 *
 * @throws {StoreUnavailable} when JetStream is not ready within a minute
 * @throws {JetStreamError} when it refuses the configuration
 */
export async function ensureStreams(
  link: Link,
  { bucket, replicas, maxAgeSeconds }: StreamsOptions,
  clock: Clock,
): Promise<void> {
  await ensureStream(link, stateConfig(bucket, replicas, maxAgeSeconds), clock);
  const isNew = await ensureStream(link, historyConfig(bucket, replicas), clock);
  if (isNew) await mirrored(link, historyOf(bucket), clock);
}

const mirrorInfo = z.object({ mirror: z.object({ active: z.number() }) });

/** A mirror takes a moment to begin; what depth and rollups hide before that is not recorded. */
async function mirrored(link: Link, name: string, clock: Clock): Promise<void> {
  const until = clock.monotonicMs() + mirroredWithinMs;
  while (clock.monotonicMs() < until) {
    const info = await orUnavailable(api(link, `STREAM.INFO.${name}`, undefined, mirrorInfo));
    if (info.mirror.active >= 0) return;
    await clock.sleep(20);
  }
}

type StreamConfig = Readonly<Record<string, unknown>> & { readonly name: string };

/** Leases of control-plane instances: in memory, the server announces the end of each (W3). */
export async function ensureLeases(
  link: Link,
  { bucket, replicas }: StreamsOptions,
  clock: Clock,
  /** Aborts: nobody waits for the server any more. */
  signal?: AbortSignal,
): Promise<void> {
  const config = {
    name: streamOf(bucket),
    subjects: [`$KV.${bucket}.>`],
    storage: "memory",
    retention: "limits",
    discard: "old",
    num_replicas: replicas,
    max_msgs: 100_000,
    max_msgs_per_subject: 1,
    max_bytes: 64 * 1024 * 1024,
    max_msg_size: 4_096,
    max_consumers: 256,
    allow_direct: true,
    allow_rollup_hdrs: true,
    allow_msg_ttl: true,
    subject_delete_marker_ttl: nanosPerSecond,
  };
  await ensureStream(link, config, clock, signal);
}

const stateConfig = (
  bucket: string,
  replicas: number,
  maxAgeSeconds: number | undefined,
): StreamConfig => ({
  name: streamOf(bucket),
  subjects: [`$KV.${bucket}.>`],
  storage: "file",
  retention: "limits",
  discard: "new",
  num_replicas: replicas,
  max_msgs: -1,
  max_bytes: -1,
  max_age: (maxAgeSeconds ?? 0) * nanosPerSecond,
  // Who follows hears of a key whose last revision has ended.
  ...(maxAgeSeconds === undefined ? {} : { subject_delete_marker_ttl: nanosPerHour }),
  max_msgs_per_subject: 16, // Watchers miss a revision rarely, and `Berth-Prev` shows it.
  max_msg_size: 8 * 1024 * 1024,
  max_consumers: 256, // One a process, and short-lived ones; the server's own default is 1,000.
  duplicate_window: 2_000_000_000,
  allow_direct: true,
  allow_rollup_hdrs: true,
  allow_msg_ttl: true,
  allow_atomic: true,
  deny_delete: true,
  republish: { src: `$KV.${bucket}.>`, dest: `berth.${bucket}.>` },
});

/** A mirror keeps the same sequences and every revision, tombstones too (W2). */
const historyConfig = (bucket: string, replicas: number): StreamConfig => ({
  name: historyOf(bucket),
  mirror: { name: streamOf(bucket) },
  storage: "file",
  retention: "limits",
  discard: "old",
  num_replicas: replicas,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  max_bytes: 1024 * 1024 * 1024,
  max_age: 24 * nanosPerHour,
  max_consumers: 256,
  allow_direct: true,
  // The server refuses it with replicas; a mirror that lost its tail copies it again.
  ...(replicas === 1 ? { persist_mode: "async" } : {}),
});

/** @returns whether it was made */
async function ensureStream(
  link: Link,
  config: StreamConfig,
  clock: Clock,
  signal?: AbortSignal,
): Promise<boolean> {
  const until = clock.monotonicMs() + readyWithinMs;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
    try {
      return await ensureOnce(link, config);
    } catch (error) {
      const passing = error instanceof StoreUnavailable || isPassing(error) || isRace(error);
      if (!passing) throw error;
      if (clock.monotonicMs() > until || signal?.aborted === true) {
        throw new StoreUnavailable("JetStream is not ready", { cause: error });
      }
      await clock.sleep(pauseMs, signal);
    }
  }
}

/** Another process made it meanwhile. */
const isRace = (error: unknown) => error instanceof JetStreamError && error.code === 10_058;

async function ensureOnce(link: Link, config: StreamConfig): Promise<boolean> {
  const found = await existing(link, config.name);
  if (found === undefined) {
    await api(link, `STREAM.CREATE.${config.name}`, config, streamInfo);
    return true;
  }
  // Copies are changed on purpose only, by an operator; the mirror's persistence goes with them.
  const { num_replicas: _replicas, persist_mode: _mode, ...wanted } = config;
  const differs = Object.entries(wanted).some(([field, value]) => !holds(found[field], value));
  if (differs) await api(link, `STREAM.UPDATE.${config.name}`, { ...found, ...wanted }, streamInfo);
  return false;
}

async function existing(link: Link, name: string) {
  try {
    return (await api(link, `STREAM.INFO.${name}`, undefined, streamInfo)).config;
  } catch (error) {
    if (error instanceof JetStreamError && error.code === 10_059) return undefined;
    throw error;
  }
}

/** The server leaves out what is zero or empty, and adds fields of its own. */
function holds(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return (found ?? 0) === wanted;
  if (typeof found !== "object" || found === null) return false;
  const fields = new Map<string, unknown>(Object.entries(found));
  return Object.entries(wanted).every(([field, value]) => holds(fields.get(field), value));
}
