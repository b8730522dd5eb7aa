/** Connections to ports of pods. */
import { connect, type Socket } from "node:net";
import type { Bus, ByteStream, Served } from "../../../libs/bus/bus.ts";
import { joinDuplexes } from "../../../libs/bus/duplex.ts";
import { forwardOpening, type ForwardOpening } from "../../../libs/protocol/node.ts";
import { nodeSubject } from "../../../libs/protocol/subjects.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { networkHolder } from "../pod/facts.ts";
import { dialFailure } from "./dial-words.ts";
import { NotHere, type StreamPorts, streamsMax } from "./logs.ts";
import { NamespaceClosed, type NamespaceDialer } from "./namespace-dialer.ts";

const dialMaxMs = 10_000;

export type ForwardPorts = StreamPorts & {
  /** Where pods on the machine's network are. */
  readonly hostAddress: string;
  readonly dialler: Pick<NamespaceDialer, "dial">;
  readonly clock: Clock;
  readonly log: Log;
};

/** Serves connections to ports of the node's pods; one that cannot be made is refused with the reason. */
export const serveForward = (bus: Bus, node: string, ports: ForwardPorts): Promise<Served> =>
  bus.accept(
    nodeSubject(node, "forward"),
    async (stream, message) => {
      const opening = forwardOpening.parse(JSON.parse(new TextDecoder().decode(message.data)));
      const socket = await dial(opening, ports);
      await join(stream, socket, ports.signal);
    },
    { concurrency: streamsMax },
  );

async function dial({ uid, pod, port, to }: ForwardOpening, ports: ForwardPorts): Promise<Socket> {
  const holder = networkHolder(ports.runtime.containers(uid).filter(({ pid }) => pid > 0));
  if (holder === undefined) throw new NotHere(`pod ${pod} is not running`);
  const { address, pid } = holder;
  if (to === "address") return connected(address ?? ports.hostAddress, port, ports.clock);
  if (address === undefined) return connected("127.0.0.1", port, ports.clock); // On the machine's network.
  try {
    const socket = await ports.dialler.dial(pid, port);
    socket.allowHalfOpen = true;
    return socket;
  } catch (error) {
    if (error instanceof NamespaceClosed) {
      ports.log.debug({ err: error, uid }, "the pod is dialled by its address");
      return connected(address, port, ports.clock);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new NotHere(
      `failed to connect to localhost:${port} inside namespace "${uid}", ${reason}`,
      {
        cause: error,
      },
    );
  }
}

function connected(host: string, port: number, clock: Clock): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true });
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown) =>
      reject(new NotHere(dialFailure("tcp", { host, port }, error), { cause: error }));
    socket.once("error", refuse);
    const limit = clock.after(dialMaxMs, () =>
      socket.destroy(Object.assign(new Error("timed out"), { code: "ETIMEDOUT" })),
    );
    socket.once("close", () => limit[Symbol.dispose]());
    socket.once("connect", () => {
      limit[Symbol.dispose]();
      socket.off("error", refuse);
      resolve(socket);
    });
  });
}

async function join(stream: ByteStream, socket: Socket, signal: AbortSignal): Promise<void> {
  const until = AbortSignal.any([stream.closed, signal]);
  const stop = () => socket.destroy();
  if (until.aborted) stop();
  until.addEventListener("abort", stop, { once: true });
  try {
    await joinDuplexes(stream, socket);
  } finally {
    until.removeEventListener("abort", stop);
    socket.destroy();
  }
}
