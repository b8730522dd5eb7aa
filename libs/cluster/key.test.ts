import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { token, untoken } from "../protocol/subjects.ts";
import { keyOf, parseKey, prefixOf } from "./key.ts";
import { addressIn, rangeOf } from "../model/address-range.ts";

const deployments = { group: "apps", plural: "deployments", namespaced: true };
const nodes = { group: "", plural: "nodes", namespaced: false };

describe("a key", () => {
  test("is the resource, the namespace and the name", () => {
    expect(keyOf(deployments, "default", "web")).toBe("deployments/apps.default.web");
    expect(keyOf(nodes, undefined, "n1")).toBe("nodes._.n1");
  });

  test("keeps dots of a name apart from its own", () => {
    const slices = { group: "discovery.k8s.io", plural: "endpointslices", namespaced: true };
    const key = keyOf(slices, "default", "a.b");
    expect(key).toBe("endpointslices/discovery/k8s/io.default.a/b");
    expect(parseKey(key)).toMatchObject({ namespace: "default", name: "a.b" });
  });

  test("begins with its kind's prefix", () => {
    expect(prefixOf(deployments)).toBe("deployments/apps.");
    expect(prefixOf(deployments, "default")).toBe("deployments/apps.default.");
  });

  test("gives back any name, and holds only what a subject's token may", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (name) => {
        expect(untoken(token(name))).toBe(name.toWellFormed());
        expect(token(name)).toMatch(/^[A-Za-z0-9_\-:=/]*$/);
      }),
    );
  });
});

describe("an address range", () => {
  test.each([
    ["10.96.0.0/16", 10, "10.96.0.10"],
    ["10.96.0.0/16", 300, "10.96.1.44"],
    ["192.168.255.0/24", 255, "192.168.255.255"],
  ])("%s has as its %ith address %s", (cidr, nth, address) => {
    expect(addressIn(cidr, nth)).toBe(address);
  });

  test("begins at its network's address, whatever host it is written with", () => {
    expect(rangeOf("10.244.3.7/24")).toEqual({ first: rangeOf("10.244.3.0/32").first, size: 256 });
  });
});
