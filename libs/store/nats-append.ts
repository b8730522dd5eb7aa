import type { NatsConnection } from "@nats-io/nats-core";
import * as z from "zod";
import { apiError, isPassing, JetStreamError } from "./jetstream-api.ts";
import { subjectOf } from "./key-subject.ts";
import type { Link } from "./nats-link.ts";
import { headersOf } from "./nats-messages.ts";
import { StoreUnavailable } from "./store.ts";
import type { Answer, Draft } from "./stream.ts";

const ack = z.union([
  z.object({ error: apiError }),
  z.object({ seq: z.number(), count: z.number().optional() }),
]);

/** Wrong last sequence, of a subject and of one that another batch is writing. */
const refusals = new Set([10_071, 10_164]);
/** Message too large, batch too large, unsupported header, an invalid TTL. */
const permanent = new Set([10_054, 10_199, 10_177, 10_165]);

export type AppendOptions = { readonly bucket: string; readonly tombstoneSeconds: number };

/** One draft as a conditional put, several as an atomic batch. */
export async function append(
  link: Link,
  drafts: readonly Draft[],
  batchId: string,
  { bucket, tombstoneSeconds }: AppendOptions,
): Promise<Answer> {
  const last = drafts.at(-1);
  if (last === undefined) throw new RangeError("nothing to append");
  const batchOf = (sequence: number) =>
    drafts.length === 1 ? undefined : { id: batchId, sequence, commit: sequence === drafts.length };
  try {
    for (const [at, draft] of drafts.slice(0, -1).entries()) {
      const headers = headersOf(draft, bucket, tombstoneSeconds, batchOf(at + 1));
      publish(link.connection, subjectOf(bucket, draft.key), draft.value, headers);
    }
    const headers = headersOf(last, bucket, tombstoneSeconds, batchOf(drafts.length));
    const reply = await link.request(subjectOf(bucket, last.key), last.value, { headers });
    return answerOf(ack.parse(reply.json()));
  } catch (error) {
    if (error instanceof StoreUnavailable) return { type: "silent" };
    throw error;
  }
}

function publish(
  connection: NatsConnection,
  subject: string,
  value: Uint8Array,
  headers: ReturnType<typeof headersOf>,
): void {
  try {
    connection.publish(subject, value, { headers });
  } catch (cause) {
    throw new StoreUnavailable("NATS takes no messages", { cause });
  }
}

function answerOf(reply: z.infer<typeof ack>): Answer {
  if (!("error" in reply)) return { type: "stored", revision: reply.seq };
  const { err_code: code, description } = reply.error;
  if (refusals.has(code)) return { type: "refused" };
  if (isPassing(new JetStreamError(code, description))) return { type: "silent" };
  return { type: "rejected", reason: `${description} (${code})`, permanent: permanent.has(code) };
}
