/** A webhook over real HTTPS, with an authority of its own: what it is asked, and what it answers. */
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuthority, serverIdentity } from "../services/api/pki/authority.ts";
import { systemClock } from "../libs/telemetry/clock.ts";
import { systemRandom } from "../libs/telemetry/random.ts";

export type Asked = { readonly path: string; readonly host: string; readonly body: unknown };

export type WebhookServer = AsyncDisposable & {
  readonly port: number;
  readonly url: string;
  /** PEM in base64, as a configuration's `caBundle`. */
  readonly caBundle: string;
  /** Everything that was asked, in order. */
  readonly asked: readonly Asked[];
  /** Connections that were made. */
  connections(): number;
};

/** Gives the JSON to answer, a `RawAnswer`, or `undefined`: it never answers. */
export type Answering = (asked: Asked, request: IncomingMessage) => unknown;

export class RawAnswer {
  readonly code: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: number, text: string, headers: Readonly<Record<string, string>> = {}) {
    this.code = code;
    this.text = text;
    this.headers = headers;
  }
}

/** @param hosts what its certificate is for */
export async function openWebhookServer(
  answering: Answering,
  hosts: readonly string[] = ["127.0.0.1"],
): Promise<WebhookServer> {
  const ports = { clock: systemClock, random: systemRandom };
  const folder = await mkdtemp(join(tmpdir(), "berth-webhook-"));
  const authority = await openAuthority(folder, ports);
  await rm(folder, { recursive: true, force: true });
  const identity = await serverIdentity(authority, hosts, ports);
  const asked: Asked[] = [];
  let connections = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    const one: Asked = {
      path: request.url ?? "",
      host: request.headers.host ?? "",
      body: text === "" ? undefined : JSON.parse(text),
    };
    asked.push(one);
    const given = await answering(one, request);
    if (given === undefined) return;
    if (given instanceof RawAnswer) {
      response.writeHead(given.code, given.headers).end(given.text);
      return;
    }
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(given));
  };
  const server = createServer(
    { cert: identity.certificate, key: identity.privateKey },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    },
  );
  server.on("secureConnection", () => (connections += 1));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the webhook has no port");
  return {
    port: address.port,
    url: `https://127.0.0.1:${address.port}`,
    caBundle: Buffer.from(authority.certificate).toString("base64"),
    asked,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
