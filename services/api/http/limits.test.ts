/** Every bound of the server, reached by a client that goes beyond it. */
import { connect as connectHttp2, constants } from "node:http2";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { httpsClient, type HttpsClient } from "../../../test/https-client.ts";
import { administrator } from "../auth/user.ts";
import { openAuthority, serverIdentity } from "../pki/authority.ts";
import { askedOf } from "./asked.ts";
import { readBody } from "./body.ts";
import { type Limits, limits as usual } from "./limits.ts";
import { places } from "./places.ts";
import { textReply } from "./reply.ts";
import { type Route, serve } from "./server.ts";
import { turns } from "./turns.ts";

const none: readonly Route[] = [];
const tight: Limits = {
  ...usual,
  headersMaxBytes: 8 * 1024,
  headersMax: 30,
  urlMaxChars: 2_000,
  headersWaitMs: 300,
  bodyWaitMs: 600,
  writeWaitMs: 300,
  readsMax: 1,
  writesMax: 1,
  waitingMax: 1,
  turnWaitMs: 5_000,
  streamsMax: 3,
  streamsPerClientMax: 2,
  pingEveryMs: 50,
};

/** What goes on until it is let go. */
const held = () => Promise.withResolvers<void>();
let [reading, writing] = [held(), held()];
const chunk = Buffer.alloc(1024 * 1024);
const routes: readonly Route[] = [
  { method: "GET", path: "/healthy", open: true, handle: () => textReply("ok") },
  { method: "GET", path: "/quick", handle: () => textReply("ok") },
  {
    method: "GET",
    path: "/held",
    async handle() {
      await reading.promise;
      return textReply("ok");
    },
  },
  {
    method: "POST",
    path: "/held",
    async handle() {
      await writing.promise;
      return textReply("ok");
    },
  },
  {
    method: "POST",
    path: "/body",
    handle: async ({ request }) => textReply(String((await readBody(request)).byteLength)),
  },
  {
    method: "GET",
    path: "/endless",
    handle: () => ({
      type: "stream",
      contentType: "application/octet-stream",
      async run({ write, signal }) {
        while (!signal.aborted) await write(chunk);
      },
    }),
  },
  {
    method: "GET",
    path: "/quiet",
    handle: () => ({
      type: "stream",
      contentType: "text/plain",
      run: ({ signal }) =>
        new Promise((resolve) => {
          if (signal.aborted) return resolve();
          signal.addEventListener("abort", () => resolve(), { once: true });
        }),
    }),
  },
];

const opened = new AsyncDisposableStack();
let client: HttpsClient;
let place: { readonly server: string; readonly authority: string; readonly token: string };
let port = 0;

beforeAll(async () => {
  const ports = { clock: systemClock, random: systemRandom, log: createLog("api", "silent") };
  const folder = await mkdtemp(join(tmpdir(), "berth-limits-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const authority = await openAuthority(folder, ports);
  const identity = await serverIdentity(authority, ["127.0.0.1"], ports);
  const stop = new AbortController();
  const server = await serve({
    host: "127.0.0.1",
    port: 0,
    identity,
    authenticate: async ({ headers }) =>
      headers.authorization === `Bearer ${authority.token}` ? administrator : undefined,
    clientAuthority: authority.certificate,
    routes,
    routesNow: () => none,
    limits: tight,
    signal: stop.signal,
    ...ports,
  });
  opened.use(server);
  opened.defer(() => stop.abort());
  ({ port } = server);
  const { certificate, token } = authority;
  place = { server: `https://127.0.0.1:${port}`, authority: certificate, token };
  client = httpsClient(place);
});
afterAll(() => opened.disposeAsync());

const metrics = async () => (await client.call("GET", "/metrics")).text;
/** Asks until the answer is as it should be: the test's own time limit ends it. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await systemClock.sleep(10);
}

/** A connection over which bytes are sent one by one. */
async function raw(bytes: string): Promise<TLSSocket & { said: string }> {
  const socket = connect({
    port,
    host: "127.0.0.1",
    ca: place.authority,
    ALPNProtocols: ["http/1.1"],
  });
  const heard = Object.assign(socket, { said: "" });
  socket.on("data", (data: Buffer) => {
    heard.said += data.toString();
  });
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  socket.write(bytes);
  return heard;
}
const closed = (socket: TLSSocket) =>
  socket.destroyed ? Promise.resolve() : new Promise((resolve) => socket.once("close", resolve));

describe("a request", () => {
  test.each([
    ["a URL that is too long", `/quick?${"a".repeat(2_000)}`, {}, 400, "URL is too long"],
    [
      "too many headers",
      "/quick",
      Object.fromEntries(Array.from({ length: 40 }, (_, nth) => [`x-${nth}`, "1"])),
      400,
      "too many headers",
    ],
    ["an encoded body", "/quick", { "content-encoding": "gzip" }, 415, "encoded as gzip"],
  ])("is refused for %s", async (_name, path, headers, code, said) => {
    const answer = await client.call("GET", path, { headers });
    expect(answer.code).toBe(code);
    expect(answer.text).toContain(said);
  });

  test("is refused for headers that are too large", async () => {
    const { code } = await client.call("GET", "/quick", {
      headers: { "x-large": "a".repeat(9_000) },
    });
    expect(code).toBe(431);
  });

  test("is given up when its headers do not come", async () => {
    const socket = await raw("GET /quick HTTP/1.1\r\nHost: x\r\nX-");
    await closed(socket);
    expect(socket.said).toContain("408");
  });

  test("is given up when its body does not come", async () => {
    const token = `Authorization: Bearer ${place.token}`;
    const socket = await raw(
      `POST /body HTTP/1.1\r\nHost: x\r\n${token}\r\nContent-Length: 9\r\n\r\nabc`,
    );
    await closed(socket);
    expect(socket.said).not.toContain("200 OK");
  });

  test("waits for its turn, and is refused when too many wait", async () => {
    const get = () => client.call("GET", "/held");
    const inFlight = 'inflight_requests{request_kind="mutating"} 1';
    const first = client.call("POST", "/held");
    await until(async () => (await metrics()).includes(inFlight));
    const second = client.call("POST", "/held");
    let refused = await client.call("POST", "/held");
    while (refused.code !== 429) refused = await client.call("POST", "/held");
    expect(refused.headers["retry-after"]).toBe("1");
    expect(refused.body).toMatchObject({ kind: "Status", reason: "TooManyRequests" });
    writing.resolve();
    expect((await Promise.all([first, second])).map(({ code }) => code)).toEqual([200, 200]);
    reading.resolve();
    expect((await get()).code).toBe(200);
    expect(await metrics()).toContain('apiserver_dropped_requests_total{request_kind="write"}');
  });

  test("for health is let in however full it is", async () => {
    [reading, writing] = [held(), held()];
    const full = client.call("GET", "/held");
    expect((await client.call("GET", "/healthy")).text).toBe("ok");
    reading.resolve();
    await full;
  });
});

describe("a stream", () => {
  test("is ended when its client takes nothing", async () => {
    const head = `GET /endless HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${place.token}\r\n\r\n`;
    const socket = await raw(head);
    socket.pause();
    await until(async () => (await metrics()).includes("apiserver_longrunning_requests 1"));
    await until(async () => (await metrics()).includes("apiserver_longrunning_requests 0"));
    socket.resume();
    await closed(socket);
    expect(socket.destroyed).toBe(true);
  });

  test("is one of as many as a client may have", async () => {
    const head = `GET /quiet HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${place.token}\r\n\r\n`;
    const own = [await raw(head), await raw(head)];
    await until(async () => (await metrics()).includes("apiserver_longrunning_requests 2"));
    expect((await client.call("GET", "/quiet")).code).toBe(429);
    for (const socket of own) socket.destroy();
    await until(async () => (await metrics()).includes("apiserver_longrunning_requests 0"));
  });
});

describe("HTTP/2", () => {
  test("serves beside HTTP/1.1, pings, bounds streams, and ends a body that is broken off", async () => {
    const session = connectHttp2(place.server, { ca: place.authority });
    session.on("error", () => undefined);
    const pinged = new Promise((resolve) => session.once("ping", resolve));
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    expect(session.remoteSettings.maxConcurrentStreams).toBe(250);
    const headers = { authorization: `Bearer ${place.token}` };
    const answered = session.request({ ":path": "/quick", ...headers });
    const text = await new Response(answered).text();
    expect(text).toBe("ok");
    await pinged;
    const broken = session.request({ ":method": "POST", ":path": "/body", ...headers });
    broken.on("error", () => undefined);
    broken.write("abc");
    const slow = new Promise((resolve) => broken.once("close", resolve));
    await slow; // As with HTTP/1.1 it is given up.
    expect(broken.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
    session.close();
  });
});

describe("turns", () => {
  test("are taken in the order of waiting, and given up in time", async () => {
    const clock = virtualClock();
    const all = turns({ runningMax: 1, waitingMax: 2, waitMs: 100 }, clock);
    const first = await all.take();
    const [second, third] = [all.take(), all.take()];
    expect(await all.take()).toBeUndefined();
    first?.[Symbol.dispose]();
    const taken = await second;
    expect([all.running(), all.waiting()]).toEqual([1, 1]);
    await clock.advance(100);
    expect(await third).toBeUndefined();
    taken?.[Symbol.dispose]();
    taken?.[Symbol.dispose]();
    expect([all.running(), all.waiting()]).toEqual([0, 0]);
  });
});

test("places are given back once", () => {
  const all = places({ max: 2, perClientMax: 1 });
  const first = all.take("a");
  expect(all.take("a")).toBeUndefined();
  expect(all.take("b")).toBeDefined();
  expect(all.take("c")).toBeUndefined();
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  expect(all.taken()).toBe(1);
  expect(all.take("a")).toBeDefined();
});

test.each([
  ["GET", "/api/v1/pods", false, "LIST", "", "pods", ""],
  ["GET", "/api/v1/namespaces/a/pods", true, "WATCH", "", "pods", ""],
  ["GET", "/api/v1/namespaces/a", false, "GET", "", "namespaces", ""],
  ["PUT", "/api/v1/namespaces/a/finalize", false, "PUT", "", "namespaces", "finalize"],
  [
    "PATCH",
    "/apis/apps/v1/namespaces/a/deployments/b/scale",
    false,
    "PATCH",
    "apps",
    "deployments",
    "scale",
  ],
  [
    "DELETE",
    "/apis/apps/v1/namespaces/a/deployments",
    false,
    "DELETECOLLECTION",
    "apps",
    "deployments",
    "",
  ],
  ["GET", "/version", false, "GET", "", "", ""],
  ["BREW", "/", false, "OTHER", "", "", ""],
])("%s %s is counted as what it asks for", (method, path, watch, verb, group, resource, sub) => {
  expect(askedOf(method, path, watch)).toMatchObject({ verb, group, resource, subresource: sub });
});
