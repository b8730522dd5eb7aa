import { describe, expect, test } from "vitest";
import { ApiError, parse } from "../errors.ts";
import { endpointSlice } from "./endpointslice.ts";
import { service } from "./service.ts";

const http = { port: 80 };
const aService = (spec: object, status?: object) =>
  parse(service, { metadata: { name: "web" }, spec, ...(status !== undefined && { status }) });

function refused(spec: object): readonly string[] {
  try {
    aService(spec);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return (error.details.causes ?? []).map(({ field }) => field);
  }
  return [];
}

describe("a Service", () => {
  test("has Kubernetes' defaults", () => {
    expect(aService({ ports: [http] }).spec).toEqual({
      type: "ClusterIP",
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
    });
  });

  test("of type LoadBalancer takes traffic from outside", () => {
    expect(aService({ type: "LoadBalancer", ports: [http] }).spec).toMatchObject({
      externalTrafficPolicy: "Cluster",
      allocateLoadBalancerNodePorts: true,
    });
  });

  test("that sticks to clients does so for three hours", () => {
    const { sessionAffinityConfig } = aService({ ports: [http], sessionAffinity: "ClientIP" }).spec;
    expect(sessionAffinityConfig).toEqual({ clientIP: { timeoutSeconds: 10_800 } });
  });

  test.each<[string, object, string]>([
    ["no ports", {}, "spec.ports"],
    [
      "several ports of which one has no name",
      { ports: [{ name: "a", port: 1 }, { port: 2 }] },
      "spec.ports[1].name",
    ],
    [
      "one name twice",
      {
        ports: [
          { name: "a", port: 1 },
          { name: "a", port: 2 },
        ],
      },
      "spec.ports[1].name",
    ],
    [
      "one port twice",
      {
        ports: [
          { name: "a", port: 1 },
          { name: "b", port: 1 },
        ],
      },
      "spec.ports[1]",
    ],
    [
      "a node port without nodes",
      { ports: [{ ...http, nodePort: 30_000 }] },
      "spec.ports[0].nodePort",
    ],
    ["no name outside", { type: "ExternalName" }, "spec.externalName"],
    ["an address that is none", { ports: [http], clusterIP: "10.96" }, "spec.clusterIPs[0]"],
    [
      "no address on every node",
      { type: "NodePort", ports: [http], clusterIP: "None" },
      "spec.clusterIPs[0]",
    ],
    ["a port beyond all", { ports: [{ port: 65_536 }] }, "spec.ports[0].port"],
    [
      "a target that is no name",
      { ports: [{ port: 1, targetPort: "Web!" }] },
      "spec.ports[0].targetPort",
    ],
  ])("is refused for %s", (_name, spec, field) => {
    expect(refused(spec)).toEqual([field]);
  });

  test("needs no ports when it is headless, nor outside", () => {
    expect(refused({ clusterIP: "None" })).toEqual([]);
    expect(refused({ type: "ExternalName", externalName: "example.com" })).toEqual([]);
  });

  test("has a name that DNS takes, not one that begins with a digit", () => {
    const named = (name: string) => () =>
      parse(service, { metadata: { name }, spec: { ports: [http] } });
    expect(named("1web")).toThrow(/DNS-1035/);
    expect(named("web.a")).toThrow(/DNS-1035/);
  });

  test("keeps its address", () => {
    const at = (clusterIP: string) => aService({ ports: [http], clusterIP });
    expect(service.validateUpdate(at("10.96.0.1"), at("10.96.0.2"))).toHaveLength(1);
    expect(service.validateUpdate(at(""), at("10.96.0.2"))).toEqual([]);
    expect(
      service.validateUpdate(
        at("10.96.0.1"),
        aService({ type: "ExternalName", externalName: "a.b" }),
      ),
    ).toEqual([]);
  });

  test.each<[string, object, object | undefined, string, string]>([
    ["inside", { clusterIP: "10.96.0.9", ports: [http] }, undefined, "<none>", "80/TCP"],
    [
      "on nodes",
      { type: "NodePort", ports: [{ ...http, nodePort: 30_080 }] },
      undefined,
      "<none>",
      "80:30080/TCP",
    ],
    [
      "waiting for an address",
      { type: "LoadBalancer", ports: [http] },
      undefined,
      "<pending>",
      "80/TCP",
    ],
    [
      "balanced",
      { type: "LoadBalancer", ports: [http] },
      { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } },
      "1.2.3.4",
      "80/TCP",
    ],
    ["outside", { type: "ExternalName", externalName: "a.b" }, undefined, "a.b", "<none>"],
  ])("shows one %s", (_name, spec, status, external, ports) => {
    const one = aService(spec, status);
    const cells = service.columns.map((column) => [column.name, column.read(one, 0)]);
    expect(Object.fromEntries(cells)).toMatchObject({ "External-IP": external, "Port(s)": ports });
  });
});

describe("an EndpointSlice", () => {
  const aSlice = (more: object) =>
    parse(endpointSlice, { metadata: { name: "web-1" }, addressType: "IPv4", ...more });

  test("shows a few of its addresses", () => {
    const endpoints = ["1", "2", "3", "4"].map((n) => ({ addresses: [`10.0.0.${n}`] }));
    const cells = endpointSlice.columns.map((column) => [
      column.name,
      column.read(aSlice({ endpoints, ports: [http] }), 0),
    ]);
    expect(Object.fromEntries(cells)).toMatchObject({
      Ports: "80",
      Endpoints: "10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...",
    });
  });

  test("keeps its type of address", () => {
    const [one, other] = [aSlice({}), aSlice({ addressType: "IPv6" })];
    expect(endpointSlice.validateUpdate(one, other)).toHaveLength(1);
    expect(() => aSlice({ endpoints: [{ addresses: [] }] })).toThrow(/at least one address/);
  });
});
