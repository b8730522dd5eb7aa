import { createSocket } from "node:dgram";
import { connect } from "node:net";
import {
  type Answer,
  decode,
  type DecodedPacket,
  encode,
  type Question,
  type RecordType,
} from "dns-packet";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { anEnd, aService, aSlice } from "../fixtures.ts";
import { forwarder } from "./forward.ts";
import { frames } from "./frames.ts";
import { resolve } from "./resolve.ts";
import { serveDns } from "./server.ts";
import { zone } from "./zone.ts";

const headless = { clusterIP: "None", ports: [{ name: "peer", port: 7_000 }] };
const peers = { ports: [{ name: "peer", port: 7_000 }] };
const cluster = zone({
  domain: "cluster.local",
  serviceCIDR: "10.96.0.0/16",
  podCIDR: "10.244.0.0/16",
  dnsAddress: "10.96.0.10",
  services: [
    aService("web"),
    aService("db", headless, "prod"),
    aService("empty", headless),
    aService("big", headless),
    aService("out", {
      type: "ExternalName",
      externalName: "www.example.org",
      clusterIP: undefined,
    }),
    aService("alias", {
      type: "ExternalName",
      externalName: "web.default.svc.cluster.local",
      clusterIP: undefined,
    }),
    aService("loop", {
      type: "ExternalName",
      externalName: "loop.default.svc.cluster.local",
      clusterIP: undefined,
    }),
  ],
  slices: [
    aSlice(
      "db",
      [
        anEnd("10.244.1.2", "ready", { hostname: "db-0" }),
        anEnd("10.244.1.3", "ready", { hostname: "db-1" }),
        anEnd("10.244.1.4", "unready", { hostname: "db-2" }),
      ],
      peers,
      "prod",
    ),
    aSlice(
      "big",
      Array.from({ length: 200 }, (_, nth) => anEnd(`10.244.3.${nth + 1}`)),
      peers,
    ),
  ],
});

const log = createLog("dns", "silent");
const [server, upstream] = ["127.0.0.53", "127.0.0.54"];
const stack = new AsyncDisposableStack();
let port = 0;

beforeAll(async () => {
  const foreign = await serveUpstream(upstream);
  stack.use(foreign);
  const forward = forwarder({
    servers: async () => [{ address: upstream, port: foreign.port }],
    clock: systemClock,
    random: systemRandom,
  });
  port = await freePort(server);
  stack.use(
    await serveDns({
      address: server,
      port,
      zone: () => cluster,
      forward,
      clock: systemClock,
      log,
    }),
  );
});
afterAll(() => stack.disposeAsync());

type Case = { name: string; type?: RecordType; says: string[]; rcode?: string };
describe("cluster DNS answers", () => {
  test.each<Case>([
    { name: "web.default.svc.cluster.local", says: ["A 10.96.0.20"] },
    { name: "WEB.default.SVC.cluster.local", says: ["A 10.96.0.20"] },
    { name: "web.default.svc.cluster.local", type: "AAAA", says: [] },
    { name: "web.default.svc.cluster.local", type: "MX", says: [] },
    {
      name: "_http._tcp.web.default.svc.cluster.local",
      type: "SRV",
      says: ["SRV 80 web.default.svc.cluster.local"],
    },
    { name: "_tcp.web.default.svc.cluster.local", says: [] },
    { name: "20.0.96.10.in-addr.arpa", type: "PTR", says: ["PTR web.default.svc.cluster.local"] },
    { name: "db.prod.svc.cluster.local", says: ["A 10.244.1.2", "A 10.244.1.3"] },
    { name: "db-1.db.prod.svc.cluster.local", says: ["A 10.244.1.3"] },
    { name: "db-2.db.prod.svc.cluster.local", says: [], rcode: "NXDOMAIN" },
    {
      name: "_peer._tcp.db.prod.svc.cluster.local",
      type: "SRV",
      says: ["SRV 7000 db-0.db.prod.svc.cluster.local", "SRV 7000 db-1.db.prod.svc.cluster.local"],
    },
    { name: "2.1.244.10.in-addr.arpa", type: "PTR", says: ["PTR db-0.db.prod.svc.cluster.local"] },
    { name: "9.9.244.10.in-addr.arpa", type: "PTR", says: [], rcode: "NXDOMAIN" },
    { name: "empty.default.svc.cluster.local", says: [] },
    { name: "10-244-7-8.prod.pod.cluster.local", says: ["A 10.244.7.8"] },
    { name: "10-244-7-8.prod.pod.cluster.local", type: "AAAA", says: [] },
    { name: "192-0-2-1.prod.pod.cluster.local", says: [], rcode: "NXDOMAIN" },
    { name: "out.default.svc.cluster.local", says: ["CNAME www.example.org", "A 198.51.100.7"] },
    { name: "out.default.svc.cluster.local", type: "CNAME", says: ["CNAME www.example.org"] },
    {
      name: "alias.default.svc.cluster.local",
      says: ["CNAME web.default.svc.cluster.local", "A 10.96.0.20"],
    },
    { name: "loop.default.svc.cluster.local", says: [], rcode: "SERVFAIL" },
    { name: "nobody.default.svc.cluster.local", says: [], rcode: "NXDOMAIN" },
    { name: "nobody.cluster.local", says: [], rcode: "NXDOMAIN" },
    { name: "default.svc.cluster.local", says: [] },
    { name: "svc.cluster.local", says: [] },
    { name: "dns-version.cluster.local", type: "TXT", says: ["TXT 1.1.0"] },
    { name: "www.example.org", says: ["A 198.51.100.7"] },
    { name: "notcluster.local", says: ["A 198.51.100.7"] },
  ])("$name $type: $says $rcode", async ({ name, type = "A", says, rcode = "NOERROR" }) => {
    for (const ask of [askUdp, askTcp]) {
      const reply = await ask({ name, type });
      expect(reply).toMatchObject({ rcode, flag_qr: true, flag_ra: true });
      expect((reply.answers ?? []).map(textOf).toSorted()).toEqual(says.toSorted());
    }
  });

  test("with the SOA where it has nothing, so that clients may remember that", async () => {
    for (const name of ["nobody.default.svc.cluster.local", "empty.default.svc.cluster.local"]) {
      const { authorities = [] } = await askUdp({ name, type: "A" });
      expect(authorities).toMatchObject([
        { type: "SOA", name: "cluster.local", data: { minimum: 5 } },
      ]);
    }
  });

  test("for five seconds, in the case in which it was asked", async () => {
    const { answers = [] } = await askUdp({ name: "wEb.default.svc.cluster.local", type: "A" });
    expect(answers).toMatchObject([{ name: "wEb.default.svc.cluster.local", ttl: 5 }]);
  });

  test("over UDP as much as fits, and all of it over TCP", async () => {
    const question = { name: "big.default.svc.cluster.local", type: "A" } as const;
    const cut = await askUdp(question);
    expect(cut.flag_tc).toBe(true);
    expect(encode(cut).byteLength).toBeLessThanOrEqual(512);
    const whole = await askTcp(question);
    expect(whole.flag_tc).toBe(false);
    expect(whole.answers).toHaveLength(200);
  });

  test("several queries on one TCP connection", async () => {
    const replies = await overTcp([
      query({ name: "svc.cluster.local", type: "A" }, 1),
      query({ name: "web.default.svc.cluster.local", type: "A" }, 2),
    ]);
    expect(
      replies.map(({ id }) => id).toSorted((one, other) => Number(one) - Number(other)),
    ).toEqual([1, 2]);
  });

  test("SRV with the addresses of its targets", async () => {
    const { additionals = [] } = await askUdp({
      name: "_peer._tcp.db.prod.svc.cluster.local",
      type: "SRV",
    });
    expect(additionals.map(textOf).toSorted()).toEqual(["A 10.244.1.2", "A 10.244.1.3"]);
  });
});

describe("a query that is none", () => {
  const options = { zone: () => cluster, forward: async () => undefined };
  test("gets FORMERR when it has a header, and silence otherwise", async () => {
    const broken = Uint8Array.of(0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63, 1);
    const reply = await resolve(broken, "udp", options);
    expect(reply && decode(Buffer.from(reply))).toMatchObject({ id: 7, rcode: "FORMERR" });
    expect(await resolve(Uint8Array.of(1, 2, 3), "udp", options)).toBeUndefined();
    const response = encode({ type: "response", id: 1, questions: [{ name: "x.", type: "A" }] });
    expect(await resolve(response, "udp", options)).toBeUndefined();
  });

  test("is refused before anything is known, and when no server answers", async () => {
    const asked = query({ name: "www.example.org", type: "A" }, 3);
    for (const at of [options, { ...options, zone: () => undefined }]) {
      const reply = await resolve(asked, "udp", at);
      expect(reply && decode(Buffer.from(reply))).toMatchObject({ id: 3, rcode: "SERVFAIL" });
    }
  });
});

test("a forwarder refuses more than it can wait for", async () => {
  const held = Promise.withResolvers<readonly []>();
  const forward = forwarder({
    servers: () => held.promise,
    clock: systemClock,
    random: systemRandom,
  });
  const asked = Array.from({ length: 1_000 }, () => forward(Uint8Array.of(), "udp"));
  expect(await forward(Uint8Array.of(), "udp")).toBeUndefined();
  held.resolve([]);
  await Promise.all(asked);
});

type Asked = { readonly name: string; readonly type: RecordType };
const query = ({ name, type }: Asked, id = 42) => {
  const questions: Question[] = [{ name, type, class: "IN" }];
  return encode({ type: "query", id, flags: 1 << 8, questions });
};

function textOf(answer: Answer): string {
  if (answer.type === "SRV") return `SRV ${answer.data.port} ${answer.data.target}`;
  const data: unknown = "data" in answer ? answer.data : "";
  const texts = (Array.isArray(data) ? data : [data]).map((part) =>
    Buffer.isBuffer(part) ? part.toString() : part,
  );
  return `${answer.type} ${texts.join(" ")}`;
}

async function askUdp(question: Asked): Promise<DecodedPacket> {
  const socket = createSocket("udp4");
  const { promise, resolve: done, reject } = Promise.withResolvers<DecodedPacket>();
  socket.on("error", reject);
  socket.on("message", (reply) => done(decode(reply)));
  socket.send(query(question), port, server);
  return promise.finally(() => socket.close());
}

const askTcp = async (question: Asked) => {
  const [reply] = await overTcp([query(question)]);
  if (reply === undefined) throw new Error("no answer");
  return reply;
};

async function overTcp(queries: readonly Uint8Array[]): Promise<DecodedPacket[]> {
  const socket = connect({ host: server, port });
  const { promise, resolve: done, reject } = Promise.withResolvers<DecodedPacket[]>();
  const [replies, messages] = [[] as DecodedPacket[], frames()];
  socket.on("error", reject);
  socket.on("data", (chunk) => {
    replies.push(...messages.push(chunk).map((message) => decode(Buffer.from(message))));
    if (replies.length === queries.length) done(replies);
  });
  for (const one of queries) socket.write(messages.framed(one));
  return promise.finally(() => socket.destroy());
}

/** A name server that knows one address for all names, over UDP and TCP. */
async function serveUpstream(address: string): Promise<AsyncDisposable & { port: number }> {
  const known = {
    find: ({ name }: { name: string }) => ({
      kind: "records" as const,
      records: [{ name, type: "A" as const, data: "198.51.100.7" }],
      extra: [],
    }),
  };
  const at = await freePort(address);
  const running = await serveDns({
    address,
    port: at,
    zone: () => ({ domain: "nowhere", ...known }),
    forward: async () => undefined,
    clock: systemClock,
    log,
  });
  return { port: at, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

async function freePort(address: string): Promise<number> {
  const socket = createSocket("udp4");
  const { promise, resolve: done } = Promise.withResolvers<void>();
  socket.bind({ address, port: 0 }, done);
  await promise;
  const found = socket.address().port;
  socket.close();
  return found;
}
