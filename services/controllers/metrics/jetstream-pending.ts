/**
 * The external metric `nats.jetstream.consumer.pending`: messages that a JetStream consumer has yet to
 * deliver, or has delivered and not seen acknowledged. Asked of the cluster's own NATS, and only for
 * as long as an autoscaler asks.
 */
import * as z from "zod";
import type { Bus } from "../../../libs/bus/bus.ts";
import type { LabelSelector } from "../../../libs/model/label-selector.ts";
import { bell } from "../../../libs/telemetry/bell.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { MetricValues, Reading } from "../measurements.ts";

/** Its name is not for others to tell. */
export const pendingMetric = "nats.jetstream.consumer.pending";

/** Each consumer is asked about so often, unless there are too many. */
const pollMs = 500;
/** So many requests a round: 50 a second. */
const requestsMax = 25;
const requestMs = 2_000;
/** Consumers at once; more are refused. */
const consumersMax = 500;
/** What nobody asked for any more in this time is forgotten. */
const forgetMs = 30_000;

const info = z.object({ num_pending: z.int().min(0), num_ack_pending: z.int().min(0) });
const refusal = z.object({ error: z.object({ description: z.string() }) });

type Consumer = {
  readonly stream: string;
  readonly consumer: string;
  /** When each actor last asked, monotonic. */
  readonly askers: Map<string, number>;
  pending: { readonly value: number; readonly atMs: number } | undefined;
  why: string | undefined;
  polledAtMs: number;
  polling: boolean;
};

export type PendingOptions = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  /** A value that the actor asks for has changed. */
  readonly changed: (asker: string) => void;
  readonly signal: AbortSignal;
};

/** Asks until disposed. */
export function jetStreamPending(
  options: PendingOptions,
): Pick<MetricValues, "external"> & AsyncDisposable {
  const { bus, clock, log, changed } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, options.signal]);
  const consumers = new Map<string, Consumer>();
  const begins = bell(clock);

  async function poll(one: Consumer): Promise<void> {
    const before = one.pending?.value;
    const wasRefused = one.why;
    try {
      const subject = `$JS.API.CONSUMER.INFO.${one.stream}.${one.consumer}`;
      const answer = await bus.request(subject, new Uint8Array(), { timeoutMs: requestMs, signal });
      const read: unknown = JSON.parse(new TextDecoder().decode(answer));
      const refused = refusal.safeParse(read);
      one.why = refused.success ? refused.data.error.description : undefined;
      const counts = refused.success ? undefined : info.parse(read);
      one.pending = counts && {
        value: counts.num_pending + counts.num_ack_pending,
        atMs: clock.monotonicMs(),
      };
    } catch (error) {
      // What it was grows old, and is unknown in the end (N1).
      log.debug({ err: error, stream: one.stream }, "a consumer's state was not told");
      return;
    } finally {
      one.polling = false;
    }
    if (one.pending?.value === before && one.why === wasRefused) return;
    for (const asker of one.askers.keys()) changed(asker);
  }

  async function polling(): Promise<void> {
    while (!signal.aborted) {
      const now = clock.monotonicMs();
      for (const [key, { askers }] of consumers) {
        for (const [asker, atMs] of askers) if (now - atMs > forgetMs) askers.delete(asker);
        if (askers.size === 0) consumers.delete(key);
      }
      const due = [...consumers.values()]
        .filter((one) => !one.polling && now - one.polledAtMs >= pollMs)
        .toSorted((a, b) => a.polledAtMs - b.polledAtMs)
        .slice(0, requestsMax);
      for (const one of due) {
        one.polledAtMs = now;
        one.polling = true;
        poll(one).catch((error: unknown) => log.error({ err: error }, "a consumer was not asked"));
      }
      await begins.wait(consumers.size === 0 ? undefined : pollMs, signal);
    }
  }
  const running = polling();

  return {
    external({ namespace, name, selector }, asker) {
      const unable = (why: string): Reading => ({
        known: false,
        why: `unable to get external metric ${namespace}/${name}: ${why}`,
      });
      const named = namedBy(selector);
      if (named === undefined)
        return unable("its selector must name the labels stream and consumer");
      const key = `${named.stream}.${named.consumer}`;
      const one = consumers.get(key) ?? begun(named);
      if (!consumers.has(key)) {
        if (consumers.size >= consumersMax)
          return unable(`more than ${consumersMax} are asked for`);
        consumers.set(key, one);
        begins.ring();
      }
      const now = clock.monotonicMs();
      one.askers.set(asker, now);
      if (one.why !== undefined) return unable(one.why);
      if (one.pending === undefined) return { known: false, why: undefined };
      const { value, atMs } = one.pending;
      return { known: true, milli: value * 1_000, ageMs: now - atMs };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

const begun = (named: { readonly stream: string; readonly consumer: string }): Consumer => ({
  ...named,
  askers: new Map(),
  pending: undefined,
  why: undefined,
  polledAtMs: -Infinity,
  polling: false,
});

/** A stream's or a consumer's name, which is one token of a subject. */
const token = /^[^\s.*>/\\]{1,255}$/;

/** The consumer that a selector selects; undefined for one that selects otherwise than by name. */
function namedBy(
  selector: LabelSelector | undefined,
): { readonly stream: string; readonly consumer: string } | undefined {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  const { stream = "", consumer = "", ...others } = matchLabels;
  const isName = token.test(stream) && token.test(consumer);
  const isMore = Object.keys(others).length > 0 || matchExpressions.length > 0;
  return isName && !isMore ? { stream, consumer } : undefined;
}
