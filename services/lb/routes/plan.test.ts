import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anEnd, aService, aSlice } from "../fixtures.ts";
import { plan, type World } from "./plan.ts";

const cluster = { serviceCIDR: "10.96.0.0/16", podCIDR: "10.244.0.0/16" };
const here = { name: "n1", addresses: ["192.0.2.1"], podCIDR: "10.244.1.0/24" };
const there = { name: "n2", addresses: ["192.0.2.2"], podCIDR: "10.244.2.0/24" };
const aWorld = (change: Partial<World>): World => ({
  services: [aService("web")],
  slices: [],
  nodes: [here, there],
  cluster,
  machineAddresses: ["192.0.2.1", "172.17.0.1"],
  ...change,
});
const at = (address: string, port = 8080) => ({ address, port });
const near = { nodeName: "n1" };
const far = { nodeName: "n2" };

type Case = { name: string; world: Partial<World>; route: unknown };

describe("a plan", () => {
  test.each<Case>([
    {
      name: "routes a ClusterIP to its ready endpoints",
      world: { slices: [aSlice("web", [anEnd("10.244.1.2"), anEnd("10.244.1.3", "unready")])] },
      route: {
        key: "default/web/http/TCP",
        clusterAddress: "10.96.0.20",
        port: 80,
        inside: [at("10.244.1.2")],
      },
    },
    {
      name: "does not use a terminating endpoint beside a ready one",
      world: { slices: [aSlice("web", [anEnd("10.244.1.2"), anEnd("10.244.1.3", "ending")])] },
      route: { inside: [at("10.244.1.2")] },
    },
    {
      name: "uses terminating endpoints that still serve when none is ready",
      world: {
        slices: [aSlice("web", [anEnd("10.244.1.2", "ended"), anEnd("10.244.1.3", "ending")])],
      },
      route: { inside: [at("10.244.1.3")] },
    },
    { name: "refuses without endpoints", world: {}, route: { inside: [], outside: [] } },
    {
      name: "takes an absent condition for ready",
      world: { slices: [aSlice("web", [{ addresses: ["10.244.1.2"] }])] },
      route: { inside: [at("10.244.1.2")] },
    },
    {
      name: "resolves a named target port in each slice",
      world: {
        slices: [
          aSlice("web", [anEnd("10.244.1.2")]),
          aSlice("web", [anEnd("10.244.1.3")], { ports: [{ name: "http", port: 9090 }] }),
        ],
      },
      route: { inside: [at("10.244.1.2"), at("10.244.1.3", 9090)] },
    },
    {
      name: "gives LoadBalancers the nodes' addresses, and their node port",
      world: {
        services: [
          aService("web", {
            type: "LoadBalancer",
            ports: [{ name: "http", port: 80, nodePort: 30_080 }],
          }),
        ],
      },
      route: { externalAddresses: ["192.0.2.1", "192.0.2.2"], nodePort: 30_080 },
    },
    {
      name: "ignores the node port of a Service that is not exposed",
      world: {
        services: [aService("web", { ports: [{ name: "http", port: 80, nodePort: 30_080 }] })],
      },
      route: { nodePort: undefined },
    },
    {
      name: "keeps traffic from outside on this machine when asked to",
      world: {
        services: [aService("web", { type: "NodePort", externalTrafficPolicy: "Local" })],
        slices: [
          aSlice("web", [anEnd("10.244.1.2", "ready", near), anEnd("10.244.2.2", "ready", far)]),
        ],
      },
      route: { inside: [at("10.244.1.2"), at("10.244.2.2")], outside: [at("10.244.1.2")] },
    },
    {
      name: "keeps a local terminating endpoint when asked for local ones and none is ready",
      world: {
        services: [aService("web", { type: "NodePort", externalTrafficPolicy: "Local" })],
        slices: [
          aSlice("web", [anEnd("10.244.1.2", "ending", near), anEnd("10.244.2.2", "ready", far)]),
        ],
      },
      route: { inside: [at("10.244.2.2")], outside: [at("10.244.1.2")] },
    },
    {
      name: "keeps clients for three hours by default",
      world: { services: [aService("web", { sessionAffinity: "ClientIP" })] },
      route: { affinitySeconds: 10_800 },
    },
    {
      name: "takes external addresses, but none that is this machine's own or nobody's",
      world: {
        services: [
          aService("web", {
            externalIPs: ["203.0.113.7", "127.0.0.1", "0.0.0.0", "x", "224.0.0.1"],
          }),
        ],
      },
      route: { externalAddresses: ["203.0.113.7"] },
    },
  ])("$name", ({ world, route }) => {
    expect(plan(aWorld(world)).routes).toMatchObject([route]);
  });

  test.each([
    { name: "a headless Service", spec: { clusterIP: "None" } },
    { name: "an ExternalName", spec: { type: "ExternalName", externalName: "example.org" } },
    { name: "a Service without an address yet", spec: { clusterIP: undefined } },
  ])("leaves out $name", ({ spec }) => {
    expect(plan(aWorld({ services: [aService("web", spec)] })).routes).toEqual([]);
  });

  test("ignores slices of other Services, namespaces and address families", () => {
    const slices = [
      aSlice("other", [anEnd("10.244.1.2")]),
      aSlice("web", [anEnd("10.244.1.3")], {}, "elsewhere"),
      aSlice("web", [anEnd("fd00::1")], { addressType: "IPv6" }),
    ];
    expect(plan(aWorld({ slices })).routes).toMatchObject([{ inside: [] }]);
  });

  test("tells one number over TCP and UDP apart", () => {
    const ports = ["TCP", "UDP", "SCTP"].map((protocol) => ({
      name: protocol.toLowerCase(),
      protocol,
      port: 53,
    }));
    const slices = [
      aSlice("dns", [anEnd("10.244.1.2")], {
        ports: ports.map((port) => ({ ...port, port: 5353 })),
      }),
    ];
    const { routes } = plan(aWorld({ services: [aService("dns", { ports })], slices }));
    expect(routes.map(({ key, inside }) => [key, inside.length])).toEqual([
      ["default/dns/tcp/TCP", 1],
      ["default/dns/udp/UDP", 1],
      ["default/dns/sctp/SCTP", 1],
    ]);
  });

  test("knows the nodes of this machine by their addresses", () => {
    expect(plan(aWorld({})).localPodCIDRs).toEqual(["10.244.1.0/24"]);
  });

  const states = fc.constantFrom("ready", "unready", "ending", "ended");
  const ends = fc.array(fc.tuple(fc.integer({ min: 1, max: 250 }), states), { maxLength: 12 });

  test("never routes to an endpoint that does not serve, nor to a terminating one beside a ready one", () => {
    fc.assert(
      fc.property(fc.array(ends, { maxLength: 4 }), (groups) => {
        const all = groups.map((group, nth) =>
          group.map(([octet, state]) => ({ address: `10.244.${nth}.${octet}`, state })),
        );
        const slices = all.map((group) =>
          aSlice(
            "web",
            group.map(({ address, state }) => anEnd(address, state)),
          ),
        );
        const [route] = plan(aWorld({ slices })).routes;
        const flat = all.flat();
        const ready = flat.filter(({ state }) => state === "ready");
        const usable = ready.length > 0 ? ready : flat.filter(({ state }) => state === "ending");
        const wanted = new Set(usable.map(({ address }) => address));
        expect(new Set(route?.inside.map(({ address }) => address))).toEqual(wanted);
        expect(route?.inside).toHaveLength(wanted.size);
      }),
    );
  });

  test("gives each address with a port, and each node port, to one Service, whatever the order", () => {
    const services = fc.array(
      fc.record({
        ip: fc.integer({ min: 1, max: 3 }),
        port: fc.integer({ min: 80, max: 81 }),
        nodePort: fc.integer({ min: 30_000, max: 30_001 }),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(services, (specs) => {
        const made = specs.map(({ ip, port, nodePort }, nth) =>
          aService(`s${nth}`, {
            type: "LoadBalancer",
            clusterIP: `10.96.0.${ip}`,
            ports: [{ name: "http", port, nodePort }],
          }),
        );
        const { routes } = plan(aWorld({ services: made }));
        const claims = routes.flatMap(({ clusterAddress, externalAddresses, port, nodePort }) => [
          `${clusterAddress}:${port}`,
          ...externalAddresses.map((address) => `${address}:${port}`),
          ...(nodePort === undefined ? [] : [`node:${nodePort}`]),
        ]);
        expect(new Set(claims).size).toBe(claims.length);
        expect(plan(aWorld({ services: made.toReversed() })).routes).toEqual(routes);
      }),
    );
  });
});
