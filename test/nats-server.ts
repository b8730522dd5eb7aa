/** Real nats-servers for tests: one, or a cluster on loopback; data in a folder of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";

export type NatsServers = AsyncDisposable & {
  /** Of all servers, separated by commas. */
  readonly url: string;
  readonly urls: readonly string[];
  /** `kill -9`; resolves when the process is gone. */
  kill(index: number): Promise<void>;
  /** Stops it as SIGTERM does. */
  stop(index: number): Promise<void>;
  /** Starts a killed server on its data; resolves when it accepts connections. */
  restart(index: number): Promise<void>;
  /** The server that leads `stream`; -1 when there is none or no cluster. */
  leaderOf(stream: string): Promise<number>;
};

export type NatsOptions = {
  /** Servers of a cluster; by default one server without a cluster. */
  readonly cluster?: number;
  /** `always` keeps what is acknowledged; a test of something else may do without. */
  readonly sync?: "always" | "2m";
};

const binary = join(import.meta.dirname, "..", ".berth", "bin", "nats-server");
const startedWithinMs = 15_000;

/** Resolves when JetStream answers. */
export async function startNats(options: NatsOptions = {}): Promise<NatsServers> {
  const size = options.cluster ?? 1;
  const folder = await mkdtemp(join(tmpdir(), "berth-nats-"));
  const ports = await freePorts(size * 2);
  const clients = ports.slice(0, size);
  const routes = ports.slice(size);
  const urls = clients.map((port) => `nats://127.0.0.1:${port}`);
  const children: (ChildProcess | undefined)[] = [];

  async function start(index: number): Promise<void> {
    const config = join(folder, `${index}.conf`);
    const data = join(folder, `data-${index}`);
    await writeFile(config, configOf(index, clients, routes, data, options));
    const child = spawn(binary, ["-c", config, "-l", join(folder, `${index}.log`)], {
      stdio: "ignore",
    });
    children[index] = child;
    await once(child, "spawn");
  }

  async function end(index: number, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = children[index];
    if (child === undefined) return;
    children[index] = undefined;
    const exited = once(child, "exit");
    if (child.exitCode === null && child.kill(signal)) await exited;
  }

  const servers: NatsServers = {
    url: urls.join(","),
    urls,
    kill: (index) => end(index, "SIGKILL"),
    stop: (index) => end(index, "SIGTERM"),
    async restart(index) {
      await start(index);
      await answered(urls.slice(index, index + 1), "CONNECT");
    },
    leaderOf: (stream) => leaderOf(urls, stream),
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map((_child, index) => end(index, "SIGKILL")));
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await Promise.all(clients.map((_port, index) => start(index)));
    await answered(urls, size === 1 ? "INFO" : "CLUSTER");
  } catch (error) {
    await servers[Symbol.asyncDispose]();
    throw error;
  }
  return servers;
}

function configOf(
  index: number,
  clients: readonly number[],
  routes: readonly number[],
  data: string,
  { cluster, sync = "always" }: NatsOptions,
): string {
  const peers = routes.map((port) => `nats://127.0.0.1:${port}`).join(", ");
  return [
    `server_name: "n${index}"`,
    `listen: "127.0.0.1:${clients[index]}"`,
    `max_payload: 8MB`,
    `jetstream { store_dir: ${JSON.stringify(data)}, sync_interval: ${sync}, max_file_store: 1TB, max_memory_store: 256MB }`,
    ...(cluster === undefined
      ? []
      : [
          `cluster { name: berth, listen: "127.0.0.1:${routes[index]}", routes: [${peers}], pool_size: -1 }`,
        ]),
  ].join("\n");
}

/** Waits until a server accepts connections, and JetStream can make streams. */
async function answered(urls: readonly string[], what: "CONNECT" | "INFO" | "CLUSTER") {
  const deadline = AbortSignal.timeout(startedWithinMs);
  for (;;) {
    try {
      const connection = await connect({ servers: [...urls], timeout: 500, reconnect: false });
      try {
        if (what === "CONNECT" || (await isReady(connection))) return;
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (deadline.aborted) throw new Error("nats-server did not start", { cause: error });
    }
    if (deadline.aborted) throw new Error("JetStream did not start");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function isReady(connection: Awaited<ReturnType<typeof connect>>): Promise<boolean> {
  const reply = await connection.request("$JS.API.INFO", "", { timeout: 500 });
  return !("error" in (reply.json<object>() ?? {}));
}

async function leaderOf(urls: readonly string[], stream: string): Promise<number> {
  const connection = await connect({ servers: [...urls], timeout: 1_000, reconnect: false });
  try {
    const reply = await connection.request(`$JS.API.STREAM.INFO.${stream}`, "", { timeout: 1_000 });
    const leader = reply.json<{ cluster?: { leader?: string } }>().cluster?.leader ?? "";
    return leader.startsWith("n") ? Number(leader.slice(1)) : -1;
  } finally {
    await connection.close();
  }
}

async function freePorts(count: number): Promise<number[]> {
  const sockets = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(sockets.map((socket) => once(socket, "listening")));
  const ports = sockets.map((socket) => {
    const address = socket.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.close(resolve))));
  return ports;
}
