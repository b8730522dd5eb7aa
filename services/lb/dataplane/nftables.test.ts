import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aPlan, aRoute, backend, dataplaneContract } from "./contract.ts";
import {
  canMakeTestbed,
  clusterId,
  hostAddress,
  openTestbed,
  podAddresses,
  type Testbed,
} from "./testbed.ts";

const table = `berth_${clusterId}`;
const webAddress = "10.198.0.20";

if (await canMakeTestbed()) {
  dataplaneContract("nftables");

  describe("nftables", () => {
    let bed: Testbed;
    beforeAll(async () => {
      bed = await openTestbed("nftables");
      await bed.servePods("TCP", 8080);
    });
    afterAll(() => bed[Symbol.asyncDispose]());

    test("shows a pod the address of its client", async () => {
      await bed.apply(aPlan(aRoute([backend("p2")])));
      expect(await bed.ask("p1", webAddress, 80)).toBe(`p2 ${podAddresses.p1}`);
      expect(await bed.ask("out", hostAddress, 30_080)).toBe("p2 198.19.0.2");
    });

    test("refuses a ClusterIP that nobody claims, and a port that its Service has not", async () => {
      await bed.apply(aPlan(aRoute([backend("p2")])));
      for (const from of ["p1", "host"] as const) {
        expect(await bed.ask(from, "10.198.0.99", 80)).toBe("ECONNREFUSED");
        expect(await bed.ask(from, webAddress, 81)).toBe("ECONNREFUSED");
      }
    });

    test("gives pods all backends on a node port that shows outsiders the local ones", async () => {
      await bed.apply(aPlan(aRoute([backend("p2")], { outside: [] })));
      expect(await bed.ask("p1", hostAddress, 30_080)).toMatch(/^p2 /);
      expect(await bed.ask("host", "127.0.0.1", 30_080)).toMatch(/^p2 /);
      expect(await bed.ask("out", hostAddress, 30_080)).toBe("ECONNREFUSED");
    });

    test("changes how long clients are kept", async () => {
      for (const affinitySeconds of [600, 60, undefined, 60]) {
        await bed.apply(aPlan(aRoute([backend("p2"), backend("p3")], { affinitySeconds })));
        expect(await bed.ask("p1", webAddress, 80)).toMatch(/^p[23] /);
      }
    });

    test.each([
      { name: "the table", command: ["nft", "delete", "table", "ip", table] },
      { name: "an element", command: ["nft", "flush", "map", "ip", table, "cluster_routes"] },
      { name: "a rule", command: ["nft", "flush", "chain", "ip", table, "routes"] },
    ])("restores $name that somebody removed", async ({ command }) => {
      await bed.apply(aPlan(aRoute([backend("p2")])));
      await bed.tell("host", { op: "run", command });
      expect(await bed.repair()).toBe(true);
      expect(await bed.ask("p1", webAddress, 80)).toMatch(/^p2 /);
      expect(await bed.repair()).toBe(false);
    });

    test("applies a plan over a table that somebody removed", async () => {
      await bed.apply(aPlan(aRoute([backend("p2")])));
      await bed.tell("host", { op: "run", command: ["nft", "delete", "table", "ip", table] });
      await bed.apply(aPlan(aRoute([backend("p3")])));
      expect(await bed.ask("p1", webAddress, 80)).toMatch(/^p3 /);
    });

    test("keeps connections over the replacement of the whole table", async () => {
      await bed.apply(aPlan(aRoute([backend("p1")])));
      const place = { protocol: "TCP", address: webAddress, port: 80 } as const;
      expect(await bed.tell("p3", { op: "open", ...place })).toMatch(/^p1 /);
      await bed.tell("host", { op: "dataplane", name: "nftables", clusterId });
      await bed.apply(aPlan(aRoute([backend("p2")])));
      expect(await bed.tell("p3", { op: "echo", text: "still there" })).toBe("still there");
    });
  });
} else {
  test("nftables needs root, `nft` and `ip`", () => expect(process.getuid?.()).not.toBe(0));
}
