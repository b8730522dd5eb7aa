/**
 * How fast do bytes go through the gateway into a container and back, and how much memory does each
 * process take for that? By `kubectl exec`, `cp` and `port-forward`, over a WebSocket and over SPDY;
 * what arrives is compared. Beside it: the engine's own API, running what `exec` ran.
 *
 *     npm run streams                       1 GiB each way
 *     npm run streams -- --mib 64
 */
import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import Docker from "dockerode";
import { ensureHelloImages } from "../../scripts/images/hello.ts";
import { ensureEngine } from "../../scripts/tools/engine.ts";
import { type TestCluster, testCluster } from "../../test/cluster.ts";
import { answerOf, connectionTo, localPort } from "../../test/forwarded-port.ts";
import { kubectlProcess, someBytes } from "../../test/kubectl-process.ts";
import { watchMemory } from "../../test/peak-memory.ts";
import { containerOf } from "../../test/pod-processes.ts";
import { type Result, report } from "../report.ts";

/** Servers of a pod: one says the SHA-256 of what it hears, one what is in the file. */
const serverScript = `
const net = require("node:net"), fs = require("node:fs"), { createHash } = require("node:crypto");
net.createServer({ allowHalfOpen: true }, (socket) => {
  const hash = createHash("sha256");
  socket.on("data", (chunk) => hash.update(chunk)).on("end", () => socket.end(hash.digest("hex")));
}).listen(9001, "127.0.0.1");
net.createServer((socket) => fs.createReadStream("/tmp/bytes").pipe(socket)).listen(9002, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
`;
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "bytes" },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: "main",
        image: "berth/hello:v1",
        command: ["/usr/bin/node", "-e", serverScript],
      },
    ],
  },
};
const into = ["sh", "-c", "cat > /tmp/bytes"];
const outOf = ["cat", "/tmp/bytes"];
const transports = [
  { transport: "WebSocket", env: {} },
  {
    transport: "SPDY",
    env: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" },
  },
] as const;
const mayGrowMiB = 64;

/** Carries the bytes, and gives the SHA-256 of what has arrived, or undefined: the file's is to be asked. */
type Carry = () => Promise<string | undefined>;
type Way = { readonly by: string; readonly direction: "in" | "out"; readonly carry: Carry };
type Bytes = ReturnType<typeof someBytes>;

/** Needs the images of `npm start`. Gives each result once it is there: a whole run takes its time. */
async function* benchStreams({ mib }: { readonly mib: number }): AsyncGenerator<Result> {
  const folder = mkdtempSync(join(tmpdir(), "berth-streams-bench-"));
  using _folder = { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
  await using cluster = await testCluster();
  await cluster.kubectl(["apply", "-f", "-"], JSON.stringify(pod));
  await cluster.kubectl(["wait", "--for=condition=Ready", "--timeout=90s", "pod/bytes"]);
  const count = mib * 2 ** 20;
  const digest = someBytes(count).digest();
  await writeFile(join(folder, "there"), someBytes(count).chunks);
  await cluster.kubectl(["exec", "bytes", "--", "true"]); // What is loaded lazily is no growth.

  const alone = await throughEngineAlone(cluster, { mib, count });
  const whole = watchMemory(cluster);
  for (const { transport, env } of transports) {
    for (const way of waysOf(cluster, { env, folder, count })) {
      const memory = watchMemory(cluster);
      let arrived: string | undefined;
      const measured = await timed(mib, async () => (arrived = await way.carry()));
      const grown = rounded(memory.grown());
      arrived ??= (await cluster.kubectl(["exec", "bytes", "--", "sha256sum", "/tmp/bytes"])).slice(
        0,
        64,
      );
      if (arrived !== digest) throw new Error(`${way.by} ${way.direction} changed the bytes`);
      const params = { mib, by: way.by, transport };
      const baseline = { name: "the engine's own API", measured: [alone[way.direction]] };
      yield {
        bench: `api/streams-${way.direction}`,
        params,
        unit: "MiB/s",
        measured: [measured],
        baseline,
      };
      yield memoryResult(`api/streams-${way.direction}-memory`, params, grown);
    }
  }
  yield memoryResult("api/streams-memory-kept", { mib }, rounded(whole.kept()));
}

function memoryResult(
  bench: string,
  params: Result["params"],
  grown: Readonly<Record<string, number>>,
): Result {
  return {
    bench,
    params,
    unit: "MiB that the process that grew most grew by",
    measured: [Math.max(...Object.values(grown))],
    baseline: { name: "what one may grow by", measured: [mayGrowMiB] },
    parts: grown,
  };
}

const rounded = (byName: ReadonlyMap<string, number>) =>
  Object.fromEntries([...byName].map(([name, mib]) => [name, Math.round(mib)]));

/** Each brings the bytes to /tmp/bytes in the pod, or from there. */
function waysOf(
  cluster: TestCluster,
  {
    env,
    folder,
    count,
  }: {
    readonly env: Readonly<Record<string, string>>;
    readonly folder: string;
    readonly count: number;
  },
): readonly Way[] {
  const [there, back] = [join(folder, "there"), join(folder, "back")];
  const bytes = (): Bytes => someBytes(count);
  const kubectl = async (args: readonly string[], input: Iterable<Uint8Array> = []) => {
    await using one = await kubectlProcess(cluster, args, { env, input });
    const ended = await one.ended;
    if (ended.code !== 0) throw new Error(`kubectl ended with ${ended.code}: ${one.stderr()}`);
    return ended.digest;
  };
  const forwarded = async <T>(to: number, use: (port: number) => Promise<T>) => {
    const args = ["port-forward", "pod/bytes", `:${to}`];
    await using one = await kubectlProcess(cluster, args, { env });
    return await use(await localPort(one, to));
  };
  return [
    {
      by: "exec",
      direction: "in",
      carry: async () => {
        await kubectl(["exec", "-i", "bytes", "--", ...into], bytes().chunks);
        return undefined;
      },
    },
    { by: "exec", direction: "out", carry: () => kubectl(["exec", "bytes", "--", ...outOf]) },
    {
      by: "cp",
      direction: "in",
      carry: async () => {
        await kubectl(["cp", there, "bytes:/tmp/bytes"]);
        return undefined;
      },
    },
    {
      by: "cp",
      direction: "out",
      carry: async () => {
        await kubectl(["cp", "bytes:/tmp/bytes", back]);
        return digestOf(createReadStream(back));
      },
    },
    {
      by: "port-forward",
      direction: "in",
      carry: () =>
        forwarded(9001, async (port) => {
          const socket = connectionTo(port);
          const answer = answerOf(socket);
          await pipeline(Readable.from(bytes().chunks), socket, { end: true });
          return answer;
        }),
    },
    {
      by: "port-forward",
      direction: "out",
      carry: () => forwarded(9002, (port) => digestOf(connectionTo(port))),
    },
  ];
}

async function digestOf(source: Readable): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of source) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** MiB a second. */
async function timed(mib: number, work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return mib / ((performance.now() - begun) / 1_000);
}

async function throughEngineAlone(
  cluster: TestCluster,
  { mib, count }: { readonly mib: number; readonly count: number },
): Promise<Readonly<Record<Way["direction"], number>>> {
  const container = await containerOf(cluster, "bytes");
  return {
    in: await timed(mib, () => throughEngine(container, into, count)),
    out: await timed(mib, () => throughEngine(container, outOf, 0)),
  };
}

async function throughEngine(
  container: Docker.Container,
  command: string[],
  input: number,
): Promise<void> {
  const exec = await container.exec({
    Cmd: command,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
  const sent = pipeline(Readable.from(someBytes(input).chunks), stream);
  await Promise.all([input === 0 ? Promise.resolve() : sent, pipeline(stream, sink)]);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { mib: { type: "string", default: "1024" } } });
  await using _engine = await ensureEngine();
  await ensureHelloImages(new Docker());
  for await (const result of benchStreams({ mib: Number(values.mib) })) report([result]);
}
