/** Long bodies on real connections: many at once, in slices that are used again. */
import { mkdtemp, rm } from "node:fs/promises";
import { request as requestHttp1 } from "node:https";
import { connect as connectHttp2, createSecureServer, type SecureServerOptions } from "node:http2";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock as clock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { openAuthority, serverIdentity } from "../pki/authority.ts";
import { longText } from "./long-text.ts";
import { send } from "./send.ts";

const items = (of: string) =>
  Array.from({ length: 1_200 }, (_, nth) => `"${of}-${nth}"`.padEnd(900));
const bodyOf = (of: string) => longText("[", items(of), "]");

const opened = new AsyncDisposableStack();
const broken: unknown[] = [];
let place: { readonly origin: string; readonly ca: string };

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "berth-send-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const ports = { clock, random: systemRandom, log: createLog("api", "silent") };
  const authority = await openAuthority(folder, ports);
  const { certificate, privateKey } = await serverIdentity(authority, ["127.0.0.1"], ports);
  const options: SecureServerOptions = { cert: certificate, key: privateKey, allowHTTP1: true };
  const server = createSecureServer(options, (given, answer) => {
    // The compatible faces of HTTP/2, as the gateway's own server takes them.
    const [request, response] = [given, answer] as unknown as [IncomingMessage, ServerResponse];
    const body = bodyOf((request.url ?? "").slice(1));
    const wire = { request, response, clock, waitMs: 10_000, metrics: { sent: () => undefined } };
    const reply = { type: "body" as const, code: 200, contentType: "application/json", body };
    send(wire, reply, { pretty: false }).catch((error: unknown) => broken.push(error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.defer(async () => {
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  place = { origin: `https://127.0.0.1:${port}`, ca: authority.certificate };
});
afterAll(() => opened.disposeAsync());

/** Reads now and then only, so that slices of several replies are under way at once. */
async function slowly(stream: Readable, most = Number.POSITIVE_INFINITY): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer); // Of a stream without an encoding.
    bytes += (chunk as Buffer).byteLength;
    if (bytes > most) break;
    for (let turns = bytes % 5; turns > 0; turns -= 1) await nextTurn();
  }
  return Buffer.concat(chunks).toString();
}

const overHttp1 = (of: string, most?: number) =>
  new Promise<string>((resolve, reject) => {
    const options = { ca: place.ca, agent: false, ALPNProtocols: ["http/1.1"] };
    requestHttp1(`${place.origin}/${of}`, options, (reply) => {
      slowly(reply, most).then(resolve, reject);
    })
      .on("error", reject)
      .end();
  });

test.each(["HTTP/1.1", "HTTP/2"])(
  "each client of many has its own list whole, over %s, also where others go away",
  async (protocol) => {
    const session = connectHttp2(place.origin, { ca: place.ca });
    const overHttp2 = (of: string, most?: number) =>
      slowly(session.request({ ":path": `/${of}` }), most);
    const ask = protocol === "HTTP/2" ? overHttp2 : overHttp1;
    const names = Array.from({ length: 8 }, (_, nth) => `list-${nth}`);
    for (let round = 0; round < 2; round += 1) {
      const leaving = names.map((name) => ask(`gone-${name}`, 300_000).catch(() => ""));
      const lists = await Promise.all(names.map((name) => ask(name)));
      await Promise.all(leaving);
      for (const [nth, list] of lists.entries()) {
        expect(list === String(bodyOf(names[nth] ?? ""))).toBe(true);
      }
    }
    session.close();
    expect(broken).toEqual([]);
  },
);
