import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { type Bus, NoResponders, RequestTimeout } from "../../libs/bus/bus.ts";
import { apiSubject } from "../../libs/protocol/subjects.ts";
import { root } from "../tools/paths.ts";

const retryMs = 100;

const status = z.object({ code: z.int(), message: z.string() });
const applied = z.object({
  ok: z.boolean(),
  /** Of the request as a whole, or of each document. */
  status: status.optional(),
  results: z.array(z.object({ status: status.optional() })).default([]),
});
const service = z.object({
  ok: z.literal(true),
  object: z.object({ spec: z.object({ ports: z.array(z.object({ nodePort: z.int() })).min(1) }) }),
});

/**
 * Applies `examples/hello` and waits until it answers on its node port.
 *
 * @returns its URL
 * @throws {Error} when it does not answer before `signal` aborts
 */
export async function runDemo(bus: Bus, signal: AbortSignal): Promise<string> {
  const manifest = readFileSync(join(root, "examples/hello/hello.yaml"), "utf8");
  await until(signal, async () => {
    const reply = applied.parse(await ask(bus, "apply", manifest));
    if (!reply.ok) throw refusalOf(reply);
  });
  const question = JSON.stringify({ kind: "Service", namespace: "default", name: "hello" });
  const found = service.parse(await ask(bus, "get", question));
  const url = `http://127.0.0.1:${found.object.spec.ports[0]?.nodePort}/`;
  await until(signal, async () => {
    const reply = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    if (!reply.ok) throw new Error(`${url} answers ${reply.status}`);
    await reply.arrayBuffer();
  });
  return url;
}

/** What the gateway refused, told by its messages. */
class Refused extends Error {
  override readonly name = "Refused";
  /** It may be taken later: the namespaces come to be a moment after the first gateway. */
  readonly passing: boolean;

  constructor(statuses: readonly z.output<typeof status>[]) {
    super(`the demo was refused: ${statuses.map(({ message }) => message).join("; ")}`);
    this.passing = statuses.every(({ code }) => [404, 409, 429].includes(code) || code >= 500);
  }
}

export function refusalOf({ status, results }: z.output<typeof applied>): Refused {
  return new Refused([status, ...results.map((one) => one.status)].flatMap((one) => one ?? []));
}

async function ask(bus: Bus, verb: "apply" | "get", body: string): Promise<unknown> {
  const reply = await bus.request(apiSubject(verb), new TextEncoder().encode(body));
  return JSON.parse(new TextDecoder().decode(reply));
}

/** Tries until it succeeds; when `signal` aborts, the last failure is the reason. */
async function until(signal: AbortSignal, attempt: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      await sleep(retryMs, undefined, { signal }).catch(() => {
        throw new Error("it does not answer in time", { cause: error });
      });
    }
  }
}

/** What a cluster that is still starting answers. */
const isPassing = (error: unknown): boolean =>
  error instanceof NoResponders ||
  (error instanceof Refused && error.passing) ||
  error instanceof RequestTimeout ||
  error instanceof TypeError || // fetch: nobody listens yet
  (error instanceof Error &&
    (error.name === "TimeoutError" || error.message.includes(" answers ")));
