/** Clients of streams to pods, with unmodified kubectl: many at once, slow ones, and killed ones. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { truncate, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { connect } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { decodeFrame } from "../../libs/bus/frame.ts";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { answerOf, connectionTo, localPort } from "../forwarded-port.ts";
import { clientOf, type HttpsClient } from "../https-client.ts";
import { kubectlProcess, type KubectlProcess, someBytes } from "../kubectl-process.ts";
import { watchMemory } from "../peak-memory.ts";
import { containerOf, podProcesses } from "../pod-processes.ts";

vi.setConfig({ testTimeout: 180_000 }); // A machine may be busy.

const grownMaxMiB = 64;
/** So many looks that find the same say that something waits. */
const looksOnEnd = 3;
/** More than may be buffered on the way: who does not stop a producer grows by more than the limit. */
const largeBytes = 96 * 2 ** 20;
/** More than is copied before its copier is killed. */
const hugeBytes = 2 ** 34;
const transports = [
  { name: "over a WebSocket", env: {} },
  {
    name: "over SPDY",
    env: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" },
  },
] as const;
type Transport = (typeof transports)[number];

/** Servers: one that greets and repeats; one that gives the file; one that listens only when told to. */
const serverScript = `
const net = require("node:net"), http = require("node:http"), fs = require("node:fs");
const { createHash } = require("node:crypto");
const count = { open: 0, given: 0, heard: 0 };
const waiting = [];
const serve = (port, use) => net.createServer({ allowHalfOpen: true }, (socket) => {
  count.open += 1;
  socket.on("error", () => undefined).on("close", () => (count.open -= 1));
  use(socket);
}).listen(port, "127.0.0.1");
serve(9000, (socket) => {
  const heard = [];
  socket.write("hello ");
  socket.on("data", (chunk) => heard.push(chunk)).on("end", () => socket.end(Buffer.concat(heard)));
});
serve(9001, (socket) => {
  count.given = 0;
  fs.createReadStream("/tmp/large").on("data", (chunk) => (count.given += chunk.length)).pipe(socket);
});
serve(9002, (socket) => {
  const hash = createHash("sha256");
  count.heard = 0;
  waiting.push(() => socket.on("data", (chunk) => {
    count.heard += chunk.length;
    hash.update(chunk);
  }).on("end", () => socket.end(hash.digest("hex"))));
});
http.createServer((request, response) => {
  if (request.url === "/go") for (const go of waiting.splice(0)) go();
  response.end(JSON.stringify({ ...count, waiting: waiting.length }));
}).listen(8080);
process.on("SIGTERM", () => process.exit(0));
`;
type Count = {
  readonly open: number;
  readonly given: number;
  readonly heard: number;
  readonly waiting: number;
};

const pod = (name: string, container: object) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "main", image: "berth/hello:v1", ...container }],
  },
});
const pods = [
  pod("box", {
    command: ["/usr/bin/node", "-e", serverScript],
    readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
  }),
  pod("reader", { command: ["cat"], stdin: true }),
];

let cluster: TestCluster;
let client: HttpsClient;
let folder = "";
let largeDigest = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "berth-stream-clients-"));
  cluster = await testCluster();
  await cluster.kubectl(
    ["apply", "-f", "-"],
    pods.map((one) => JSON.stringify(one)).join("\n---\n"),
  );
  await cluster.kubectl(["wait", "--for=condition=Ready", "--timeout=90s", "pods", "--all"]);
  client = await clientOf(cluster.kubeconfig);
  const make = `head -c ${largeBytes} /dev/urandom > /tmp/large; sha256sum < /tmp/large`;
  largeDigest = (await cluster.kubectl(["exec", "box", "--", "sh", "-c", make])).slice(0, 64);
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const running = (args: readonly string[], { env }: Pick<Transport, "env">) =>
  kubectlProcess(cluster, args, { env });
const count = async (path = "/") =>
  (await client.call("GET", `/api/v1/namespaces/default/pods/box:8080/proxy${path}`)).body as Count;

const [, spdy] = transports;

describe("fifty at once over SPDY", () => {
  // Over WebSockets they are in streams.test.ts, with a client that starts sooner than fifty kubectls.
  test("commands hear their own input, and end with their own exit code", async () => {
    await using all = new AsyncDisposableStack();
    const numbers = Array.from({ length: 50 }, (_, nth) => nth);
    const commands = await Promise.all(
      numbers.map(async (nth) => {
        const text = `echo begun; cat; exit ${nth}`;
        return all.use(await running(["exec", "-i", "box", "--", "sh", "-c", text], spdy));
      }),
    );
    await eventually("all run at one time", async () => {
      expect(commands.map((one) => one.stdout() + one.stderr())).toEqual(
        numbers.map(() => "begun\n"),
      );
    });
    for (const [nth, one] of commands.entries()) {
      one.write(`number ${nth}\n`);
      one.endInput();
    }
    const codes = (await Promise.all(commands.map((one) => one.ended))).map(({ code }) => code);
    expect(codes).toEqual(numbers);
    expect(commands.map((one) => one.stdout())).toEqual(
      numbers.map((nth) => `begun\nnumber ${nth}\n`),
    );
  });
});

describe.each(transports)("fifty at once $name", ({ env }) => {
  test("connections to a forwarded port are each one's own", async () => {
    await using forward = await running(["port-forward", "pod/box", ":9000"], { env });
    const port = await localPort(forward, 9000);
    const sockets = Array.from({ length: 50 }, () => connectionTo(port));
    const answers = sockets.map(answerOf);
    await eventually("all are open at one time", async () =>
      expect((await count()).open).toBe(sockets.length),
    );
    for (const [nth, socket] of sockets.entries()) socket.end(`number ${nth}`);
    expect(await Promise.all(answers)).toEqual(sockets.map((_, nth) => `hello number ${nth}`));
  });
});

/** Waits until a number is the same for some looks on end; gives it. */
async function stopped(what: string, look: () => Promise<number>): Promise<number> {
  let [before, same] = [-1, 0];
  return eventually(what, async () => {
    const now = await look();
    same = now > 0 && now === before ? same + 1 : 0;
    before = now;
    if (same < looksOnEnd) throw new Error(`it goes on: ${now}`);
    return now;
  });
}
const grownTooMuch = (memory: ReturnType<typeof watchMemory>) =>
  [...memory.grown()].filter(([, mib]) => mib > grownMaxMiB);

describe.each(transports)("a reader that stops for a while $name", ({ name, env }) => {
  test("holds up kubectl cp out of a container, and gets all of it", async () => {
    const [memory, copied] = [watchMemory(cluster), join(folder, `slow${name.length}`)];
    await using copy = await running(["cp", "box:/tmp/large", copied], { env });
    await eventually("it copies", async () => expect(existsSync(copied)).toBe(true));
    copy.child.kill("SIGSTOP");
    const read = await stopped("tar waits", () => bytesReadBy("tar"));
    expect(read).toBeLessThan(largeBytes / 2);
    copy.child.kill("SIGCONT");
    expect(await copy.ended).toMatchObject({ code: 0 });
    expect(createHash("sha256").update(readFileSync(copied)).digest("hex")).toBe(largeDigest);
    expect(grownTooMuch(memory)).toEqual([]);
    rmSync(copied);
  });

  test("holds up a forwarded port on either side, and gets all of it", async () => {
    const memory = watchMemory(cluster);
    await using forward = await running(["port-forward", "pod/box", ":9001", ":9002"], { env });
    const [out, into] = [await localPort(forward, 9001), await localPort(forward, 9002)];

    const reader = connectionTo(out);
    await once(reader, "readable");
    expect(await stopped("the pod's server waits", async () => (await count()).given)).toBeLessThan(
      largeBytes / 2,
    );
    const hash = createHash("sha256");
    for await (const chunk of reader) hash.update(chunk as Buffer);
    expect(hash.digest("hex")).toBe(largeDigest);

    const { chunks, digest } = someBytes(largeBytes);
    const writer = connectionTo(into);
    const answer = answerOf(writer);
    const sent = pipeline(Readable.from(chunks), writer);
    // Until then bytes stand still for another reason.
    await eventually("the connection is made", async () => expect((await count()).waiting).toBe(1));
    const sentSoFar = async () => {
      await count(); // A look takes its time.
      return writer.bytesWritten - writer.writableLength;
    };
    expect(await stopped("the client waits", sentSoFar)).toBeLessThan(largeBytes / 2);
    await count("/go");
    await sent;
    expect(await answer).toBe(digest());
    expect(grownTooMuch(memory)).toEqual([]);
  });
});

/** So many bytes has the program of that name read in the box, by its kernel's count. */
async function bytesReadBy(program: string): Promise<number> {
  const text = `cat /proc/$(pidof ${program})/io`;
  const io = await cluster.kubectl(["exec", "box", "--", "sh", "-c", text]);
  return Number(/rchar: (\d+)/u.exec(io)?.[1]);
}

describe("clients that are killed", () => {
  test("leave nothing in the container, the gateway or the agent", async () => {
    const large = join(folder, "large");
    await writeFile(large, "");
    await truncate(large, hugeBytes);
    const make = `truncate -s ${hugeBytes} /tmp/huge`;
    await cluster.kubectl(["exec", "box", "--", "sh", "-c", make]);
    await nothingRuns();
    const [api, node] = [socketsOf("api-0"), socketsOf("node-1")];

    await using all = new AsyncDisposableStack();
    const started = await Promise.all(transports.map((one) => busyClients(one, large, all)));
    await eventually("they copy both ways", async () => {
      const names = (await podProcesses(cluster, "box")).map(({ name }) => name);
      expect(names.filter((name) => name === "tar")).toHaveLength(2 * transports.length);
    });
    expect((await count()).open).toBe(transports.length);
    // Streams of each: copies in and out, an attachment and a connection.
    await eventually("all their streams are open", async () =>
      expect(await openStreams()).toBe(4 * transports.length * 2),
    );

    const clients = started.flat();
    for (const one of clients) one.child.kill("SIGKILL");
    await Promise.all(clients.map((one) => one.ended));
    await nothingRuns();
    await eventually("their sockets are closed", async () => {
      expect(socketsOf("api-0")).toBeLessThanOrEqual(api);
      expect(socketsOf("node-1")).toBeLessThanOrEqual(node);
    });
    await using again = await running(["attach", "-i", "reader"], transports[0]);
    again.write("still here\n");
    await again.says(/still here/u);
    await expectNoRestart("reader");
  });
});

/** A copy each way, somebody attached, and a connection through a forwarded port: all at work. */
async function busyClients(
  transport: Transport,
  large: string,
  all: AsyncDisposableStack,
): Promise<readonly KubectlProcess[]> {
  const copied = join(folder, `killed${transport.name.length}`);
  const start = async (args: readonly string[]) => all.use(await running(args, transport));
  const forward = await start(["port-forward", "pod/box", ":9000"]);
  const attached = await start(["attach", "-i", "reader"]);
  const out = await start(["cp", "box:/tmp/huge", copied]);
  const into = await start(["cp", large, `box:/tmp/copied${transport.name.length}`]);
  const socket: Socket = connectionTo(await localPort(forward, 9000));
  socket.on("error", () => undefined); // Its forwarder is to be killed.
  await once(socket, "data");
  attached.write(`${transport.name}\n`);
  await attached.says(new RegExp(transport.name, "u"));
  await eventually("it copies out", async () => expect(existsSync(copied)).toBe(true));
  return [forward, attached, out, into];
}

/** The pods' own processes alone, no connection to a pod, and no stream. */
async function nothingRuns(): Promise<void> {
  await eventually("only the pod's own process runs", async () =>
    expect(await podProcesses(cluster, "box")).toHaveLength(1),
  );
  await eventually("the engine knows of no command", async () => {
    const { ExecIDs } = (await (await containerOf(cluster, "box")).inspect()) as {
      readonly ExecIDs: readonly string[] | null;
    };
    expect(ExecIDs ?? []).toEqual([]);
  });
  await eventually("no connection to the pod is open", async () =>
    expect((await count()).open).toBe(0),
  );
  await eventually("no stream is open", async () => expect(await openStreams()).toBe(0));
}

/** Ends of streams, in the gateway and in the agent: each pings its peer once a second. */
async function openStreams(): Promise<number> {
  const nats = await connect({ servers: cluster.natsUrl });
  const heard = new Set<string>();
  nats.subscribe("_INBOX.>", {
    callback(_, { data, subject }) {
      if (data !== undefined && decodeFrame(data)?.frame.kind === "ping") heard.add(subject);
    },
  });
  // As long as each pings at least once; the command's own stream has two ends, too.
  await cluster.kubectl(["exec", "reader", "--", "sleep", "2"]);
  await nats.close();
  return heard.size - 2;
}

function socketsOf(name: string): number {
  const folder = `/proc/${cluster.processes.get(name)?.pid()}/fd`;
  const links = readdirSync(folder).map((fd) => {
    try {
      return readlinkSync(join(folder, fd));
    } catch {
      return ""; // It was closed meanwhile.
    }
  });
  return links.filter((link) => link.startsWith("socket:")).length;
}

async function expectNoRestart(name: string): Promise<void> {
  const path = "jsonpath={.status.containerStatuses[0].restartCount}";
  expect(await cluster.kubectl(["get", "pod", name, "-o", path])).toBe("0");
}
