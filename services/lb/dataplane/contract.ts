import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend, Plan, Route } from "../routes/plan.ts";
import type { Dataplane } from "./dataplane.ts";
import {
  hostAddress,
  openTestbed,
  podAddresses,
  podCIDR,
  serviceCIDR,
  type Testbed,
} from "./testbed.ts";

const webAddress = "10.198.0.20";
export const backend = (pod: keyof typeof podAddresses, port = 8080): Backend => ({
  address: podAddresses[pod],
  port,
});
const all = [backend("p1"), backend("p2"), backend("p3")];

/** A Service on 80 with its node port, in front of `backends`. */
export const aRoute = (backends: readonly Backend[], change: Partial<Route> = {}): Route => ({
  key: "default/web/http/TCP",
  protocol: "TCP",
  clusterAddress: webAddress,
  externalAddresses: [],
  port: 80,
  nodePort: 30_080,
  inside: backends,
  outside: backends,
  affinitySeconds: undefined,
  ...change,
});
export const aPlan = (...routes: readonly Route[]): Plan => ({
  serviceCIDR,
  podCIDR,
  localPodCIDRs: [podCIDR],
  routes,
});

/** Connections enough that each of three backends is missed by all with a chance of 1 in 10⁷. */
const many = 40;

/** What every dataplane must do, on a machine of its own with real traffic. */
export function dataplaneContract(name: Dataplane["name"]): void {
  describe(`${name} keeps the Dataplane contract`, () => {
    let bed: Testbed;
    beforeAll(async () => {
      bed = await openTestbed(name);
      await bed.servePods("TCP", 8080);
      await bed.servePods("UDP", 8053);
    });
    afterAll(() => bed[Symbol.asyncDispose]());

    const podsAnswering = async (from: "host" | "out" | "p1", address: string, port: number) => {
      const answers: string[] = [];
      for (let nth = 0; nth < many; nth += 1) answers.push(await bed.ask(from, address, port));
      return [...new Set(answers.map((answer) => answer.split(" ")[0] ?? ""))].toSorted();
    };

    test("spreads a ClusterIP over its backends, for pods and for the machine", async () => {
      await bed.apply(aPlan(aRoute(all)));
      expect(await podsAnswering("p1", webAddress, 80)).toEqual(["p1", "p2", "p3"]);
      expect(await podsAnswering("host", webAddress, 80)).toEqual(["p1", "p2", "p3"]);
    });

    test("answers on the node port: from outside, from a pod, on 127.0.0.1", async () => {
      await bed.apply(aPlan(aRoute(all)));
      expect(await bed.ask("out", hostAddress, 30_080)).toMatch(/^p\d /);
      expect(await bed.ask("p1", hostAddress, 30_080)).toMatch(/^p\d /);
      expect(await bed.ask("host", hostAddress, 30_080)).toMatch(/^p\d /);
      expect(await bed.ask("host", "127.0.0.1", 30_080)).toMatch(/^p\d /);
    });

    test("answers on an external address that is the machine's", async () => {
      await bed.apply(aPlan(aRoute(all, { externalAddresses: [hostAddress] })));
      expect(await bed.ask("out", hostAddress, 80)).toMatch(/^p\d /);
      expect(await bed.ask("p2", hostAddress, 80)).toMatch(/^p\d /);
    });

    test("lets a pod reach itself", async () => {
      await bed.apply(aPlan(aRoute([backend("p1")])));
      expect(await bed.ask("p1", webAddress, 80)).toMatch(/^p1 /);
    });

    test("carries UDP", async () => {
      const udp = { protocol: "UDP", port: 53, nodePort: 30_053 } as const;
      await bed.apply(aPlan(aRoute([backend("p2", 8053)], udp)));
      expect(await bed.ask("p1", webAddress, 53, "UDP")).toMatch(/^p2 /);
      expect(await bed.ask("host", webAddress, 53, "UDP")).toMatch(/^p2 /);
      expect(await bed.ask("out", hostAddress, 30_053, "UDP")).toMatch(/^p2 /);
    });

    test("refuses at once where a Service has no endpoints", async () => {
      await bed.apply(aPlan(aRoute([], { externalAddresses: [hostAddress] })));
      expect(await bed.ask("p1", webAddress, 80)).toBe("ECONNREFUSED");
      expect(await bed.ask("host", webAddress, 80)).toBe("ECONNREFUSED");
      expect(await bed.ask("out", hostAddress, 30_080)).toBe("ECONNREFUSED");
      expect(await bed.ask("host", "127.0.0.1", 30_080)).toBe("ECONNREFUSED");
      expect(await bed.ask("out", hostAddress, 80)).toBe("ECONNREFUSED");
    });

    test("sends new connections by the new plan, and lets those that exist go on", async () => {
      await bed.apply(aPlan(aRoute([backend("p1")])));
      const place = { protocol: "TCP", address: webAddress, port: 80 } as const;
      expect(await bed.tell("p3", { op: "open", ...place })).toMatch(/^p1 /);
      await bed.apply(aPlan(aRoute([backend("p2")])));
      expect(await bed.ask("p3", webAddress, 80)).toMatch(/^p2 /);
      expect(await bed.tell("p3", { op: "echo", text: "still there" })).toBe("still there");
    });

    test("keeps a client with its backend when asked to", async () => {
      await bed.apply(aPlan(aRoute(all, { affinitySeconds: 600 })));
      expect(await podsAnswering("p1", webAddress, 80)).toHaveLength(1);
      expect(await podsAnswering("out", hostAddress, 30_080)).toHaveLength(1);
      const [kept = ""] = await podsAnswering("p1", webAddress, 80);
      await bed.apply(
        aPlan(
          aRoute(
            all.filter(({ address }) => address !== podAddresses[kept as "p1"]),
            { affinitySeconds: 600 },
          ),
        ),
      );
      const [next] = await podsAnswering("p1", webAddress, 80);
      expect(next).not.toBe(kept);
    });

    test("gives clients from outside the backends that are for them", async () => {
      await bed.apply(aPlan(aRoute(all, { outside: [backend("p3")] })));
      expect(await podsAnswering("out", hostAddress, 30_080)).toEqual(["p3"]);
      expect(await podsAnswering("p1", webAddress, 80)).toEqual(["p1", "p2", "p3"]);
    });

    test("holds many Services, and forgets those that are gone", async () => {
      const routes = Array.from({ length: 200 }, (_, nth) =>
        aRoute([backend("p1"), backend("p2")], {
          key: `default/web-${nth}/http/TCP`,
          clusterAddress: `10.198.0.${nth + 30}`,
          nodePort: 31_000 + nth,
        }),
      );
      await bed.apply(aPlan(...routes));
      expect(await bed.ask("p3", "10.198.0.229", 80)).toMatch(/^p[12] /);
      expect(await bed.ask("host", "127.0.0.1", 31_199)).toMatch(/^p[12] /);
      await bed.apply(aPlan(...routes.slice(0, 1)));
      expect(await bed.ask("p3", "10.198.0.30", 80)).toMatch(/^p[12] /);
      expect(await bed.ask("out", hostAddress, 31_199)).toBe("ECONNREFUSED");
      expect(await bed.ask("host", "10.198.0.229", 80)).toMatch(/^E/);
    });

    test("has nothing to repair when nobody changed anything", async () => {
      await bed.apply(aPlan(aRoute(all)));
      expect(await bed.repair()).toBe(false);
    });
  });
}
