/** What goes through the gateway to a pod and back, with unmodified kubectl. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { kubectlProcess, someBytes } from "../kubectl-process.ts";
import { watchMemory } from "../peak-memory.ts";

vi.setConfig({ testTimeout: 60_000 });

const transferBytes = 64 * 2 ** 20;
const grownMaxMiB = 64;
const spdy = {
  KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false",
  KUBECTL_PORT_FORWARD_WEBSOCKETS: "false",
};

/** Servers: one on localhost alone that says a word and then what it hears, once it has heard all. */
const serverScript = `
const net = require("node:net"), http = require("node:http");
net.createServer({ allowHalfOpen: true }, (socket) => {
  const heard = [];
  socket.write("hello ");
  socket.on("data", (chunk) => heard.push(chunk)).on("end", () => socket.end(Buffer.concat(heard)));
}).listen(9000, "127.0.0.1");
http.createServer((request, response) => {
  const heard = [];
  request.on("data", (chunk) => heard.push(chunk)).on("end", () => {
    response.writeHead(request.url.startsWith("/teapot") ? 418 : 200, { "x-served-by": "box" });
    response.end(request.method + " " + request.url + " " + Buffer.concat(heard));
  });
}).on("upgrade", (request, socket) => {
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n");
  socket.pipe(socket);
}).listen(8080);
console.log("ready");
process.on("SIGTERM", () => process.exit(0));
`;

const pod = (name: string, container: object, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, labels: { app: name } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: "main", image: "berth/hello:v1", ...container }],
    ...spec,
  },
});
const script = (text: string) => ({ command: ["sh", "-c", text] });
const pods = [
  pod("box", {
    command: ["/usr/bin/node", "-e", serverScript],
    readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
  }),
  pod("terminal", { ...script("exec sh"), stdin: true, tty: true }),
  pod("once", { ...script("cat; sleep 600"), stdin: true, stdinOnce: true }),
];

let cluster: TestCluster;
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "berth-streams-"));
  cluster = await testCluster();
  const manifests = pods.map((one) => JSON.stringify(one)).join("\n---\n");
  await cluster.kubectl(["apply", "-f", "-"], manifests);
  await cluster.kubectl(["wait", "--for=condition=Ready", "--timeout=90s", "pods", "--all"]);
});
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const running = (args: readonly string[], options: Parameters<typeof kubectlProcess>[2] = {}) =>
  kubectlProcess(cluster, args, options);
/** Runs it to its end. */
async function ran(args: readonly string[], options: Parameters<typeof kubectlProcess>[2] = {}) {
  await using one = await running(args, { input: [], ...options });
  return { ...(await one.ended), stdout: one.stdout(), stderr: one.stderr() };
}

describe.each([
  { name: "over a WebSocket", env: {} },
  { name: "over SPDY", env: spdy },
])("a command $name", ({ env }) => {
  test.each([0, 1, 137])("ends with its own exit code: %i", async (code) => {
    const args = ["exec", "box", "--", "sh", "-c", `echo out; echo err >&2; exit ${code}`];
    expect(await ran(args, { env })).toMatchObject({ code, stdout: "out\n", stderr: /err/ });
  });

  test("hears the end of its input, and loses nothing of its output", async () => {
    const input = [Buffer.from("to be counted")];
    const counted = await ran(["exec", "-i", "box", "--", "wc", "-c"], { input, env });
    expect(counted).toMatchObject({ code: 0, stdout: "13\n" });
    const bytes = 3_000_000;
    const tail = await ran(["exec", "box", "--", "head", "-c", `${bytes}`, "/dev/zero"], { env });
    expect(tail).toMatchObject({ code: 0, bytes });
  });

  test("takes and gives bytes of any kind, and no process keeps them", async () => {
    const { chunks, digest } = someBytes(transferBytes);
    const memory = watchMemory(cluster);
    const up = ["exec", "-i", "box", "--", "sh", "-c", "cat > /tmp/bytes; sha256sum < /tmp/bytes"];
    const told = await ran(up, { input: chunks, env });
    expect(told.stdout).toContain(digest());
    const down = await ran(["exec", "box", "--", "cat", "/tmp/bytes"], { env });
    expect(down).toMatchObject({ code: 0, bytes: transferBytes, digest: digest() });
    const grown = [...memory.grown()].filter(([, mib]) => mib > grownMaxMiB);
    expect(grown).toEqual([]);
  });

  test("ends when its client is killed, and with it all that it has begun", async () => {
    const marks = ["86401", "86402"];
    const text = `sleep ${marks[0]} & sleep ${marks[1]}; echo after`;
    await using client = await running(["exec", "box", "--", "sh", "-c", text], { env });
    await eventually("both run", async () => expect(await sleepsIn("box", marks)).toHaveLength(2));
    client.child.kill("SIGKILL");
    await eventually("neither runs", async () => expect(await sleepsIn("box", marks)).toEqual([]));
  });

  test("has a terminal of its client's size", async () => {
    const args = ["exec", "-i", "terminal", "--", "sh", "-c", "test -t 0 || echo none"];
    expect(await ran(args, { env })).toMatchObject({ stdout: "none\n" });
  });
});

/** Those of the marked sleeps that run in a pod. */
async function sleepsIn(name: string, marks: readonly string[]): Promise<readonly string[]> {
  const filters = { label: [`berth.dev/cluster=${cluster.id}`, `berth.dev/pod=${name}`] };
  const [found] = await new Docker().listContainers({ filters });
  const { Processes } = await new Docker()
    .getContainer(found?.Id ?? "")
    .top({ ps_args: "-eo pid,args" });
  const commands = (Processes as string[][]).map((columns) => columns.at(-1) ?? "");
  return commands.filter((command) => marks.some((mark) => command === `sleep ${mark}`));
}

test("fifty commands at once end each with its own output", async () => {
  const all = await Promise.all(
    Array.from({ length: 50 }, (_, nth) => ran(["exec", "box", "--", "echo", `number ${nth}`])),
  );
  expect(all.map(({ stdout }) => stdout)).toEqual(all.map((_, nth) => `number ${nth}\n`));
});

test("files are copied both ways", async () => {
  const [there, back] = [join(folder, "there"), join(folder, "back")];
  const bytes = Buffer.concat([...someBytes(3 * 2 ** 20 + 7).chunks]);
  writeFileSync(there, bytes);
  await cluster.kubectl(["cp", there, "box:/tmp/copied"]);
  await cluster.kubectl(["cp", "box:/tmp/copied", back]);
  expect(readFileSync(back).equals(bytes)).toBe(true);
});

describe("attach", () => {
  test("joins a terminal that goes on when it is left", async () => {
    for (const env of [{}, spdy]) {
      await using one = await running(["attach", "-i", "terminal"], { env });
      await one.says(/command prompt/u);
      one.write("echo $((6 * 7))\n");
      await one.says(/42/u);
    }
    expect(
      await cluster.kubectl(["get", "pod", "terminal", "-o", "jsonpath={.status.phase}"]),
    ).toBe("Running");
  });

  test("feeds a process that reads until its input has ended, once", async () => {
    const input = [Buffer.from("first words\n")];
    await using one = await running(["attach", "-i", "once"], { input });
    await one.says(/first words/u);
    await eventually("its input has ended", async () => {
      expect(await cluster.kubectl(["exec", "once", "--", "ps"])).not.toContain(" cat");
    });
  });
});

describe.each([
  { name: "over a WebSocket", env: { KUBECTL_PORT_FORWARD_WEBSOCKETS: "true" } },
  { name: "over SPDY", env: spdy },
])("a forwarded port $name", ({ env }) => {
  test("reaches what listens on localhost alone, half-closes, and says what fails", async () => {
    await using one = await running(["port-forward", "pod/box", ":9000", ":8080", ":9"], { env });
    const ports = await Promise.all(
      ["9000", "8080", "9"].map(async (to) => {
        const [, port = ""] = await one.says(new RegExp(`127.0.0.1:(\\d+) -> ${to}\\n`, "u"));
        return Number(port);
      }),
    );
    const [local = 0, web = 0, nobody = 0] = ports;
    const long = "x".repeat(300_000);
    const said = await Promise.all(["a", "b", long].map((text) => exchange(local, text)));
    expect(said).toEqual(["hello a", "hello b", `hello ${long}`]);
    expect(await (await fetch(`http://127.0.0.1:${web}/path`)).text()).toBe("GET /path ");
    await exchange(nobody, "x").catch(() => undefined); // It is closed at once.
    await one.says(/error forwarding port 9 to pod .*refused/u);
  });
});

/** What is answered on a connection on which all is said at once. */
function exchange(port: number, text: string): Promise<string> {
  const socket = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(text);
  return new Promise((resolve, reject) => {
    let answer = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
    socket.once("end", () => resolve(answer)).once("error", reject);
  });
}
