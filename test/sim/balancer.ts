/** An lb of the simulated cluster: the real session and the real plan, a table in place of packet rules. */
import { plan } from "../../services/lb/routes/plan.ts";
import { runSession } from "../../services/lb/session/session.ts";
import type { ProcessPorts } from "./process.ts";

export type Balancer = {
  readonly machine: string;
  /** Pods' addresses that new connections may go to, as of what was applied last. */
  readonly routed: ReadonlySet<string>;
  serve(ports: ProcessPorts): Promise<void>;
};

export function balancer(machine: string, applyMs: () => number): Balancer {
  const routed = new Set<string>();
  let saved: unknown;
  return {
    machine,
    routed,
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
