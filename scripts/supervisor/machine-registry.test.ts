import { expect, test } from "vitest";
import { clashOf } from "./machine-registry.ts";

const mine = {
  id: "mine00",
  pid: 1,
  dir: "/a",
  port: 6443,
  podCIDR: "10.244.0.0/16",
  serviceCIDR: "10.96.0.0/16",
};
const other = {
  id: "other0",
  pid: 2,
  dir: "/b",
  port: 6444,
  podCIDR: "10.245.0.0/16",
  serviceCIDR: "10.97.0.0/16",
};

test.each<[string, Partial<typeof other>, RegExp]>([
  ["folder", { dir: "/a" }, /--dir/],
  ["port", { port: 6443 }, /--port/],
  ["pod range", { podCIDR: "10.244.0.0/16" }, /10\.244\.0\.0\/16.*--pod-cidr/],
  ["overlapping pod range", { podCIDR: "10.240.0.0/12" }, /10\.240\.0\.0\/12.*--pod-cidr/],
  ["overlapping service range", { serviceCIDR: "10.96.4.0/24" }, /10\.96\.4\.0.*--service-cidr/],
  ["service range in our pods'", { serviceCIDR: "10.244.9.0/24" }, /10\.244\.9\.0.*--pod-cidr/],
])("clusters clash by their %s", (_what, changes, message) => {
  expect(clashOf(mine, { ...other, ...changes })).toMatch(message);
});

test("clusters with nothing in common do not clash", () => {
  expect(clashOf(mine, other)).toBeUndefined();
});
