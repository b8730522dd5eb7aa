/** Reads of single messages: from the leader, or from whichever copy is near. */
import { headers as newHeaders, type MsgHdrs } from "@nats-io/nats-core";
import * as z from "zod";
import { api, JetStreamError } from "./jetstream-api.ts";
import { keyOfSubject, streamOf, subjectOf } from "./key-subject.ts";
import type { Link } from "./nats-link.ts";
import { entryOf } from "./nats-messages.ts";
import { type Entry, type Revision, StoreUnavailable } from "./store.ts";

const readTimeoutMs = 2_000;

/**
 * The newest entry of each key, all as of one moment of one copy, which may lag (S5).
 *
 * @param keys ≤ 1,024
 * @param recorded of another stream of the bucket, as of a revision
 * @throws {StoreUnavailable}
 */
export async function newestOf(
  link: Link,
  bucket: string,
  keys: readonly string[],
  recorded?: { readonly stream: string; readonly at: Revision },
): Promise<ReadonlyMap<string, Entry>> {
  const found = new Map<string, Entry>();
  if (keys.length === 0) return found;
  const subjects = keys.map((key) => subjectOf(bucket, key));
  const { stream = streamOf(bucket), at } = recorded ?? {};
  const body = JSON.stringify({ multi_last: subjects, ...(at !== undefined && { up_to_seq: at }) });
  for await (const message of many(link, `$JS.API.DIRECT.GET.${stream}`, body)) {
    const code = message.headers?.code ?? 0;
    if (code === 404 || code === 204) return found;
    if (code >= 400) throw new StoreUnavailable(`the read was refused (${code})`);
    const header = (name: string) => message.headers?.get(name) ?? "";
    const subject = header("Nats-Subject");
    const revision = Number(header("Nats-Sequence"));
    const storedAtMs = Date.parse(header("Nats-Time-Stamp"));
    const { headers, data } = message;
    const entry = entryOf({ subject, headers, data, revision, storedAtMs }, bucket);
    found.set(keyOfSubject(bucket, subject), entry);
  }
  throw new StoreUnavailable("the read broke off");
}

async function* many(link: Link, subject: string, body: string) {
  try {
    const options = { strategy: "sentinel", maxWait: readTimeoutMs } as const;
    yield* await link.connection.requestMany(subject, body, options);
  } catch (cause) {
    throw new StoreUnavailable("NATS did not answer", { cause });
  }
}

const stored = z.object({
  message: z.object({
    subject: z.string(),
    seq: z.number(),
    hdrs: z.string().optional(),
    data: z.string().default(""),
    time: z.string(),
  }),
});

/**
 * One message, from the stream's leader.
 *
 * @param query `{ last_by_subj }`, `{ seq, next_by_subj }`, or `{ seq }`
 * @throws {StoreUnavailable}
 */
export async function messageOf(
  link: Link,
  stream: string,
  bucket: string,
  query: Readonly<Record<string, string | number>>,
): Promise<Entry | undefined> {
  try {
    const { message } = await api(link, `STREAM.MSG.GET.${stream}`, query, stored);
    return entryOf(
      {
        subject: message.subject,
        headers: message.hdrs === undefined ? undefined : parseHeaders(message.hdrs),
        data: Buffer.from(message.data, "base64"),
        revision: message.seq,
        storedAtMs: Date.parse(message.time),
      },
      bucket,
    );
  } catch (error) {
    if (!(error instanceof JetStreamError)) throw error;
    if (error.code === 10_037) return undefined;
    throw new StoreUnavailable("JetStream cannot read", { cause: error });
  }
}

/**
 * Whether the stream holds no message after `revision`, as the server that answers knows it.
 *
 * @throws {StoreUnavailable}
 */
export async function isNothingAfter(
  link: Link,
  bucket: string,
  revision: Revision,
): Promise<boolean> {
  const query = { seq: revision + 1, next_by_subj: subjectOf(bucket, ">") };
  const subject = `$JS.API.DIRECT.GET.${streamOf(bucket)}`;
  const reply = await link.request(subject, JSON.stringify(query));
  const { code = 0, description = "" } = reply.headers ?? {};
  if (code === 0 || code === notFound) return code === notFound;
  throw new StoreUnavailable(`JetStream cannot read: ${code} ${description}`);
}

const notFound = 404;

function parseHeaders(base64: string): MsgHdrs {
  const parsed = newHeaders();
  for (const line of Buffer.from(base64, "base64").toString().split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    if (colon > 0) parsed.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return parsed;
}
