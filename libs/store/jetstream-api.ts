/** Requests to JetStream's API, as JSON. The typed client hides what the store depends on. */
import * as z from "zod";
import type { Link } from "./nats-link.ts";
import { StoreUnavailable } from "./store.ts";

/** The API refused. `code` is JetStream's `err_code`, such as 10059 for a stream that is not there. */
export class JetStreamError extends Error {
  override readonly name = "JetStreamError";
  readonly code: number;

  constructor(code: number, description: string) {
    super(description);
    this.code = code;
  }
}

export const apiError = z.object({
  code: z.number().optional(),
  err_code: z.number().default(0),
  description: z.string().default(""),
});
const failure = z.object({ error: apiError });

const notReady = new Set([
  10_005, // no suitable peers: a cluster that forms
  10_008, // temporarily unavailable
  10_009, // not the leader
  10_023, // insufficient resources
  10_039, // not enabled for the account: also while the server starts
  10_076, // not enabled: the same
  10_118, // stream offline
  10_119, // consumer offline
]);

/** Whether to ask again: the server starts, or its cluster elects. */
export const isPassing = (error: unknown): boolean =>
  error instanceof JetStreamError && notReady.has(error.code);

/**
 * @throws {JetStreamError} when the server refuses
 * @throws {StoreUnavailable} when it does not answer
 */
export async function api<T>(
  link: Link,
  subject: string,
  body: unknown,
  answer: z.ZodType<T>,
): Promise<T> {
  const reply = await link.request(
    `$JS.API.${subject}`,
    body === undefined ? "" : JSON.stringify(body),
  );
  const parsed: unknown = JSON.parse(reply.string());
  const refused = typeof parsed === "object" && parsed !== null && "error" in parsed;
  const failed = refused ? failure.safeParse(parsed) : undefined;
  if (failed?.success === true) {
    throw new JetStreamError(failed.data.error.err_code, failed.data.error.description);
  }
  return answer.parse(parsed);
}

/** An answer in which every refusal is an unavailability. @throws {StoreUnavailable} */
export async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof JetStreamError)) throw error;
    throw new StoreUnavailable("JetStream refused", { cause: error });
  }
}

export const streamInfo = z.object({
  created: z.string(),
  config: z.record(z.string(), z.unknown()),
  state: z.object({ first_seq: z.number(), last_seq: z.number() }),
});
/** What is asked for most often, so without what is not needed. */
export const streamState = z.object({ state: z.object({ last_seq: z.number() }) });
export const consumerInfo = z.object({ name: z.string() });
