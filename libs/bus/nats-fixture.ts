/** A nats-server of one test file's own, and a cable to it that can be cut. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../telemetry/clock.ts";

export type NatsFixture = AsyncDisposable & { readonly url: string; readonly port: number };

/** Starts a server without JetStream on a free port of loopback. */
export async function natsFixture(): Promise<NatsFixture> {
  const folder = await mkdtemp(join(tmpdir(), "berth-bus-"));
  const args = ["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder];
  const server = spawn(join(import.meta.dirname, "../../.berth/bin/nats-server"), args, {
    stdio: "ignore",
  });
  const port = await portIn(join(folder, `nats-server_${server.pid}.ports`), server);
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function portIn(file: string, server: ChildProcess): Promise<number> {
  for (let tries = 0; tries < 500 && server.exitCode === null; tries += 1) {
    const text = await readFile(file, "utf8").catch(() => "");
    const found = /:(\d+)"/.exec(text)?.[1];
    if (found !== undefined) return Number(found);
    await systemClock.sleep(20);
  }
  throw new Error("nats-server did not say its port");
}

export type Cable = AsyncDisposable & {
  readonly url: string;
  /** Every byte stops, without a word to either end. */
  cut(): void;
  mend(): void;
};

/** A TCP relay to `port` on loopback. */
export async function cable(port: number): Promise<Cable> {
  const sockets = new Set<Socket>();
  let whole = true;
  const relay = createServer((near) => {
    if (!whole) {
      near.destroy();
      return;
    }
    const far = createConnection(port, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => relay.listen(0, "127.0.0.1", resolve));
  const address = relay.address();
  if (address === null || typeof address === "string") throw new Error("the relay has no port");
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `nats://127.0.0.1:${address.port}`,
    cut() {
      whole = false;
      hangUp();
    },
    mend() {
      whole = true;
    },
    async [Symbol.asyncDispose]() {
      hangUp();
      await new Promise((resolve) => relay.close(resolve));
    },
  };
}
