/**
 * A real gateway under requests that nobody should send: it must answer each with what is wrong with
 * it, never with a fault of its own, go on, and hold no more memory than its limits allow.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { Agent, request as requestHttps } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { parse } from "yaml";
import type { Random } from "../../libs/telemetry/random.ts";
import { startNats } from "../nats-server.ts";
import { anyRequest, choiceOf, type FuzzRequest } from "./requests.ts";

export type FuzzReport = {
  readonly requests: number;
  /** By status code; `none` for those that the client or the server gave up. */
  readonly codes: Readonly<Record<string, number>>;
  /** Requests that were answered with a 5xx, at most twenty. */
  readonly faults: readonly string[];
  readonly peakMegabytes: number;
  readonly seconds: number;
  readonly slowestMs: number;
};

export type FuzzOptions = { readonly requests: number; readonly atOnce: number };

type Place = { readonly server: string; readonly authority: string; readonly token: string };
/** A code, and what was said of a fault. */
type Outcome = { readonly code: number; readonly text: string };

/** How long a client waits for an answer before it is a fault. */
const answerWaitMs = 30_000;

export async function fuzz(random: Random, { requests, atOnce }: FuzzOptions): Promise<FuzzReport> {
  await using gateway = await realGateway();
  const { place, child } = gateway;
  const choice = choiceOf(random);
  using first = senderTo(place);
  await first.send(creation(place.token));
  // By one generator in one order: what is sent follows from the seed alone.
  let begun = 0;
  const drawn = () => {
    begun += 1;
    return begun > requests ? undefined : anyRequest(choice, place.token);
  };
  const codes = new Map<string, number>();
  const faults: string[] = [];
  let slowestMs = 0;
  const beganMs = performance.now();
  const worker = async () => {
    using sender = senderTo(place);
    for (let next = drawn(); next !== undefined; next = drawn()) {
      if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
      const askedMs = performance.now();
      const outcome = await sender.send(next);
      slowestMs = Math.max(slowestMs, performance.now() - askedMs);
      const code = outcome === undefined ? "none" : String(outcome.code);
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (outcome !== undefined && isFault(outcome) && faults.length < 20) {
        faults.push(
          `${outcome.code} ${next.method} ${next.path}: ${outcome.text.slice(0, 300)} ${told(next)}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const last = await first.send({ ...plain, method: "GET", path: "/readyz", body: undefined });
  if (last?.code !== 200) faults.push(`the gateway does not serve any more: ${String(last?.code)}`);
  return {
    requests,
    codes: Object.fromEntries([...codes].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    faults,
    peakMegabytes: peakMegabytesOf(child),
    seconds: Math.round((performance.now() - beganMs) / 100) / 10,
    slowestMs: Math.round(slowestMs),
  };
}

/** A revision that is yet to come is a Timeout in Kubernetes, too: code 504. */
const isFault = ({ code, text }: Outcome): boolean =>
  code >= 500 && !(code === 504 && text.includes("ResourceVersionTooLarge"));

const plain = { headers: {}, manner: "whole", protocol: "http/1.1" } as const;
/** Without a namespace most of what is sent would not get far. */
const creation = (token: string): FuzzRequest => ({
  ...plain,
  method: "POST",
  path: "/api/v1/namespaces",
  headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  body: Buffer.from('{"metadata":{"name":"default"}}'),
});

const told = ({ headers, body }: FuzzRequest) =>
  `${headers["content-type"] ?? ""} ${body?.subarray(0, 400).toString("latin1") ?? ""}`;

/** What Linux says that the process held at most. */
function peakMegabytesOf({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024);
}

type Sender = Disposable & {
  /** @returns undefined when there is no answer, because the client or the server gave up */
  send(request: FuzzRequest): Promise<Outcome | undefined>;
};

function senderTo(place: Place): Sender {
  const agent = new Agent({ keepAlive: true, ca: place.authority, maxSockets: 1 });
  let session: ClientHttp2Session | undefined;
  return {
    async send(request) {
      if (request.protocol === "bytes") return sendBytes(place, request);
      if (request.protocol === "http/1.1") return sendHttp1(place, agent, request);
      if (session === undefined || session.closed || session.destroyed) {
        session = connectHttp2(place.server, { ca: place.authority });
        session.on("error", () => undefined);
      }
      return sendHttp2(session, request);
    },
    [Symbol.dispose]() {
      agent.destroy();
      session?.destroy();
    },
  };
}

function sendHttp1(
  { server }: Place,
  agent: Agent,
  { method, path, headers, body, manner }: FuzzRequest,
): Promise<Outcome | undefined> {
  return new Promise((resolve) => {
    const url = new URL(server);
    const asked = requestHttps({
      host: url.hostname,
      port: url.port,
      agent,
      method,
      path: encoded(path),
      headers: {
        ...headers,
        ...(body !== undefined && { "content-length": body.byteLength }),
      },
    });
    const timer = setTimeout(() => end({ code: 599, text: "no answer in time" }), answerWaitMs);
    const end = (outcome: Outcome | undefined) => {
      clearTimeout(timer);
      if (outcome === undefined || outcome.code === 599) asked.destroy();
      resolve(outcome);
    };
    asked.on("error", () => end(undefined));
    asked.on("response", (reply) => {
      const { statusCode: code = 0 } = reply;
      let text = "";
      reply.on("data", (chunk: Buffer) => {
        if (text.length < 2_000) text += chunk.toString();
      });
      reply.on("end", () => end({ code, text }));
      reply.on("error", () => end({ code, text }));
      if (manner === "abandon") setTimeout(() => end(undefined), 20);
    });
    if (manner === "abandon") setTimeout(() => end(undefined), 60);
    deliver(asked, body, manner);
  });
}

function sendHttp2(
  session: ClientHttp2Session,
  { method, path, headers, body, manner }: FuzzRequest,
): Promise<Outcome | undefined> {
  return new Promise((resolve) => {
    const asked = session.request({
      ...headers,
      ":method": method,
      ":path": encoded(path),
    });
    const timer = setTimeout(() => end({ code: 599, text: "no answer in time" }), answerWaitMs);
    let [code, text] = [0, ""];
    const end = (outcome: Outcome | undefined) => {
      clearTimeout(timer);
      if (!asked.closed) asked.close(8);
      resolve(outcome);
    };
    asked.on("error", () => end(undefined));
    asked.on("close", () => end(code === 0 ? undefined : { code, text }));
    asked.on("response", (answer) => {
      code = Number(answer[":status"]);
      if (manner === "abandon") setTimeout(() => end(undefined), 20);
    });
    asked.on("data", (chunk: Buffer) => {
      if (text.length < 2_000) text += chunk.toString();
    });
    asked.on("end", () => end(code === 0 ? undefined : { code, text }));
    if (manner === "abandon") setTimeout(() => end(undefined), 60);
    deliver(asked, body, manner);
  });
}

type Writable = { write(chunk: Buffer): unknown; end(chunk?: Buffer): unknown };

function deliver(to: Writable, body: Buffer | undefined, manner: FuzzRequest["manner"]): void {
  if (manner !== "slow" || body === undefined) {
    to.end(body);
    return;
  }
  const half = body.byteLength >> 1;
  to.write(body.subarray(0, half));
  setTimeout(() => to.end(body.subarray(half)), 30);
}

/** What no HTTP client would send. */
function sendBytes(
  place: Place,
  { method, path, body }: FuzzRequest,
): Promise<Outcome | undefined> {
  return new Promise((resolve) => {
    const { hostname: host, port } = new URL(place.server);
    const socket = connectTls({
      host,
      port: Number(port),
      ca: place.authority,
      ALPNProtocols: ["http/1.1"],
    });
    let text = "";
    const end = () => {
      socket.destroy();
      const code = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);
      resolve(code === 0 ? undefined : { code, text });
    };
    socket.setTimeout(200, end);
    socket.on("error", end);
    socket.on("close", end);
    socket.on("data", (data: Buffer) => {
      text += data.toString();
    });
    socket.write(
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: odd\r\n\r\n`,
    );
    socket.write(body ?? "\0\0");
  });
}

/** Node's client refuses what is no ASCII. */
const encoded = (path: string) =>
  path.replaceAll(/[^\x21-\x7e]/gu, (one) => encodeURIComponent(one));

type RealGateway = AsyncDisposable & { readonly place: Place; readonly child: ChildProcess };

async function realGateway(): Promise<RealGateway> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "berth-fuzz-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const nats = stack.use(await startNats({ sync: "2m" }));
  const kubeconfig = join(folder, "kubeconfig");
  const main = join(import.meta.dirname, "../../services/api/main.ts");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      BERTH_NATS_URL: nats.url,
      BERTH_API_PORT: "0",
      BERTH_PKI_DIR: join(folder, "pki"),
      BERTH_KUBECONFIG: kubeconfig,
      BERTH_LOG_LEVEL: "error",
    },
  });
  stack.defer(async () => {
    if (child.exitCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  });
  const until = AbortSignal.timeout(60_000);
  while (!existsSync(kubeconfig)) {
    if (until.aborted || child.exitCode !== null) throw new Error("the gateway did not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const place = placeOf(await readFile(kubeconfig, "utf8"));
  const opened = stack.move();
  return { place, child, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function placeOf(text: string): Place {
  const { clusters, users } = parse(text) as {
    clusters: [{ cluster: { server: string; "certificate-authority-data": string } }];
    users: [{ user: { token: string } }];
  }; // As the gateway wrote it.
  const [{ cluster }] = clusters;
  return {
    server: cluster.server,
    authority: Buffer.from(cluster["certificate-authority-data"], "base64").toString(),
    token: users[0].user.token,
  };
}
