/**
 * The durable door: what is published to `berth.manifests.>` is kept until it was applied, also while
 * no gateway runs. Gateways share one consumer; results appear on `berth.results.>`. The publisher, the
 * first word of the subject's rest, manages what it states; headers say how (`apply-options.ts`).
 */
import {
  AckPolicy,
  type Consumer,
  jetstream,
  jetstreamManager,
  type JsMsg,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { Match, type NatsConnection } from "@nats-io/nats-core";
import { ApiError } from "../../../libs/model/errors.ts";
import { manifestSubjects, resultSubject } from "../../../libs/protocol/subjects.ts";
import { timeOf } from "../../../libs/model/time.ts";
import type { Gateway } from "../resources/gateway.ts";
import { applyAsIn, type HeaderOf, publisherIn } from "./apply-options.ts";
import { applyManifest, type Outcome } from "./manifest.ts";
import type { Parked } from "./parked.ts";
import { resultsOf } from "./results.ts";

const stream = "manifests";
const durable = "api";
const ackWaitNanos = 60_000_000_000;
/** Messages that one gateway has in hand. */
const inHandMax = 16;
const retryMs = 1_000;
const second = 1_000_000_000;

/** A message that takes long says so often enough not to be given to another gateway. */
const workingEveryMs = 10_000;

export type Manifests = {
  readonly consumer: Consumer;
  /** When the stream was made: the numbers of another one's messages begin anew. */
  readonly made: string;
};

/** Makes the stream and its consumer where they are absent. */
export async function openManifests(
  connection: NatsConnection,
  /** Copies of the stream, where it is made. */
  replicas: number,
): Promise<Manifests> {
  const manager = await jetstreamManager(connection);
  const { created: made } = await manager.streams.add({
    name: stream,
    subjects: [manifestSubjects],
    storage: StorageType.File,
    num_replicas: replicas,
    retention: RetentionPolicy.Workqueue,
    max_bytes: 1024 * 1024 * 1024,
    max_age: 7 * 24 * 3_600 * second,
  });
  await manager.consumers.add(stream, {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    ack_wait: ackWaitNanos,
    max_ack_pending: 1_000,
  });
  return { consumer: await jetstream(connection).consumers.get(stream, durable), made };
}

/**
 * Applies manifests as they come, one message after the other, until `signal` aborts. In an outage
 * of the state a message is left for later; whatever else is wrong with a document is parked.
 */
export async function applyManifests(
  gateway: Gateway,
  manifests: Manifests,
  { parked, signal }: { readonly parked: Parked; readonly signal: AbortSignal },
): Promise<void> {
  const { ports, log } = gateway;
  while (!signal.aborted) {
    try {
      await consume(gateway, manifests, { parked, signal });
    } catch (error) {
      log.warn({ err: error }, "the manifests cannot be read now");
    }
    await ports.clock.sleep(retryMs, signal);
  }
}

async function consume(
  gateway: Gateway,
  { consumer, made }: Manifests,
  { parked, signal }: { readonly parked: Parked; readonly signal: AbortSignal },
): Promise<void> {
  const messages = await consumer.consume({ max_messages: inHandMax });
  const stop = () => messages.stop();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const message of messages) {
      try {
        await applyMessage(gateway, message, { parked, made });
      } catch (error) {
        gateway.log.warn({ err: error, sequence: message.seq }, "a manifest is left for later");
        message.nak(retryMs);
      }
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function applyMessage(
  gateway: Gateway,
  message: JsMsg,
  { parked, made }: { readonly parked: Parked; readonly made: string },
): Promise<void> {
  const outcome = await outcomeOf(gateway, message, made);
  for (const [document, result] of outcome.results.entries()) {
    if (result.ok) continue;
    await parked.park({
      subject: message.subject,
      sequence: message.seq,
      document,
      at: timeOf(gateway.ports.clock.now()),
      reference: result.document,
      status: result.status,
    });
  }
  announce(gateway, message, outcome);
  message.ack();
}

async function outcomeOf(gateway: Gateway, message: JsMsg, made: string): Promise<Outcome> {
  const { clock } = gateway.ports;
  let saidMs = clock.monotonicMs();
  const progress = () => {
    if (clock.monotonicMs() - saidMs < workingEveryMs) return;
    saidMs = clock.monotonicMs();
    message.working();
  };
  try {
    const header = headerOf(message);
    const as = applyAsIn(header, publisherIn(header, message.subject));
    const claimant = { by: "message", stream: made, sequence: message.seq } as const;
    return await applyManifest(gateway, message.data, as, { claimant, progress });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const results = resultsOf(gateway.log);
    results.refused(error, undefined);
    return { ok: false, results: results.all };
  }
}

const headerOf =
  ({ headers }: JsMsg): HeaderOf =>
  (name) =>
    headers?.has(name, Match.IgnoreCase) === true ? headers.get(name, Match.IgnoreCase) : undefined;

function announce({ bus }: Gateway, message: JsMsg, outcome: Outcome): void {
  const { subject, seq: sequence } = message;
  const rest = subject.split(".").slice(2).join(".");
  const text = JSON.stringify({ ...outcome, subject, sequence });
  bus.publish(resultSubject(rest), new TextEncoder().encode(text));
}
