/** Documents of published manifests that cannot be applied, with their errors, until they expire. */
import {
  jetstream,
  jetstreamManager,
  type JetStreamClient,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";

export type ParkedDocument = {
  /** Where it was published, and as which message of the stream. */
  readonly subject: string;
  readonly sequence: number;
  /** Its place in that message, from 0. */
  readonly document: number;
  /** RFC 3339. */
  readonly at: string;
  readonly reference: unknown;
  readonly status: unknown;
};

export interface Parked {
  /** Keeps a document; the same one again is kept once. */
  park(document: ParkedDocument): Promise<void>;
  /** The newest that are kept, oldest first. */
  list(): Promise<readonly ParkedDocument[]>;
}

const stream = "manifests_parked";
const subject = "berth.parked";
/** The oldest go first. */
const keptMax = 1_000;
const keptNanos = 7 * 24 * 3_600 * 1_000_000_000;
const listedMax = 500;
const waitMs = 2_000;

export async function openParked(connection: NatsConnection, replicas: number): Promise<Parked> {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({
    name: stream,
    subjects: [subject],
    storage: StorageType.File,
    num_replicas: replicas,
    retention: RetentionPolicy.Limits,
    max_msgs: keptMax,
    max_age: keptNanos,
    duplicate_window: 24 * 3_600 * 1_000_000_000,
  });
  const client = jetstream(connection);
  return {
    async park(document) {
      const { sequence, document: nth } = document;
      await client.publish(subject, JSON.stringify(document), { msgID: `${sequence}.${nth}` });
    },
    list: () => listed(client, manager),
  };
}

async function listed(
  client: JetStreamClient,
  manager: JetStreamManager,
): Promise<readonly ParkedDocument[]> {
  const { state } = await manager.streams.info(stream);
  if (state.messages === 0) return [];
  const first = Math.max(state.first_seq, state.last_seq - listedMax + 1);
  const consumer = await client.consumers.get(stream, { opt_start_seq: first });
  const found: ParkedDocument[] = [];
  const messages = await consumer.fetch({ max_messages: listedMax, expires: waitMs });
  for await (const message of messages) {
    found.push(message.json<ParkedDocument>());
    if (message.seq >= state.last_seq) break;
  }
  return found;
}
