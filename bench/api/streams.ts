/**
 * How fast do bytes go through the gateway into a container and back, and how much memory does each
 * process take for that? Beside it: the same command, run through the engine alone.
 *
 *     npm run streams                       1 GiB each way
 *     npm run streams -- --mib 64
 */
import { parseArgs } from "node:util";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import Docker from "dockerode";
import { ensureHelloImages } from "../../scripts/images/hello.ts";
import { ensureEngine } from "../../scripts/tools/engine.ts";
import { type TestCluster, testCluster } from "../../test/cluster.ts";
import { kubectlProcess, someBytes } from "../../test/kubectl-process.ts";
import { watchMemory } from "../../test/peak-memory.ts";
import { type Result, report } from "../report.ts";

const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "bytes" },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "main", image: "berth/hello:v1", command: ["sleep", "86400"] }],
  },
};
const into = ["sh", "-c", "cat > /dev/null"];

/** Needs the images of `npm start`. */
export async function benchStreams({ mib }: { readonly mib: number }): Promise<readonly Result[]> {
  await using cluster = await testCluster();
  await cluster.kubectl(["apply", "-f", "-"], JSON.stringify(pod));
  await cluster.kubectl(["wait", "--for=condition=Ready", "--timeout=90s", "pod/bytes"]);
  await cluster.kubectl(["exec", "bytes", "--", "true"]); // What is loaded lazily is no growth.
  const bytes = mib * 2 ** 20;
  const outOf = ["head", "-c", String(bytes), "/dev/zero"];
  const id = await containerOf(cluster);
  const ways = [
    { way: "in", command: into, input: bytes },
    { way: "out", command: outOf, input: 0 },
  ];
  const results: Result[] = [];
  for (const { way, command, input } of ways) {
    const memory = watchMemory(cluster);
    const through = await timed(mib, async () => {
      const args = ["exec", "-i", "bytes", "--", ...command];
      await using one = await kubectlProcess(cluster, args, { input: someBytes(input).chunks });
      const { code } = await one.ended;
      if (code !== 0) throw new Error(`kubectl ended with ${code}: ${one.stderr()}`);
    });
    const grown = [...memory.grown()].map(([name, grew]) => [name, Math.round(grew)] as const);
    const alone = await timed(mib, () => throughEngine(id, command, input));
    const baseline = { name: "the engine's own API", measured: [alone] };
    results.push(
      {
        bench: `api/streams-${way}`,
        params: { mib },
        unit: "MiB/s",
        measured: [through],
        baseline,
      },
      {
        bench: `api/streams-${way}-memory`,
        params: { mib },
        unit: "MiB that the process that grew most grew by",
        measured: [Math.max(...grown.map(([, grew]) => grew))],
        baseline: { name: "what one may grow by", measured: [64] },
        parts: Object.fromEntries(grown),
      },
    );
  }
  return results;
}

/** MiB a second. */
async function timed(mib: number, work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return mib / ((performance.now() - begun) / 1_000);
}

async function containerOf({ id }: TestCluster): Promise<string> {
  const filters = { label: [`berth.dev/cluster=${id}`, "berth.dev/pod=bytes"] };
  const [found] = await new Docker().listContainers({ filters });
  if (found === undefined) throw new Error("the pod has no container");
  return found.Id;
}

async function throughEngine(id: string, command: string[], input: number): Promise<void> {
  const exec = await new Docker().getContainer(id).exec({
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
  report(await benchStreams({ mib: Number(values.mib) }));
}
