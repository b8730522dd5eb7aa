/** A watch as a client reads it: line by line, until it ends or is left. */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { createInterface } from "node:readline";
import type { HttpsPlace } from "./https-client.ts";

export type WatchObject = {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
} & Readonly<Record<string, unknown>>;
export type ClientEvent = {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: WatchObject;
};

export type ClientWatch = AsyncDisposable & {
  readonly code: number;
  /** The next event; undefined when the watch has ended. */
  next(): Promise<ClientEvent | undefined>;
  /** So many events, or all until it ends. */
  take(count: number): Promise<readonly ClientEvent[]>;
  /** Stops reading until `resume`: a slow client. */
  pause(): void;
  resume(): void;
};

/** Resolves when the server has answered. */
export async function openWatch(
  { server, authority, token }: HttpsPlace,
  path: string,
  { accept = "application/json" }: { readonly accept?: string } = {},
): Promise<ClientWatch> {
  const headers = { authorization: `Bearer ${token}`, accept };
  const asked = request(new URL(path, server), { ca: authority, headers, agent: false });
  asked.end();
  const [reply] = (await once(asked, "response")) as [IncomingMessage]; // As `response` says.
  asked.on("error", () => reply.destroy()); // The server has gone: its end says so.
  reply.on("error", () => undefined);
  const reader = createInterface({ input: reply });
  reply.on("close", () => reader.close());
  const lines = reader[Symbol.asyncIterator]();
  async function next(): Promise<ClientEvent | undefined> {
    const line = await lines.next();
    if (line.done === true || line.value === "") return undefined;
    try {
      return JSON.parse(line.value) as ClientEvent; // What the tests say that it is.
    } catch (error) {
      if (reply.complete) throw error;
      return undefined; // It broke off within a line.
    }
  }
  return {
    code: reply.statusCode ?? 0,
    next,
    async take(count) {
      const events: ClientEvent[] = [];
      while (events.length < count) {
        const event = await next();
        if (event === undefined) return events;
        events.push(event);
      }
      return events;
    },
    pause: () => void reply.pause(),
    resume: () => void reply.resume(),
    async [Symbol.asyncDispose]() {
      asked.destroy();
      reply.destroy();
    },
  };
}
