import { describe, expect, test } from "vitest";
import { parse } from "../../../libs/model/errors.ts";
import { endpoints, type Endpoints } from "../../../libs/model/kinds/endpoints.ts";
import { endpointSlice, type EndpointSlice } from "../../../libs/model/kinds/endpointslice.ts";
import type { Service } from "../../../libs/model/kinds/service.ts";
import { aService } from "../fixtures.ts";
import { addressesMax, decide } from "./endpointslicemirroring.ts";

const bare = aService({ selector: {} });
const anEndpoints = (
  subsets: readonly unknown[],
  metadata: Readonly<Record<string, unknown>> = {},
): Endpoints =>
  parse(endpoints, {
    metadata: { name: "web", namespace: "default", uid: "e1", ...metadata },
    subsets,
  });
const ips = (count: number, prefix = "10.1") =>
  Array.from({ length: count }, (_, nth) => ({ ip: `${prefix}.${nth >> 8}.${nth & 255}` }));
const http = [{ port: 8080 }];

/** The slices after a turn. */
function mirror(
  self: Endpoints,
  service: Service | undefined,
  before: readonly EndpointSlice[] = [],
): readonly EndpointSlice[] {
  const held = new Map(before.map((slice) => [slice.metadata.name, slice]));
  for (const write of decide(self, { service, slices: before }).writes) {
    const { name } = write.object.metadata;
    if (write.op === "delete") held.delete(name);
    else held.set(name, parse(endpointSlice, write.object));
  }
  return [...held.values()];
}

describe("Endpoints of a Service without a selector", () => {
  test("are mirrored, ready or not, with their ports", () => {
    const subset = { addresses: ips(1), notReadyAddresses: [{ ip: "10.1.9.9" }], ports: http };
    const [slice, ...others] = mirror(anEndpoints([subset]), bare);
    expect(others).toEqual([]);
    expect(slice?.metadata.labels).toMatchObject({
      "kubernetes.io/service-name": "web",
      "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    });
    expect(slice?.ports).toEqual([{ name: "", port: 8080, protocol: "TCP" }]);
    expect(slice?.endpoints).toMatchObject([
      { addresses: ["10.1.0.0"], conditions: { ready: true } },
      { addresses: ["10.1.9.9"], conditions: { ready: false } },
    ]);
  });

  test("rest once they are mirrored, and follow a change", () => {
    const first = anEndpoints([{ addresses: ips(2), ports: http }]);
    const slices = mirror(first, bare);
    expect(decide(first, { service: bare, slices }).writes).toEqual([]);
    const after = mirror(anEndpoints([{ addresses: ips(1), ports: http }]), bare, slices);
    expect(after.flatMap((slice) => slice.endpoints)).toHaveLength(1);
  });

  test.each<{ name: string; self: Endpoints; service: Service | undefined }>([
    { name: "without a Service", self: anEndpoints([{ addresses: ips(1) }]), service: undefined },
    {
      name: "whose Service selects pods",
      self: anEndpoints([{ addresses: ips(1) }]),
      service: aService(),
    },
    {
      name: "that ask not to be",
      self: anEndpoints([{ addresses: ips(1) }], {
        labels: { "endpointslice.kubernetes.io/skip-mirror": "true" },
      }),
      service: bare,
    },
    {
      name: "that elect a leader",
      self: anEndpoints([{ addresses: ips(1) }], {
        annotations: { "control-plane.alpha.kubernetes.io/leader": "{}" },
      }),
      service: bare,
    },
    {
      name: "that are being deleted",
      self: anEndpoints([{ addresses: ips(1) }], { deletionTimestamp: "2026-01-01T00:00:00Z" }),
      service: bare,
    },
  ])("are not mirrored: $name", ({ self, service }) => {
    const before = mirror(anEndpoints([{ addresses: ips(1), ports: http }]), bare);
    expect(before).toHaveLength(1);
    expect(mirror(self, service, before)).toEqual([]);
  });

  test("have a slice for each hundred addresses, each family and each list of ports", () => {
    const self = anEndpoints([
      { addresses: ips(250), ports: http },
      { addresses: [{ ip: "10.2.0.1" }, { ip: "fd00::1" }], ports: [{ port: 9090 }] },
    ]);
    const sizes = mirror(self, bare).map(({ addressType, endpoints: all }) => [
      addressType,
      all.length,
    ]);
    expect(sizes).toEqual([
      ["IPv4", 100],
      ["IPv4", 100],
      ["IPv4", 50],
      ["IPv4", 1],
      ["IPv6", 1],
    ]);
  });

  test("are mirrored up to a thousand addresses of a subset", () => {
    const slices = mirror(anEndpoints([{ addresses: ips(addressesMax + 5), ports: http }]), bare);
    expect(slices.flatMap((slice) => slice.endpoints)).toHaveLength(addressesMax);
  });
});
