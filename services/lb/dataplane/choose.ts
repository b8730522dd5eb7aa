import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Random } from "../../../libs/telemetry/random.ts";
import type { Backend, Route } from "../routes/plan.ts";

/** Picks the backend for a new connection of `client`, an address; undefined: refuse it. */
export type Choose = (client: string) => Backend | undefined;

export interface Chooser {
  pick(route: Route, backends: readonly Backend[], client: string): Backend | undefined;
  /** Forgets the clients of routes that are gone. */
  keepOnly(keys: readonly string[]): void;
}

/** Clients remembered for a route with affinity; the one that came first is forgotten first. */
const clientsMax = 65_535;

/** By chance; with affinity a client keeps its backend while that is there and its time has not run out. */
export function chooser({ clock, random }: { clock: Clock; random: Random }): Chooser {
  const clients = new Map<
    string,
    Map<string, { readonly backend: Backend; readonly untilMs: number }>
  >();
  return {
    pick(route, backends, client) {
      const any = backends[Math.floor(random.next() * backends.length)];
      if (route.affinitySeconds === undefined || any === undefined) return any;
      const known = clients.get(route.key) ?? new Map();
      clients.set(route.key, known);
      const last = known.get(client);
      const valid = last !== undefined && last.untilMs > clock.monotonicMs();
      const kept = valid
        ? backends.find(
            ({ address, port }) => address === last.backend.address && port === last.backend.port,
          )
        : undefined;
      const backend = kept ?? any;
      known.delete(client);
      known.set(client, { backend, untilMs: clock.monotonicMs() + route.affinitySeconds * 1_000 });
      const [oldest] = known.keys();
      if (known.size > clientsMax && oldest !== undefined) known.delete(oldest);
      return backend;
    },
    keepOnly(keys) {
      const living = new Set(keys);
      for (const key of clients.keys()) if (!living.has(key)) clients.delete(key);
    },
  };
}
