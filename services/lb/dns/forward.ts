/** Passes queries on to the machine's own name servers, byte for byte. */
import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Random } from "../../../libs/telemetry/random.ts";
import { frames } from "./frames.ts";

/** The answer as it came; undefined when none did, or too many are waited for already. */
export type Forward = (query: Uint8Array, over: "udp" | "tcp") => Promise<Uint8Array | undefined>;

export type Server = { readonly address: string; readonly port: number };
export type ForwardOptions = {
  readonly servers: () => Promise<readonly Server[]>;
  readonly clock: Clock;
  readonly random: Random;
};

const attemptMs = 2_000;
const attemptsMax = 4;
const outstandingMax = 1_000;

/** Each server in turn, at most twice around. */
export function forwarder({ servers, clock, random }: ForwardOptions): Forward {
  let outstanding = 0;
  return async (query, over) => {
    if (outstanding >= outstandingMax) return undefined;
    outstanding += 1;
    try {
      const known = await servers();
      for (let nth = 0; nth < Math.min(known.length * 2, attemptsMax); nth += 1) {
        const server = known[nth % known.length];
        const ask = over === "udp" ? askUdp : askTcp;
        const answer = server && (await ask(query, server, clock, random));
        if (answer !== undefined) return answer;
      }
      return undefined;
    } finally {
      outstanding -= 1;
    }
  };
}

/** From a port of its own and under an id of its own, so that an answer is hard to forge. */
function askUdp(query: Uint8Array, server: Server, clock: Clock, random: Random) {
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
  const id = Math.floor(random.next() * 65_536);
  const socket = createSocket("udp4");
  const limit = clock.after(attemptMs, () => resolve(undefined));
  socket.on("error", () => resolve(undefined));
  socket.on("message", (answer, from) => {
    const isFrom = from.address === server.address && from.port === server.port;
    if (isFrom && answer.byteLength >= 12 && answer.readUInt16BE(0) === id) {
      resolve(withId(answer, idOf(query)));
    }
  });
  socket.send(withId(query, id), server.port, server.address, (error) => {
    if (error !== null && error !== undefined) resolve(undefined);
  });
  return promise.finally(() => {
    limit[Symbol.dispose]();
    socket.close();
  });
}

function askTcp(query: Uint8Array, server: Server, clock: Clock) {
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
  const socket = connect({ host: server.address, port: server.port });
  const limit = clock.after(attemptMs, () => resolve(undefined));
  const answers = frames();
  socket.on("error", () => resolve(undefined));
  socket.on("close", () => resolve(undefined));
  socket.on("data", (chunk) => {
    const [answer] = answers.push(chunk);
    if (answer !== undefined) resolve(answer);
  });
  socket.write(answers.framed(query));
  return promise.finally(() => {
    limit[Symbol.dispose]();
    socket.destroy();
  });
}

const idOf = (packet: Uint8Array) => (packet[0] ?? 0) * 256 + (packet[1] ?? 0);
function withId(packet: Uint8Array, id: number): Uint8Array {
  const copy = Uint8Array.from(packet);
  copy[0] = Math.floor(id / 256);
  copy[1] = id % 256;
  return copy;
}

/** How long the machine's list of name servers is believed. */
const rereadMs = 10_000;

/** The `nameserver` lines of a resolv.conf, read again now and then; `exclude` would be ourselves. */
export function resolvConf(path: string, exclude: () => string | undefined, clock: Clock) {
  let held: { readonly servers: readonly Server[]; readonly atMs: number } | undefined;
  return async (): Promise<readonly Server[]> => {
    if (held === undefined || clock.monotonicMs() - held.atMs > rereadMs) {
      held = { servers: await read(path), atMs: clock.monotonicMs() };
    }
    return held.servers.filter(({ address }) => address !== exclude());
  };
}

async function read(path: string): Promise<Server[]> {
  try {
    const text = await readFile(path, "utf8");
    return [...text.matchAll(/^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)/gm)]
      .map(([, address = ""]) => ({ address, port: 53 }))
      .slice(0, 3); // As the C library does.
  } catch {
    return []; // No file: this machine has no name servers.
  }
}
