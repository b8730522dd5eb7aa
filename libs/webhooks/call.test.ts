import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { openWebhookServer, RawAnswer } from "../../test/webhook-server.ts";
import { type CallOptions, callWebhook } from "./call.ts";

const nowhere = () => {
  throw new Error("nothing is resolved here");
};
const options: CallOptions = { timeoutMs: 10_000, resolve: nowhere };
const message = async (call: Promise<unknown>): Promise<string> => {
  const error: unknown = await call.catch((reason: unknown) => reason);
  return error instanceof Error ? `${error.name}: ${error.message}` : "it answered";
};

describe("a call", () => {
  test("posts the body, tells the time that is left, and keeps its connection", async () => {
    await using server = await openWebhookServer(({ body }) => ({ said: body }));
    const config = { url: `${server.url}/mutate?x=1`, caBundle: server.caBundle };
    expect(await callWebhook(config, { a: 1 }, options)).toEqual({ said: { a: 1 } });
    await callWebhook(config, { a: 2 }, options);
    expect(server.asked[0]).toMatchObject({ path: "/mutate?x=1&timeout=10s" });
    expect(server.connections()).toBe(1);
  });

  test("reaches a Service where it is now, under its name", async () => {
    await using server = await openWebhookServer(() => ({ ok: true }), ["hook.prod.svc"]);
    const dead = await closedPort();
    const service = { namespace: "prod", name: "hook", path: "/check" };
    const resolve: CallOptions["resolve"] = ({ port }) => {
      expect(port).toBe(443);
      return [
        { host: "127.0.0.1", port: dead }, // It went a moment ago.
        { host: "127.0.0.1", port: server.port },
      ];
    };
    const config = { service, caBundle: server.caBundle };
    expect(await callWebhook(config, {}, { timeoutMs: 1_500, resolve })).toEqual({ ok: true });
    expect(server.asked).toEqual([
      { path: "/check?timeout=2s", host: "hook.prod.svc:443", body: {} },
    ]);
  });

  test("asks again on a new connection when the kept one was closed", async () => {
    let drop = false;
    await using server = await openWebhookServer((_asked, { socket }) => {
      if (drop) {
        drop = false;
        socket.destroy();
        return undefined;
      }
      return { ok: true };
    });
    const config = { url: server.url, caBundle: server.caBundle };
    await callWebhook(config, {}, options);
    drop = true;
    expect(await callWebhook(config, {}, options)).toEqual({ ok: true });
    expect(server.connections()).toBe(2);
  });

  test("says why a Service cannot be reached", async () => {
    const service = { namespace: "prod", name: "hook" };
    const resolve = () => {
      throw new Error('service "hook" not found');
    };
    expect(await message(callWebhook({ service }, {}, { timeoutMs: 10_000, resolve }))).toBe(
      'WebhookCallFailed: Post "https://hook.prod.svc:443/?timeout=10s": service "hook" not found',
    );
  });

  test("has its end", async () => {
    await using server = await openWebhookServer(() => undefined);
    const config = { url: server.url, caBundle: server.caBundle };
    expect(await message(callWebhook(config, {}, { ...options, timeoutMs: 50 }))).toBe(
      `WebhookCallFailed: Post "${server.url}/?timeout=1s": context deadline exceeded`,
    );
    const stop = new AbortController();
    const call = callWebhook(config, {}, { ...options, signal: stop.signal });
    stop.abort();
    expect(await message(call)).toMatch(/: context canceled$/);
  });

  test("trusts nobody but the configuration's authority", async () => {
    await using server = await openWebhookServer(() => ({}));
    await using other = await openWebhookServer(() => ({}));
    await using elsewhere = await openWebhookServer(() => ({}), ["elsewhere.example"]);
    const stranger = { url: server.url, caBundle: other.caBundle };
    expect(await message(callWebhook(stranger, {}, options))).toMatch(
      /: tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
    );
    const misnamed = { url: elsewhere.url, caBundle: elsewhere.caBundle };
    expect(await message(callWebhook(misnamed, {}, options))).toMatch(
      /: tls: failed to verify certificate: x509: /,
    );
    expect(server.asked).toEqual([]);
  });

  test("speaks https only", async () => {
    const plain = createServer((_request, response) => response.end("{}"));
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    const { port } = plain.address() as AddressInfo; // It listens on TCP.
    expect(await message(callWebhook({ url: `http://127.0.0.1:${port}` }, {}, options))).toMatch(
      /only https is allowed$/,
    );
    expect(await message(callWebhook({ url: `https://127.0.0.1:${port}` }, {}, options))).toMatch(
      /: http: server gave HTTP response to HTTPS client$/,
    );
    plain.close();
  });

  test("tells a refused connection", async () => {
    const port = await closedPort();
    expect(await message(callWebhook({ url: `https://127.0.0.1:${port}/x` }, {}, options))).toBe(
      `WebhookCallFailed: Post "https://127.0.0.1:${port}/x?timeout=10s": dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
  });

  test.each([
    { name: "no such path", code: 404, says: "the server could not find the requested resource" },
    {
      name: "a bug",
      code: 500,
      text: "it crashed\n",
      says: 'an error on the server ("it crashed") has prevented the request from succeeding',
    },
    {
      name: "a redirect, which is not followed",
      code: 307,
      headers: { Location: "https://127.0.0.1/" },
      says: "the server responded with the status code 307 but did not return more information",
    },
    {
      name: "no JSON",
      code: 200,
      text: "<html>",
      says: "couldn't get version/kind; json parse error",
    },
    {
      name: "too much",
      code: 200,
      text: JSON.stringify("x".repeat(2_000)),
      says: "the response is larger than 1000 bytes",
    },
  ])("refuses an answer that is $name", async ({ code, text = "", headers = {}, says }) => {
    await using server = await openWebhookServer(() => new RawAnswer(code, text, headers));
    const config = { url: server.url, caBundle: server.caBundle };
    const call = callWebhook(config, {}, { ...options, replyMaxBytes: 1_000 });
    expect(await message(call)).toContain(says);
    expect(server.asked).toHaveLength(1);
  });
});

/** A port that nobody listens on: it was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // As above.
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return port;
}
