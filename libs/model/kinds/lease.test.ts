import { describe, expect, test } from "vitest";
import { causesOf } from "../causes-fixture.ts";
import { parse } from "../errors.ts";
import { lease } from "./lease.ts";

const aLease = (spec: object) =>
  parse(lease, { metadata: { name: "n1", namespace: "kube-node-lease" }, spec });

describe("a Lease", () => {
  test.each([
    { spec: {} },
    { spec: { holderIdentity: "n1", leaseDurationSeconds: 40, leaseTransitions: 0 } },
    { spec: { holderIdentity: "" } },
    { spec: { strategy: "OldestEmulationVersion", preferredHolder: "a" } },
    { spec: { strategy: "example.com/mine" } },
  ])("takes $spec", ({ spec }) => {
    expect(aLease(spec).spec).toEqual(spec);
  });

  test.each([
    {
      spec: { leaseDurationSeconds: 0 },
      said: "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0",
    },
    {
      spec: { leaseDurationSeconds: -1 },
      said: "spec.leaseDurationSeconds: Invalid value: -1: must be greater than 0",
    },
    {
      spec: { leaseTransitions: -1 },
      said: "spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0",
    },
    {
      spec: { preferredHolder: "a" },
      said: "spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined",
    },
    {
      spec: { strategy: "Newest" },
      said: 'spec.strategy: Unsupported value: "Newest": supported values: "OldestEmulationVersion"',
    },
    {
      spec: { strategy: "a/b/c" },
      said: 'spec.strategy: Invalid value: "a/b/c": a qualified name',
    },
    { spec: { renewTime: "yesterday" }, said: "spec.renewTime: Invalid value" },
  ])("refuses $spec", ({ spec, said }) => {
    expect(causesOf(() => aLease(spec)).join("; ")).toContain(said);
  });

  test("keeps its times to the microsecond", () => {
    const { spec } = aLease({ renewTime: "2026-01-01T00:00:01.5Z" });
    expect(spec.renewTime).toBe("2026-01-01T00:00:01.500000Z");
  });

  test("shows who holds it, and its age", () => {
    const now = Date.parse("2026-01-01T00:01:00Z");
    const metadata = { creationTimestamp: "2026-01-01T00:00:00Z", name: "n1", namespace: "a" };
    const held = parse(lease, { metadata, spec: { holderIdentity: "me" } });
    expect(lease.columns.map((column) => [column.name, column.read(held, now)])).toEqual([
      ["Name", "n1"],
      ["Holder", "me"],
      ["Age", "60s"],
    ]);
  });
});
