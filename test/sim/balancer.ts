/** An lb of the simulated cluster: the real session and the real plan, a table in place of packet rules. */
import { isReady, plan } from "../../services/lb/routes/plan.ts";
import { runSession } from "../../services/lb/session/session.ts";
import type { ProcessPorts } from "./process.ts";

export type Balancer = {
  readonly machine: string;
  /** Pods' addresses that new connections may go to, as of what was applied last. */
  readonly routed: ReadonlySet<string>;
  /** Of these, those that are not ready: their Service has none that is, and they still serve. */
  readonly lastResort: ReadonlySet<string>;
  serve(ports: ProcessPorts): Promise<void>;
};

export function balancer(machine: string, applyMs: () => number): Balancer {
  const routed = new Set<string>();
  const lastResort = new Set<string>();
  let saved: unknown;
  return {
    machine,
    routed,
    lastResort,
    serve: ({ bus, clock, random, log, signal }) =>
      runSession({
        machine,
        connect: async () => bus,
        memory: {
          load: async () => saved,
          save: async (state) => void (saved = structuredClone(state)),
        },
        async apply({ services, slices, nodes, cluster }) {
          if (cluster === undefined) return;
          const { routes } = plan({ services, slices, nodes, cluster, machineAddresses: [] });
          await clock.sleep(applyMs());
          if (signal.aborted) return;
          routed.clear();
          for (const { inside, outside } of routes) {
            for (const { address } of [...inside, ...outside]) routed.add(address);
          }
          const endpoints = slices.flatMap((slice) => slice.endpoints);
          const ready = new Set(endpoints.flatMap((one) => (isReady(one) ? one.addresses : [])));
          lastResort.clear();
          for (const address of routed) if (!ready.has(address)) lastResort.add(address);
        },
        repair: async () => undefined,
        onWorking: () => undefined,
        clock,
        random,
        log,
        signal,
      }),
  };
}
