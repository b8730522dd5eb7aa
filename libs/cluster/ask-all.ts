/** A question to all living instances of a service at once, through whichever of them hears it. */
import { type Bus, NoResponders, RequestTimeout } from "../bus/bus.ts";
import { token } from "../protocol/subjects.ts";
import type { Log } from "../telemetry/log.ts";

export type AskAllPorts = {
  readonly bus: Bus;
  readonly instance: string;
  /** The living instances, this one among them. */
  readonly instances: () => readonly string[];
  readonly log: Log;
};

/** What one instance says, as JSON; each entry is given the instance's name. */
type Own = (request: Uint8Array) => Promise<readonly object[]>;

/** How long one instance waits for what another says. */
const askMs = 1_000;

/**
 * Serves `subject`: the answer is a JSON list of what `own` says on every instance. An instance that
 * is silent for a second is left out.
 */
export async function serveAskAll(
  { bus, instance, instances, log }: AskAllPorts,
  subject: string,
  own: Own,
): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const subjectOf = (other: string) => `${subject}.${token(other)}`;

  async function ask(other: string, data: Uint8Array): Promise<readonly unknown[]> {
    try {
      const answer = await bus.request(subjectOf(other), data, { timeoutMs: askMs });
      return JSON.parse(new TextDecoder().decode(answer)) as readonly unknown[]; // `own` made it.
    } catch (error) {
      if (!(error instanceof NoResponders) && !(error instanceof RequestTimeout)) throw error;
      log.warn({ other, subject }, "an instance did not answer");
      return [];
    }
  }
  stack.use(
    await bus.serve(subjectOf(instance), async ({ data }) =>
      encode((await own(data)).map((one) => ({ ...one, instance }))),
    ),
  );
  stack.use(
    await bus.serve(
      subject,
      async ({ data }) => {
        const all = await Promise.all(instances().map((other) => ask(other, data)));
        return encode(all.flat());
      },
      { queue: "instances" },
    ),
  );
  return stack;
}

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
