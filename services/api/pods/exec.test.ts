/** Commands' streams between the real kubectl and a node without containers. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ByteStream } from "../../../libs/bus/bus.ts";
import { type ExecOpening, execOpening } from "../../../libs/protocol/node.ts";
import { nodeSubject } from "../../../libs/protocol/subjects.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { httpsClient } from "../../../test/https-client.ts";
import { kubectlProcess } from "../../../test/kubectl-process.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";
import { writeKubeconfig } from "../pki/kubeconfig.ts";
import { channel, frameOf } from "../streams/frame-client.ts";

let gateway: MemoryGateway;
let wire: Awaited<ReturnType<typeof cuttable>>;
let folder: string;
let kubeconfig: string;

beforeAll(async () => {
  gateway = await openMemoryGateway();
  wire = await cuttable(Number(new URL(gateway.server).port));
  folder = await mkdtemp(join(tmpdir(), "berth-exec-"));
  kubeconfig = join(folder, "kubeconfig");
  const known = { certificate: gateway.authority, privateKey: "", token: gateway.token };
  const server = `https://127.0.0.1:${wire.port}`;
  await writeKubeconfig(kubeconfig, { server, authority: known, random: systemRandom });
  const client = httpsClient(gateway);
  await client.call("POST", "/api/v1/namespaces", { body: { metadata: { name: "default" } } });
  const spec = { nodeName: "n1", containers: [{ name: "main", image: "x" }] };
  const body = { metadata: { name: "box" }, spec };
  await client.call("POST", "/api/v1/namespaces/default/pods", { body });
  await gateway.bus.accept(nodeSubject("n1", "exec"), async (stream, { data }) =>
    run(stream, execOpening.parse(JSON.parse(new TextDecoder().decode(data)))),
  );
});
afterAll(async () => {
  wire?.close();
  await gateway?.[Symbol.asyncDispose]();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** What stands for commands: each says what it has heard of its input so far, and ends. */
async function run(stream: ByteStream, { command: [name] }: ExecOpening): Promise<void> {
  const heard: Uint8Array[] = [];
  if (name === "after-input") {
    for await (const frame of stream.readable) {
      if (frame[0] === channel.close) break;
      if (frame[0] === channel.stdin) heard.push(frame.subarray(1));
    }
  }
  await stream.write(
    frameOf(channel.stdout, Buffer.from(`heard ${Buffer.concat(heard).toString()}.`)),
  );
  // Until its asker goes.
  if (name === "never") await once(stream.closed, "abort");
  else await stream.write(frameOf(channel.error, Buffer.from(JSON.stringify(ended))));
}
const ended = {
  metadata: {},
  status: "Failure",
  reason: "NonZeroExitCode",
  details: { causes: [{ reason: "ExitCode", message: "7" }] },
};

/** Connections to a port, which break all at once. */
async function cuttable(to: number) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined).once("close", () => sockets.delete(socket)); // It is cut.
    }
    near.pipe(far).pipe(near);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const close = () => {
    server.close();
    cut();
  };
  return { port: (server.address() as AddressInfo).port, cut, close };
}

describe.each([
  { name: "over a WebSocket", env: {} },
  { name: "over SPDY", env: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false" } },
])("kubectl exec $name", ({ env }) => {
  test.each([
    { when: "at once, its input empty", command: "at-once", input: [], says: "heard ." },
    { when: "at once, its input unread", command: "at-once", input: ["word"], says: "heard ." },
    { when: "after an empty input", command: "after-input", input: [], says: "heard ." },
    { when: "after its input", command: "after-input", input: ["word"], says: "heard word." },
  ])("ends with a command that ends $when", async ({ command, input, says }) => {
    const args = ["exec", "-i", "box", "--", command];
    const bytes = input.map((text) => Buffer.from(text));
    await using one = await kubectlProcess({ kubeconfig }, args, { env, input: bytes });
    expect(await one.ended).toMatchObject({ code: 7 });
    expect(one.stdout()).toBe(says);
  });

  test("ends with a command that ends before its input does", async () => {
    await using one = await kubectlProcess({ kubeconfig }, ["exec", "-i", "box", "--", "at-once"], {
      env,
    });
    expect(await one.ended).toMatchObject({ code: 7 });
  });

  test("ends with a command that hears the end of its input late", async () => {
    const args = ["exec", "-i", "box", "--", "after-input"];
    await using one = await kubectlProcess({ kubeconfig }, args, { env });
    one.write("first ");
    one.write("last");
    one.endInput();
    expect(await one.ended).toMatchObject({ code: 7 });
    expect(one.stdout()).toBe("heard first last.");
  });

  test("fails when its connection breaks", async () => {
    await using one = await kubectlProcess({ kubeconfig }, ["exec", "box", "--", "never"], { env });
    await one.says(/heard/u);
    wire.cut();
    expect(await one.ended).toMatchObject({ code: 1 });
    expect(one.stderr()).toMatch(/error/u);
  });
});
