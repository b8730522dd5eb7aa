import { createSocket, type Socket } from "node:dgram";
import type { Timer } from "../../../libs/telemetry/clock.ts";
import type { Backend } from "../routes/plan.ts";
import type { Listener, ListenOptions } from "./proxy-tcp.ts";

/** A client's flow is kept for so long after its last datagram, as conntrack keeps a UDP stream. */
const idleMs = 60_000;
/** Flows at once through one place; the one that began first is dropped first. */
const flowsMax = 4_096;

type Flow = { readonly socket: Socket; readonly backend: Backend; idle: Timer };

export async function listenUdp({
  address,
  port,
  choose,
  clock,
}: ListenOptions): Promise<Listener> {
  const flows = new Map<string, Flow>();
  const server = createSocket("udp4");
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.bind({ address, port }, resolve);
  await promise;
  server.off("error", reject);
  server.on("error", () => undefined); // A datagram that could not be sent is one that was lost.
  server.on("message", (data, { address: from, port: fromPort }) => {
    const id = `${from}:${fromPort}`;
    const flow = flows.get(id) ?? begin(id, from, fromPort);
    if (flow === undefined) return;
    flow.idle[Symbol.dispose]();
    flow.idle = clock.after(idleMs, () => end(id));
    flow.socket.send(data, flow.backend.port, flow.backend.address, () => undefined); // As above.
  });
  return {
    close: async () => {
      for (const id of flows.keys()) end(id);
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };

  function begin(id: string, from: string, fromPort: number): Flow | undefined {
    const backend = choose(from);
    if (backend === undefined) return undefined;
    const [oldest] = flows.keys();
    if (flows.size >= flowsMax && oldest !== undefined) end(oldest);
    const socket = createSocket("udp4");
    socket.on("error", () => end(id));
    socket.on("message", (data, sender) => {
      const isBackend = sender.address === backend.address && sender.port === backend.port;
      if (isBackend) server.send(data, fromPort, from, () => undefined); // As above.
    });
    const flow: Flow = { socket, backend, idle: clock.after(idleMs, () => end(id)) };
    flows.set(id, flow);
    return flow;
  }

  function end(id: string): void {
    const flow = flows.get(id);
    if (flow === undefined) return;
    flows.delete(id);
    flow.idle[Symbol.dispose]();
    flow.socket.close();
  }
}
