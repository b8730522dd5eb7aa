import { describe, expect, test } from "vitest";
import { causesOf } from "../causes-fixture.ts";
import { parse } from "../errors.ts";
import { shownBy } from "../shown-fixture.ts";
import { ingress } from "./ingress.ts";
import { ingressClass } from "./ingressclass.ts";
import { networkPolicy } from "./networkpolicy.ts";

const metadata = { name: "web" };

describe("a NetworkPolicy", () => {
  const policy = (spec: object) => parse(networkPolicy, { metadata, spec });

  test.each([
    [{}, ["Ingress"]],
    [{ egress: [{}] }, ["Ingress", "Egress"]],
    [{ egress: [{}], policyTypes: ["Egress"] }, ["Egress"]],
  ])("of %j concerns %j", (spec, types) => {
    expect(policy(spec).spec).toMatchObject({ podSelector: {}, policyTypes: types });
  });

  test("is of TCP where it names no protocol", () => {
    const { spec } = policy({ ingress: [{ ports: [{ port: 80, endPort: 90 }] }] });
    expect(spec.ingress).toEqual([{ ports: [{ protocol: "TCP", port: 80, endPort: 90 }] }]);
  });

  test.each([
    [
      { ports: [{ port: 0 }] },
      "ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
    ],
    [
      { ports: [{ port: 80, endPort: 79 }] },
      "ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`",
    ],
    [
      { ports: [{ port: "http", endPort: 90 }] },
      "ports[0].endPort: Invalid value: 90: may not be specified when `port` is non-numeric",
    ],
    [
      { ports: [{ endPort: 90 }] },
      "ports[0].endPort: Invalid value: 90: may not be specified when `port` is not specified",
    ],
    [
      { ports: [{ protocol: "ICMP" }] },
      'ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
    ],
    [{ from: [{}] }, "from[0]: Required value: must specify a peer"],
    [
      { from: [{ podSelector: {}, ipBlock: { cidr: "10.0.0.0/8" } }] },
      "from[0]: Forbidden: may not specify both ipBlock and another peer",
    ],
    [{ from: [{ ipBlock: { cidr: "" } }] }, "from[0].ipBlock.cidr: Required value"],
    [
      { from: [{ ipBlock: { cidr: "10.0.0.0" } }] },
      'from[0].ipBlock.cidr: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
    [
      { from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/16"] } }] },
      'from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
    ],
  ])("with a rule %j is refused", (rule, cause) => {
    expect(causesOf(() => policy({ ingress: [rule] }))).toEqual([`spec.ingress[0].${cause}`]);
  });

  test("shows the pods that it concerns", () => {
    const one = policy({ podSelector: { matchLabels: { app: "web" } } });
    expect(shownBy(networkPolicy, one)).toMatchObject({ "Pod-Selector": "app=web" });
  });
});

describe("an Ingress", () => {
  const backend = { service: { name: "web", port: { number: 80 } } };
  const route = (spec: object) => parse(ingress, { metadata, spec });
  const rule = (path: object) => ({
    rules: [{ http: { paths: [{ path: "/", pathType: "Prefix", backend, ...path }] } }],
  });

  test.each([
    [{}, "spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"],
    [rule({ pathType: undefined }), "spec.rules[0].http.paths[0].pathType: Required value"],
    [
      rule({ path: "web" }),
      'spec.rules[0].http.paths[0].path: Invalid value: "web": must be an absolute path',
    ],
    [
      rule({ path: "/a//b" }),
      "spec.rules[0].http.paths[0].path: Invalid value: \"/a//b\": must not contain '//'",
    ],
    [
      rule({ backend: {} }),
      'spec.rules[0].http.paths[0].backend: Invalid value: "": resource or service backend is required',
    ],
    [
      rule({ backend: { service: { name: "web" } } }),
      "spec.rules[0].http.paths[0].backend.service.port: Required value: port name or number is required",
    ],
    [
      { rules: [{ host: "10.0.0.1" }] },
      'spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
    ],
  ])("of %j is refused", (spec, cause) => {
    expect(causesOf(() => route(spec))).toEqual([cause]);
  });

  test("may be of every host below a domain", () => {
    expect(route({ rules: [{ host: "*.example.com" }] }).spec.rules).toHaveLength(1);
    expect(causesOf(() => route({ rules: [{ host: "*.*.example.com" }] }))[0]).toMatch(
      /^spec\.rules\[0\]\.host: Invalid value: "\*\.\*\.example\.com": a wildcard DNS-1123/,
    );
  });

  test("shows its class, hosts, addresses and ports", () => {
    const hosts = ["a", "b", "c", "d"].map((name) => ({ host: `${name}.example.com` }));
    const one = route({ rules: hosts, tls: [{}], ingressClassName: "front" });
    const status = { loadBalancer: { ingress: [{ ip: "10.0.0.2" }, { ip: "10.0.0.1" }] } };
    expect(shownBy(ingress, { ...one, status })).toMatchObject({
      Class: "front",
      Hosts: "a.example.com,b.example.com,c.example.com + 1 more...",
      Address: "10.0.0.1,10.0.0.2",
      Ports: "80, 443",
    });
    expect(shownBy(ingress, route({ defaultBackend: backend }))).toMatchObject({
      Class: "<none>",
      Hosts: "*",
      Address: "",
      Ports: "80",
    });
  });
});

describe("an IngressClass", () => {
  const parameters = { apiGroup: "example.com", kind: "Config", name: "main" };
  const aClass = (spec: object) =>
    parse(ingressClass, { metadata, spec: { controller: "example.com/front", ...spec } });

  test.each([
    [{ controller: "" }, "spec.controller: Required value"],
    [
      { controller: "front" },
      'spec.controller: Invalid value: "front": must be a domain-prefixed path (such as "acme.io/foo")',
    ],
    [
      { parameters: { ...parameters, scope: "Namespace" } },
      "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
    ],
    [
      { parameters: { ...parameters, namespace: "team" } },
      "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
    ],
  ])("of %j is refused", (spec, cause) => {
    expect(causesOf(() => aClass(spec))).toEqual([cause]);
  });

  test("keeps its controller, and shows its parameters", () => {
    const one = aClass({ parameters });
    const other = aClass({ controller: "example.com/back" });
    expect(ingressClass.validateUpdate(one, other)).toHaveLength(1);
    expect(shownBy(ingressClass, one)).toMatchObject({
      Name: "web",
      Controller: "example.com/front",
      Parameters: "Config.example.com/main",
    });
  });
});
