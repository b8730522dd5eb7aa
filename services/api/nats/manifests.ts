/**
 * The durable door: what is published to `berth.manifests.>` is kept until it was applied, also while
 * no gateway runs. Gateways share one consumer; results appear on `berth.results.>`.
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
import type { NatsConnection } from "@nats-io/nats-core";
import { manifestSubjects, resultSubject } from "../../../libs/protocol/subjects.ts";
import { timeOf } from "../../../libs/model/time.ts";
import type { Gateway } from "../resources/gateway.ts";
import { documentsOf } from "./apply.ts";
import type { Parked } from "./parked.ts";
import { applyAll, type Result } from "./results.ts";

const stream = "manifests";
const durable = "api";
const ackWaitNanos = 60_000_000_000;
/** Messages that one gateway has in hand. */
const inHandMax = 16;
const retryMs = 1_000;
const second = 1_000_000_000;

/** Makes the stream and its consumer where they are absent. */
export async function openManifests(
  connection: NatsConnection,
  /** Copies of the stream, where it is made. */
  replicas: number,
): Promise<Consumer> {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({
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
  return jetstream(connection).consumers.get(stream, durable);
}

/**
 * Applies manifests as they come, one message after the other, until `signal` aborts. In an outage
 * of the state a message is left for later; whatever else is wrong with a document is parked.
 */
export async function applyManifests(
  gateway: Gateway,
  consumer: Consumer,
  { parked, signal }: { readonly parked: Parked; readonly signal: AbortSignal },
): Promise<void> {
  const { ports, log } = gateway;
  while (!signal.aborted) {
    try {
      await consume(gateway, consumer, { parked, signal });
    } catch (error) {
      log.warn({ err: error }, "the manifests cannot be read now");
    }
    await ports.clock.sleep(retryMs, signal);
  }
}

async function consume(
  gateway: Gateway,
  consumer: Consumer,
  { parked, signal }: { readonly parked: Parked; readonly signal: AbortSignal },
): Promise<void> {
  const messages = await consumer.consume({ max_messages: inHandMax });
  const stop = () => messages.stop();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const message of messages) {
      try {
        await applyMessage(gateway, message, parked);
      } catch (error) {
        gateway.log.warn({ err: error, sequence: message.seq }, "a manifest is left for later");
        message.nak(retryMs);
      }
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function applyMessage(gateway: Gateway, message: JsMsg, parked: Parked): Promise<void> {
  const results = await applyAll(gateway, documentsOf(message.data));
  for (const [document, result] of results.entries()) {
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
  announce(gateway, message, results);
  message.ack();
}

function announce({ bus }: Gateway, message: JsMsg, results: readonly Result[]): void {
  const rest = message.subject.split(".").slice(2).join(".");
  const ok = results.every((result) => result.ok);
  const text = JSON.stringify({ ok, subject: message.subject, sequence: message.seq, results });
  bus.publish(resultSubject(rest), new TextEncoder().encode(text));
}
