import { describe, expect, test } from "vitest";
import { parse } from "../../../libs/model/errors.ts";
import { endpoints, type Endpoints } from "../../../libs/model/kinds/endpoints.ts";
import { endpointSlice, type EndpointSlice } from "../../../libs/model/kinds/endpointslice.ts";
import type { Service } from "../../../libs/model/kinds/service.ts";
import { aService } from "../fixtures.ts";
import { addressesMax, decide } from "./endpoints.ts";

type Facts = { readonly ip: string; readonly ready?: boolean; readonly terminating?: boolean };
const aSlice = (name: string, all: readonly Facts[], port = 8080): EndpointSlice =>
  parse(endpointSlice, {
    metadata: { name, namespace: "default" },
    addressType: "IPv4",
    ports: [{ name: "", port, protocol: "TCP" }],
    endpoints: all.map(({ ip, ready = true, terminating = false }) => ({
      addresses: [ip],
      conditions: { ready: ready && !terminating, serving: ready, terminating },
    })),
  });

function made(
  self: Service,
  slices: readonly EndpointSlice[],
  held?: Endpoints,
): Endpoints | undefined {
  const [write] = decide(self, { held, slices }).writes;
  return write === undefined ? undefined : parse(endpoints, write.object);
}

describe("a Service's Endpoints", () => {
  test("say what its slices say: who is ready, who is not, and not who terminates", () => {
    const slice = aSlice("web-0", [
      { ip: "10.0.0.1" },
      { ip: "10.0.0.2", ready: false },
      { ip: "10.0.0.3", terminating: true },
    ]);
    expect(made(aService(), [slice])?.subsets).toEqual([
      {
        addresses: [{ ip: "10.0.0.1" }],
        notReadyAddresses: [{ ip: "10.0.0.2" }],
        ports: [{ port: 8080, protocol: "TCP" }],
      },
    ]);
  });

  test("have a subset for each list of ports, and none without endpoints", () => {
    const slices = [aSlice("a", [{ ip: "10.0.0.1" }]), aSlice("b", [{ ip: "10.0.0.2" }], 9090)];
    expect(made(aService(), slices)?.subsets).toHaveLength(2);
    expect(made(aService(), [aSlice("a", [])])?.subsets).toEqual([]);
  });

  test("rest when they say it already, and keep what others annotated", () => {
    const slices = [aSlice("a", [{ ip: "10.0.0.1" }])];
    const first = made(aService(), slices) ?? expect.unreachable("nothing was made");
    const held = { ...first, metadata: { ...first.metadata, annotations: { note: "mine" } } };
    expect(made(aService(), slices, held)).toBeUndefined();
    const next = made(aService(), [aSlice("a", [{ ip: "10.0.0.9" }])], held);
    expect(next?.metadata.annotations).toEqual({ note: "mine" });
  });

  test("are cut off at a thousand addresses, and say so", () => {
    const pages = Array.from({ length: 11 }, (_, page) =>
      aSlice(
        `web-${page}`,
        Array.from({ length: 100 }, (_one, nth) => ({ ip: `10.0.${page}.${nth}` })),
      ),
    );
    const cut = made(aService(), pages);
    expect(cut?.subsets?.flatMap(({ addresses = [] }) => addresses)).toHaveLength(addressesMax);
    const over = { "endpoints.kubernetes.io/over-capacity": "truncated" };
    expect(cut?.metadata.annotations).toEqual(over);
    expect(made(aService(), pages.slice(1), cut)?.metadata.annotations).toBeUndefined();
  });

  test.each<{ name: string; self: Service }>([
    { name: "selects nothing", self: aService({ selector: {} }) },
    {
      name: "is another's name",
      self: aService({ type: "ExternalName", externalName: "a.example", clusterIP: "" }),
    },
  ])("are nobody's business where the Service $name", ({ self }) => {
    expect(made(self, [])).toBeUndefined();
  });
});
