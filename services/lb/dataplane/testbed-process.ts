/**
 * A process in one of the testbed's network namespaces: it serves, asks, and on the host carries the
 * dataplane under test. Commands and results are JSON lines on stdin and stdout.
 */
import { createSocket } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { machineAddresses } from "../machine.ts";
import type { Plan } from "../routes/plan.ts";
import { addressesOnLo } from "./addresses.ts";
import type { Dataplane } from "./dataplane.ts";
import { nftables } from "./nftables.ts";
import { proxy } from "./proxy.ts";
import { runCommand } from "../../../libs/machine/run-command.ts";

export type Place = {
  readonly protocol: "TCP" | "UDP";
  readonly address: string;
  readonly port: number;
};
export type Command =
  | { readonly op: "dataplane"; readonly name: Dataplane["name"]; readonly clusterId: string }
  | { readonly op: "apply"; readonly plan: Plan }
  | { readonly op: "repair" }
  /** Answers everyone `<name> <the client's address>`, and over TCP then echoes. */
  | ({ readonly op: "serve"; readonly name: string } & Place)
  /** What is answered there, or the code of the error. */
  | ({ readonly op: "ask" } & Place)
  /** A TCP connection that stays; `echo` says something on it. */
  | ({ readonly op: "open" } & Place)
  | { readonly op: "echo"; readonly text: string }
  | { readonly op: "run"; readonly command: readonly string[]; readonly input?: string };

const askTimeoutMs = 1_500;

if (import.meta.main) {
  let dataplane: Dataplane | undefined;
  let held: Socket | undefined;
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, command } = JSON.parse(line) as { id: number; command: Command }; // From `testbed.ts`.
    const reply = await obey(command).then(
      (result) => ({ id, result }),
      (error: unknown) => ({ id, error: String(error) }),
    );
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
  process.exit(0);

  async function obey(command: Command): Promise<unknown> {
    switch (command.op) {
      case "dataplane":
        dataplane = open(command);
        return undefined;
      case "apply":
        return dataplane?.apply(command.plan);
      case "repair":
        return dataplane?.repair();
      case "serve":
        return command.protocol === "TCP" ? serveTcp(command) : serveUdp(command);
      case "ask":
        return command.protocol === "TCP" ? askTcp(command) : askUdp(command);
      case "open":
        held = connect({ host: command.address, port: command.port });
        return nextLine(held);
      case "echo":
        held?.write(`${command.text}\n`);
        return held && nextLine(held);
      case "run":
        return runCommand(command.command, command.input);
      default:
        return command satisfies never;
    }
  }
}

function open({ name, clusterId }: { name: Dataplane["name"]; clusterId: string }): Dataplane {
  if (name === "nftables") return nftables({ clusterId, run: runCommand });
  return proxy({
    addresses: addressesOnLo(clusterId, runCommand),
    alsoHeld: () => [],
    machineAddresses,
    clock: systemClock,
    random: systemRandom,
    log: createLog("testbed", "silent"),
  });
}

async function serveTcp({ name, address, port }: Place & { name: string }): Promise<void> {
  const server = createServer((client) => {
    client.on("error", () => client.destroy());
    client.write(`${name} ${client.remoteAddress ?? ""}\n`);
    client.pipe(client);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: address, port }, resolve);
  await promise;
}

async function serveUdp({ name, address, port }: Place & { name: string }): Promise<void> {
  const server = createSocket("udp4");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.on("message", (_data, from) =>
    server.send(`${name} ${from.address}`, from.port, from.address),
  );
  server.bind({ address, port }, resolve);
  await promise;
}

async function askTcp({ address, port }: Place): Promise<string> {
  const socket = connect({ host: address, port });
  try {
    return await nextLine(socket);
  } finally {
    socket.destroy();
  }
}

function nextLine(socket: Socket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const limit = systemClock.after(askTimeoutMs, () => resolve("ETIMEDOUT"));
  const said = (chunk: Buffer) => resolve(chunk.toString().trim());
  const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? "EUNKNOWN");
  socket.on("data", said).on("error", failed);
  return promise.finally(() => {
    limit[Symbol.dispose]();
    socket.off("data", said).off("error", failed);
    socket.on("error", () => undefined); // Whatever comes later is nobody's concern.
  });
}

function askUdp({ address, port }: Place): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const limit = systemClock.after(askTimeoutMs, () => resolve("ETIMEDOUT"));
  const socket = createSocket("udp4");
  socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "EUNKNOWN"));
  socket.on("message", (data) => resolve(data.toString()));
  socket.connect(port, address, () => socket.send("hello"));
  return promise.finally(() => {
    limit[Symbol.dispose]();
    socket.close();
  });
}
