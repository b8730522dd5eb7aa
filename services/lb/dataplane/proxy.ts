/**
 * Services by a proxy in this process, where nftables cannot be had: TCP and UDP, on the node ports,
 * the external addresses that are this machine's, and the ClusterIPs, which are held on `lo`.
 * Backends see this machine's address, not the client's. SCTP is not carried.
 */
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import type { Random } from "../../../libs/telemetry/random.ts";
import type { Backend, Plan, Route } from "../routes/plan.ts";
import type { Addresses } from "./addresses.ts";
import { chooser, type Choose } from "./choose.ts";
import type { Dataplane } from "./dataplane.ts";
import { type Listener, listenTcp } from "./proxy-tcp.ts";
import { listenUdp } from "./proxy-udp.ts";

export type ProxyOptions = {
  readonly addresses: Addresses;
  /** Held beside the ClusterIPs: where cluster DNS answers. */
  readonly alsoHeld: () => readonly string[];
  /** The addresses of this machine. */
  readonly machineAddresses: () => readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

type Entry = Listener & { choose: Choose };
type Door = {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly route: Route;
  readonly backends: readonly Backend[];
};

export function proxy(options: ProxyOptions): Dataplane {
  const { addresses, log } = options;
  const open = new Map<string, Entry>();
  const choose = chooser(options);
  let wanted: readonly Door[] = [];

  return {
    name: "proxy",
    async apply(plan) {
      const ips = plan.routes.map(({ clusterAddress }) => clusterAddress);
      await addresses.hold([...ips, ...options.alsoHeld()]);
      wanted = doorsOf(plan, options.machineAddresses());
      const ids = new Set(wanted.map(({ id }) => id));
      for (const [id, entry] of open) {
        if (ids.has(id)) continue;
        open.delete(id);
        await entry.close();
      }
      for (const door of wanted) await serve(door);
      choose.keepOnly(plan.routes.map(({ key }) => key));
    },
    async repair() {
      const missing = wanted.filter(({ id }) => !open.has(id)); // Their ports were taken.
      for (const door of missing) await serve(door);
      return missing.some(({ id }) => open.has(id));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...open.values()].map((entry) => entry.close()));
      open.clear();
    },
  };

  async function serve({ id, address, port, route, backends }: Door): Promise<void> {
    const pick: Choose = (client) => choose.pick(route, backends, client);
    const existing = open.get(id);
    if (existing !== undefined) {
      existing.choose = pick; // Connections that exist go on; new ones go by the new plan.
      return;
    }
    const listen = route.protocol === "TCP" ? listenTcp : listenUdp;
    const current: { choose: Choose } = { choose: pick };
    try {
      const listener = await listen({
        address,
        port,
        choose: (client) => current.choose(client),
        clock: options.clock,
      });
      open.set(id, Object.assign(current, listener));
    } catch (error) {
      log.warn({ err: error, address, port }, "cannot listen for a Service"); // The others still work.
    }
  }
}

/** Where to listen: a Service without backends refuses, because nobody does. */
function doorsOf(plan: Plan, own: readonly string[]): Door[] {
  return plan.routes
    .filter(({ protocol }) => protocol !== "SCTP")
    .flatMap((route) => {
      const door = (address: string, port: number, backends: readonly Backend[]): Door => ({
        id: `${route.protocol} ${address}:${port} ${route.key}`,
        address,
        port,
        route,
        backends,
      });
      const { clusterAddress, externalAddresses, nodePort, port, inside, outside } = route;
      return [
        door(clusterAddress, port, inside),
        ...externalAddresses.filter((at) => own.includes(at)).map((at) => door(at, port, outside)),
        ...(nodePort === undefined ? [] : [door("0.0.0.0", nodePort, outside)]),
      ].filter(({ backends }) => backends.length > 0);
    });
}
