/** The nats-servers of a cluster on this machine: one, or several that keep copies of one state. */
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureNatsServer } from "../tools/tools.ts";
import { which } from "../tools/run.ts";
import { type Child, child, type ChildSpec } from "./child.ts";
import { freeNatsPort, freePort } from "./identity.ts";

export type NatsPlace = {
  readonly dir: string;
  readonly id: string;
  readonly logs: string;
  readonly servers: number;
};

const startMaxMs = 15_000;

/** The names under `dir` in which their state is: nothing else begins so. */
export const natsFiles = ["nats", "nats.conf"] as const;
export const natsFilesOf = (servers: number): readonly string[] =>
  Array.from({ length: servers }, (_, nth) =>
    natsFiles.map((name) => place(name, servers, nth)),
  ).flat();

/** They are not started yet. */
export async function natsServers(
  where: NatsPlace,
  onRestart: (name: string) => void,
): Promise<{ readonly url: string; readonly servers: readonly Child[]; started(): Promise<void> }> {
  const { dir, servers } = where;
  const ports = [await freeNatsPort(dir)];
  while (ports.length < 2 * servers) ports.push(await freePort());
  const clients = ports.slice(0, servers);
  const routes = ports.slice(servers);
  const specs = clients.map((port, nth) => specOf(where, nth, { port, routes }));
  const children = (await Promise.all(specs)).map((spec) => child(spec, onRestart));
  return {
    url: clients.map((port) => `nats://127.0.0.1:${port}`).join(","),
    servers: children,
    async started() {
      await Promise.all(clients.map(answersOn));
    },
  };
}

type Ports = { readonly port: number; readonly routes: readonly number[] };

async function specOf(
  { dir, id, logs, servers }: NatsPlace,
  nth: number,
  { port, routes }: Ports,
): Promise<ChildSpec> {
  const command = await ensureNatsServer();
  const [store, file] = natsFiles.map((name) => join(dir, place(name, servers, nth)));
  if (store === undefined || file === undefined) throw new TypeError("two names were given");
  mkdirSync(store, { recursive: true, mode: 0o700 });
  const peers = routes.map((route) => `nats://127.0.0.1:${route}`).join(", ");
  const cluster = `cluster { name: "berth", listen: "127.0.0.1:${routes[nth]}", routes: [${peers}] }`;
  writeFileSync(
    file,
    `listen: "127.0.0.1:${port}"
server_name: "${place("berth", servers, nth)}"
max_payload: 8MB
jetstream { store_dir: ${JSON.stringify(store)}, sync_interval: always }
${servers === 1 ? "" : cluster}
`,
  );
  // It does not watch its stdin: the kernel tells it when its parent has died.
  const setpriv = which("setpriv");
  const tied = ["--pdeathsig", "TERM", command];
  const args = [...(setpriv === undefined ? [] : tied), "-c", file];
  const env = { BERTH_CLUSTER_ID: id, BERTH_PARENT_PIPE: "1" };
  const name = place("nats", servers, nth);
  return { name, command: setpriv ?? command, args, env, logPath: join(logs, `${name}.log`) };
}

/** `nats` of one server, `nats-0` of several; `nats-0.conf`. */
function place(name: string, servers: number, nth: number): string {
  if (servers === 1) return name;
  const [stem = "", ...end] = name.split(".");
  return [`${stem}-${nth}`, ...end].join(".");
}

/** @throws {Error} when nobody listens on the port in time */
async function answersOn(port: number): Promise<void> {
  const deadline = performance.now() + startMaxMs;
  while (!(await connects(port))) {
    if (performance.now() > deadline) throw new Error(`nothing answers on 127.0.0.1:${port}`);
    await sleep(25);
  }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const end = (connected: boolean) => {
      socket.destroy();
      resolve(connected);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}
