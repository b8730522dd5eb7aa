/** Answers which actors keep failing, and lets one be tried again (design §4). */
import * as z from "zod";
import type { Actors, Failing } from "../../libs/actor/runtime.ts";
import { type Bus, NoResponders, RequestTimeout } from "../../libs/bus/bus.ts";
import { failingSubject, token } from "../../libs/protocol/subjects.ts";
import type { Log } from "../../libs/telemetry/log.ts";

const question = z.object({
  /** An address to try again now, such as `deployments/default/web`. */
  retry: z.string().optional(),
});

export type FailingOptions = {
  readonly bus: Bus;
  readonly actors: Pick<Actors, "failing" | "retry">;
  readonly instance: string;
  /** The living instances, this one among them. */
  readonly instances: () => readonly string[];
  readonly log: Log;
};

/** How long one instance waits for what another says. */
const askMs = 1_000;
const subjectOf = (instance: string) => `${failingSubject}.${token(instance)}`;

/**
 * Whichever instance is asked on `berth.controllers.failing` asks all. The request is `{}` or
 * `{"retry": "<address>"}`; the answer lists what fails, each with its instance and its last error.
 */
export async function serveFailing(options: FailingOptions): Promise<AsyncDisposable> {
  const { bus, actors, instance, instances, log } = options;
  const stack = new AsyncDisposableStack();

  const own = async ({ data }: { readonly data: Uint8Array }) => {
    const { retry } = parse(data);
    if (retry !== undefined) actors.retry(retry);
    return encode(actors.failing().map((one) => ({ ...one, instance })));
  };
  async function ask(other: string, data: Uint8Array): Promise<readonly (Failing & Named)[]> {
    try {
      const answer = await bus.request(subjectOf(other), data, { timeoutMs: askMs });
      return JSON.parse(new TextDecoder().decode(answer)) as readonly (Failing & Named)[]; // `own` made it.
    } catch (error) {
      if (!(error instanceof NoResponders) && !(error instanceof RequestTimeout)) throw error;
      log.warn({ other }, "an instance did not say what fails there");
      return [];
    }
  }
  stack.use(await bus.serve(subjectOf(instance), own));
  stack.use(
    await bus.serve(
      failingSubject,
      async ({ data }) => {
        const all = await Promise.all(instances().map((other) => ask(other, data)));
        return encode(all.flat());
      },
      { queue: "controllers" },
    ),
  );
  return stack;
}

type Named = { readonly instance: string };

const parse = (data: Uint8Array) =>
  question.parse(data.byteLength === 0 ? {} : JSON.parse(new TextDecoder().decode(data)));
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
