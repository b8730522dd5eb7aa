/**
 * One life of an ordered push consumer of ours: a heartbeat of one second, flow control, no
 * acknowledgements. It ends when anything is missed; whoever uses it begins the next.
 */
import { createInbox, type Msg } from "@nats-io/nats-core";
import type * as z from "zod";
import type { Clock } from "../telemetry/clock.ts";
import { api, consumerInfo, orUnavailable, streamInfo } from "./jetstream-api.ts";
import type { Link } from "./nats-link.ts";
import { entryOf } from "./nats-messages.ts";
import { messageOf } from "./nats-read.ts";
import { filterOf } from "./key-subject.ts";
import type { Delivery, Life, LifeOptions } from "./life.ts";
import { type Revision, StoreUnavailable } from "./store.ts";

export type ConsumerOptions = LifeOptions & {
  readonly bucket: string;
  readonly stream: string;
  readonly clock: Clock;
};

const heartbeatMs = 1_000;
/** Silence that ends a life. */
const silenceMs = 2_000;
const nanosPerMs = 1_000_000;
const askAgainMs = 100;

type Raw =
  | { readonly type: "raw"; readonly message: Msg }
  /** The stream had come so far when this much had been taken. */
  | { readonly type: "last"; readonly last: Revision; readonly asked: Place }
  /** And all of it has come. */
  | { readonly type: "all"; readonly last: Revision; readonly asked: Place };

/** How far deliveries have been taken. */
type Place = { readonly sequence: number; readonly revision: Revision };

/**
 * @throws {StoreUnavailable | JetStreamError} when it could not be made
 */
export async function beginLife(link: Link, options: ConsumerOptions): Promise<Life> {
  const { bucket, stream, from, prefix, clock, signal } = options;
  const filter = filterOf(bucket, prefix);
  const inbox = createInbox();
  const queue: Raw[] = []; // Bounded by the server's flow control, answered as we take.
  let wake: (() => void) | undefined;
  let over = false;
  let taken: Place = { sequence: 0, revision: from === "newest" ? 0 : from - 1 };
  let silence = clock.after(silenceMs * 2, end);
  function end(): void {
    over = true;
    wake?.();
  }
  function push(item: Raw): void {
    queue.push(item);
    wake?.();
  }
  const subscription = link.connection.subscribe(inbox, {
    callback(error, message) {
      if (error !== null) return end();
      silence[Symbol.dispose]();
      silence = clock.after(silenceMs, end);
      push({ type: "raw", message });
    },
  });
  const reconnect = link.onReconnect(end);
  signal.addEventListener("abort", end, { once: true });
  const name = inbox.replaceAll(/[^\w]/g, "_");

  async function close(): Promise<void> {
    end();
    silence[Symbol.dispose]();
    reconnect[Symbol.dispose]();
    signal.removeEventListener("abort", end);
    subscription.unsubscribe();
    // Best effort: without interest the server deletes it by itself.
    if (!link.connection.isClosed()) {
      link.connection.publish(`$JS.API.CONSUMER.DELETE.${stream}.${name}`);
    }
  }

  const config = {
    name,
    deliver_subject: inbox,
    ...(from === "newest"
      ? { deliver_policy: "last_per_subject" }
      : { deliver_policy: "by_start_sequence", opt_start_seq: from }),
    filter_subject: filter,
    ack_policy: "none",
    max_deliver: 1,
    replay_policy: "instant",
    flow_control: true,
    idle_heartbeat: heartbeatMs * nanosPerMs,
    inactive_threshold: 5_000 * nanosPerMs,
    mem_storage: true,
    num_replicas: 1,
  };

  /**
   * Not by what is pending: a consumer counts a message a moment after it is stored. All up to the last
   * has come when nothing is stored after what was taken: what purged anything on its way here would be.
   */
  async function ask(): Promise<void> {
    const asked = taken;
    const { state } = await api(link, `STREAM.INFO.${stream}`, undefined, streamInfo);
    const last = state.last_seq;
    // Of a leader that is none any more.
    if (last < asked.revision) throw new StoreUnavailable("the stream lags behind what it sent");
    push({ type: "last", last, asked });
    if (last > asked.revision) {
      const next = { seq: asked.revision + 1, next_by_subj: filter };
      if ((await messageOf(link, stream, bucket, next)) !== undefined) return; // It will come.
    }
    push({ type: "all", last, asked });
  }

  let [asks, isToAsk] = [false, false];
  async function probe(): Promise<void> {
    isToAsk = true;
    if (asks) return;
    asks = true;
    while (isToAsk && !over) {
      isToAsk = false;
      try {
        await ask();
      } catch {
        isToAsk = true; // As long as this life: no heartbeat says it while messages come.
        await clock.sleep(askAgainMs, signal);
      }
    }
    asks = false;
  }

  let info: z.infer<typeof streamInfo>;
  try {
    const request = { stream_name: stream, config, action: "create" };
    await api(link, `CONSUMER.CREATE.${stream}.${name}.${filter}`, request, consumerInfo);
    info = await api(link, `STREAM.INFO.${stream}`, undefined, streamInfo);
  } catch (error) {
    await close();
    throw error;
  }

  async function* deliveries(): AsyncGenerator<Delivery> {
    for (;;) {
      if (over) return;
      const item = queue.shift();
      if (item === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        wake = undefined;
        continue;
      }
      if (item.type === "last") {
        yield { type: "stored", revision: item.last, after: item.asked.revision };
        continue;
      }
      if (item.type === "all") {
        const isNow = item.asked.sequence === taken.sequence;
        if (isNow) yield { type: "reached", revision: item.last };
        continue;
      }
      const { message } = item;
      if (message.headers?.code === 100) {
        const beat = heartbeatOf(message);
        if (beat.answer !== undefined) link.connection.publish(beat.answer);
        if (beat.consumerSequence === undefined) continue;
        if (beat.consumerSequence > taken.sequence) return; // A message was lost on its way.
        if (beat.stalled) continue;
        if (beat.consumerSequence === taken.sequence)
          yield { type: "reached", revision: beat.last };
        continue;
      }
      const place = placeOf(message.reply ?? "");
      if (place.consumerSequence !== taken.sequence + 1) return;
      taken = { sequence: place.consumerSequence, revision: place.revision };
      yield {
        type: "entry",
        pending: place.pending,
        entry: entryOf(
          {
            subject: message.subject,
            headers: message.headers,
            data: message.data,
            revision: place.revision,
            storedAtMs: place.storedAtMs,
          },
          bucket,
        ),
      };
    }
  }

  return {
    stream: { created: info.created, first: info.state.first_seq, last: info.state.last_seq },
    probe: () => void probe(),
    async last() {
      const now = await orUnavailable(api(link, `STREAM.INFO.${stream}`, undefined, streamInfo));
      return now.state.last_seq;
    },
    [Symbol.asyncIterator]: deliveries,
    [Symbol.asyncDispose]: close,
  };
}

function heartbeatOf(message: Msg) {
  const header = (name: string) => message.headers?.get(name) ?? "";
  const stalled = header("Nats-Consumer-Stalled");
  const answer = message.reply !== undefined && message.reply !== "" ? message.reply : stalled;
  const consumerSequence = header("Nats-Last-Consumer");
  return {
    /** Where flow control wants its answer. */
    answer: answer === "" ? undefined : answer,
    /** Flow control holds messages back. */
    stalled: stalled !== "",
    consumerSequence: consumerSequence === "" ? undefined : Number(consumerSequence),
    last: Number(header("Nats-Last-Stream")),
  };
}

/** A delivery's reply subject: `$JS.ACK[.<domain>.<account>].<stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<nanoseconds>.<pending>`. */
function placeOf(reply: string) {
  const tokens = reply.split(".");
  const at = tokens.length >= 11 ? 4 : 2;
  const number = (offset: number) => Number(tokens[at + offset] ?? Number.NaN);
  return {
    revision: number(3),
    consumerSequence: number(4),
    storedAtMs: Math.floor(number(5) / nanosPerMs),
    pending: number(6),
  };
}
