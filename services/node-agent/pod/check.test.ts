import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { seededRandom } from "../../../libs/telemetry/seeded-random.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { hollowRuntime } from "../runtime/hollow.ts";
import { check } from "./check.ts";
import { aWork } from "./fixtures.ts";
import type { Container, Handler } from "./spec.ts";

/** A server of this process, as a pod's port `http`. */
async function serving(code: number): Promise<{ container: Container; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    asked.push(`${method} ${url} ${String(headers["x-from"])}`);
    response.writeHead(code).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  return { container: withPort(port), asked };
}

function withPort(containerPort: number): Container {
  const ports = [{ name: "http", containerPort }];
  const [container] = aWork({ containers: [{ name: "main", ports }] }).spec.containers;
  return container ?? expect.unreachable();
}

function run(handler: Handler, container: Container, clock = systemClock) {
  const runtime = hollowRuntime({ clock, random: seededRandom(1) });
  const target = { handler, container, id: "c1", address: "127.0.0.1", timeoutMs: 2_000 };
  return check(target, { runtime, clock });
}

test("a check over HTTP asks the named port of the pod, and takes 2xx and 3xx", async () => {
  const { container, asked } = await serving(302);
  const httpHeaders = [{ name: "x-from", value: "probe" }];
  const httpGet = { path: "/bye", port: "http", httpHeaders };
  expect(await run({ httpGet }, container)).toEqual({ ok: true, message: "" });
  expect(asked).toEqual(["GET /bye probe"]);
});

test("a check over HTTP says what it was answered", async () => {
  const { container } = await serving(503);
  expect(await run({ httpGet: { port: "http" } }, container)).toEqual({
    ok: false,
    message: "HTTP probe failed with statuscode: 503",
  });
});

test("a check over TCP connects, or says why not", async () => {
  const { container } = await serving(200);
  expect(await run({ tcpSocket: { port: "http" } }, container)).toMatchObject({ ok: true });
  expect(await run({ tcpSocket: { port: 1 } }, container)).toMatchObject({ ok: false });
});

test("a check of a port is answered by a runtime that has none", async () => {
  const runtime = hollowRuntime({
    clock: systemClock,
    random: seededRandom(1),
    answersForPorts: true,
  });
  const about = { container: withPort(1), id: "c1", address: "127.0.0.1", timeoutMs: 2_000 };
  for (const handler of [{ tcpSocket: { port: 1 } }, { httpGet: { port: "http" } }]) {
    expect(await check({ handler, ...about }, { runtime, clock: systemClock })).toMatchObject({
      ok: true,
    });
  }
});

test("a hook that sleeps ends after its time, or when that is over", async () => {
  const clock = virtualClock();
  const slept = run({ sleep: { seconds: 1 } }, withPort(80), clock);
  await clock.advance(1_000);
  expect(await slept).toMatchObject({ ok: true });
  const over = run({ sleep: { seconds: 60 } }, withPort(80), clock);
  await clock.advance(60_000);
  expect((await over).ok).toBe(false);
});
