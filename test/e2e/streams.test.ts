/** What goes through the gateway to a pod and back, with unmodified kubectl. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { Exec, KubeConfig, type V1Status } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { eventually, type TestCluster, testCluster } from "../cluster.ts";
import { exchange, localPort } from "../forwarded-port.ts";
import { clientOf } from "../https-client.ts";
import { kubectlProcess, someBytes } from "../kubectl-process.ts";
import { watchMemory } from "../peak-memory.ts";
import { podProcesses } from "../pod-processes.ts";

vi.setConfig({ testTimeout: 120_000 }); // A machine may be busy.

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
  pod(
    "talker",
    script(
      `echo err >&2; sleep 1; echo out; for i in 1 2 3; do echo line $i; done; exec sleep 600`,
    ),
  ),
  pod("flood", script(`exec yes ${"y".repeat(200)}`)),
  pod(
    "ended",
    {
      ...script("echo only once; test -e /kept/mark && exec sleep 600; touch /kept/mark; exit 1"),
      volumeMounts: [{ name: "kept", mountPath: "/kept" }],
    },
    { volumes: [{ name: "kept", emptyDir: {} }] },
  ),
  pod("once", { ...script("cat; sleep 600"), stdin: true, stdinOnce: true }),
];

let cluster: TestCluster;
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "berth-streams-"));
  cluster = await testCluster();
  const manifests = pods.map((one) => JSON.stringify(one)).join("\n---\n");
  await cluster.kubectl(["apply", "-f", "-"], manifests);
  await cluster.kubectl(["expose", "pod", "box", "--name=web", "--port=80", "--target-port=8080"]);
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
  { name: "over a WebSocket", env: {}, transferBytes: 64 * 2 ** 20 },
  { name: "over SPDY", env: spdy, transferBytes: 16 * 2 ** 20 },
])("a command $name", ({ env, transferBytes }) => {
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

  test("waits for a reader that is slow", async () => {
    const memory = watchMemory(cluster);
    await using slow = await running(["exec", "box", "--", "yes", "y".repeat(200)], { env });
    await slow.says(/y/u);
    slow.child.stdout?.pause();
    expect((await ran(["exec", "box", "--", "sleep", "3"], { env })).code).toBe(0);
    expect([...memory.grown()].filter(([, mib]) => mib > grownMaxMiB)).toEqual([]);
  });

  test("ends when its client is killed, and with it all that it has begun", async () => {
    const marks = ["86401", "86402"];
    const text = `sleep ${marks[0]} & sleep ${marks[1]}; echo after`;
    await using client = await running(["exec", "box", "--", "sh", "-c", text], { env });
    await eventually("both run", async () => expect(await sleepsIn("box", marks)).toHaveLength(2));
    client.child.kill("SIGKILL");
    await eventually("neither runs", async () => expect(await sleepsIn("box", marks)).toEqual([]));
  });

  test("has no terminal where its client has none", async () => {
    const args = ["exec", "-i", "terminal", "--", "sh", "-c", "test -t 0 || echo none"];
    expect(await ran(args, { env })).toMatchObject({ code: 0, stdout: "none\n" });
  });
});

/** Those of the marked sleeps that run in a pod. */
const sleepsIn = async (name: string, marks: readonly string[]): Promise<readonly string[]> =>
  (await podProcesses(cluster, name))
    .map(({ args }) => args)
    .filter((one) => marks.some((mark) => one === `sleep ${mark}`));

test("fifty commands at once end each with its own output", async () => {
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  const exec = new Exec(config);
  const all = Array.from({ length: 50 }, async (_, nth) => {
    const [output, ended] = [new PassThrough(), Promise.withResolvers<V1Status>()];
    const command = ["echo", `number ${nth}`];
    const streams = [output, null, null] as const;
    await exec.exec("default", "box", "main", command, ...streams, false, ended.resolve);
    const { status } = await ended.promise;
    return `${status} ${String(output.read())}`;
  });
  expect(await Promise.all(all)).toEqual(all.map((_, nth) => `Success number ${nth}\n`));
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
    const [local, web, nobody] = [
      await localPort(one, 9000),
      await localPort(one, 8080),
      await localPort(one, 9),
    ];
    const long = "x".repeat(300_000);
    const said = await Promise.all(["a", "b", long].map((text) => exchange(local, text)));
    expect(said).toEqual(["hello a", "hello b", `hello ${long}`]);
    expect(await (await fetch(`http://127.0.0.1:${web}/path`)).text()).toBe("GET /path ");
    await exchange(nobody, "x").catch(() => undefined); // It is closed at once.
    await one.says(/error forwarding port 9 to pod .*refused/u);
  });
});

describe("logs", () => {
  const logs = (...args: readonly string[]) => cluster.kubectl(["logs", ...args]);

  test("are given as asked for", async () => {
    await eventually("it has talked", async () => expect(await logs("talker")).toContain("line 3"));
    expect(await logs("talker", "--tail=2")).toBe("line 2\nline 3\n");
    expect(await logs("talker", "--limit-bytes=4", "--tail=1")).toBe("line");
    expect(await logs("talker", "--timestamps", "--tail=1")).toMatch(/^\d{4}-.*T.*Z line 3\n$/u);
    expect(await logs("talker", "--since-time=2100-01-01T00:00:00Z")).toBe("");
    const path = "/api/v1/namespaces/default/pods/talker/log?stream=Stderr";
    expect(await cluster.kubectl(["get", "--raw", path])).toBe("err\n");
    expect(await eventually("it was restarted", () => logs("ended", "--previous"))).toBe(
      "only once\n",
    );
  });

  test("are refused in Kubernetes' words", async () => {
    const absent = pod("absent", { image: "berth/absent:v0", imagePullPolicy: "Never" });
    await cluster.kubectl(["apply", "-f", "-"], JSON.stringify(absent));
    await eventually("it waits", async () =>
      expect(logs("absent")).rejects.toThrow(
        'container "main" in pod "absent" is waiting to start: ErrImageNeverPull',
      ),
    );
    await expect(logs("talker", "-c", "other")).rejects.toThrow(
      "container other is not valid for pod talker",
    );
    await expect(logs("talker", "--previous")).rejects.toThrow(
      'previous terminated container "main" in pod "talker" not found',
    );
    const wrong = "/api/v1/namespaces/default/pods/talker/log?tailLines=-1";
    await expect(cluster.kubectl(["get", "--raw", wrong])).rejects.toThrow(
      "greater than or equal to 0",
    );
  });

  test("wait for a reader that is slow, and end with the container", async () => {
    const memory = watchMemory(cluster);
    await using slow = await running(["logs", "-f", "flood"]);
    slow.child.stdout?.pause();
    await using quick = await running(["exec", "flood", "--", "sh", "-c", "sleep 3"]);
    await quick.ended;
    expect([...memory.grown()].filter(([, mib]) => mib > grownMaxMiB)).toEqual([]);
    slow.child.kill();
    await using following = await running(["logs", "-f", "--tail=1", "talker"]);
    await following.says(/line 3/u);
    await cluster.kubectl(["delete", "pod", "talker", "--wait=false"]);
    expect((await following.ended).code).toBe(0);
  });
});

describe("a proxied request", () => {
  const raw = (path: string) =>
    cluster.kubectl(["get", "--raw", `/api/v1/namespaces/default/${path}`]);

  test("reaches a pod and a Service, with what it says and how it is answered", async () => {
    expect(await raw("pods/box:8080/proxy/a/b?c=d")).toBe("GET /a/b?c=d ");
    const throughService = () => raw("services/web:80/proxy/x");
    expect(await eventually("the Service has endpoints", throughService)).toBe("GET /x ");
    const client = await clientOf(cluster.kubeconfig);
    const path = "/api/v1/namespaces/default/pods/http:box:8080/proxy/teapot";
    expect(await client.call("POST", path, { bytes: "tea" })).toMatchObject({
      code: 418,
      text: "POST /teapot tea",
    });
  });

  test("is refused where nobody listens", async () => {
    await expect(raw("pods/box:81/proxy/")).rejects.toThrow(
      /error trying to reach service: dial tcp .*:81: connect: connection refused/u,
    );
    await expect(raw("services/web:81/proxy/")).rejects.toThrow("no service port 81 found");
    const node = cluster.kubectl(["get", "--raw", "/api/v1/nodes/node-1/proxy/healthz"]);
    await expect(node).rejects.toThrow("no server of its own");
  });

  test("may become another protocol", async () => {
    const client = await clientOf(cluster.kubeconfig);
    expect(
      await client.upgrade("/api/v1/namespaces/default/pods/box:8080/proxy/", "echo", "hello"),
    ).toBe("hello");
  });
});

describe.each([
  { name: "over a WebSocket", env: { KUBECTL_PORT_FORWARD_WEBSOCKETS: "true" } },
  { name: "over SPDY", env: spdy },
])("a gateway that is killed $name", ({ name, env }) => {
  test("fails kubectl's exec, cp and port-forward", async () => {
    const make = `const fs = require("fs"); fs.writeFileSync("/tmp/large", ""); fs.truncateSync("/tmp/large", 2 ** 35);`;
    expect(await ran(["exec", "box", "--", "/usr/bin/node", "-e", make])).toMatchObject({
      code: 0,
    });
    const copied = join(folder, name.replaceAll(" ", "-"));
    await using exec = await running(["exec", "-i", "box", "--", "cat"], { env });
    await using forward = await running(["port-forward", "pod/box", ":9000"], { env });
    await using copy = await running(["cp", "box:/tmp/large", copied], { env });
    exec.write("heard\n");
    await exec.says(/heard/u);
    expect(await exchange(await localPort(forward, 9000), "a")).toBe("hello a");
    await eventually("it copies", async () => expect(existsSync(copied)).toBe(true));
    cluster.processes.get("api-0")?.kill();
    for (const client of [exec, forward, copy]) {
      expect((await client.ended).code).toBe(1);
      expect(client.stderr()).toMatch(/error/iu);
    }
    rmSync(copied);
    await eventually("it is back", () => cluster.kubectl(["get", "pod", "box"]));
  });
});

test("no command outlives its client", async () => {
  await eventually("only the pod's own process runs", async () => {
    expect(await podProcesses(cluster, "box")).toHaveLength(1);
  });
});
