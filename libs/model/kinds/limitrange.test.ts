import { describe, expect, test } from "vitest";
import { causesOf } from "../causes-fixture.ts";
import { parse } from "../errors.ts";
import { limitRange } from "./limitrange.ts";

const metadata = { name: "limits", namespace: "team", creationTimestamp: "2026-01-01T00:00:00Z" };
const aLimitRange = (...limits: readonly object[]) =>
  parse(limitRange, { metadata, spec: { limits } });
const ofContainers = (rest: object) => ({ type: "Container", ...rest });

describe("a LimitRange", () => {
  test.each([
    {
      name: "defaults a container's limit to the most, and its request to that limit",
      item: { max: { cpu: "1" } },
      becomes: { max: { cpu: "1" }, default: { cpu: "1" }, defaultRequest: { cpu: "1" } },
    },
    {
      name: "defaults a container's request to the least where there is no limit",
      item: { min: { cpu: "100m" } },
      becomes: { min: { cpu: "100m" }, defaultRequest: { cpu: "100m" } },
    },
    {
      name: "keeps the defaults that it names, resource by resource",
      item: {
        max: { cpu: "1", memory: "1Gi" },
        default: { cpu: "500m" },
        defaultRequest: { cpu: "100m" },
      },
      becomes: {
        max: { cpu: "1", memory: "1Gi" },
        default: { cpu: "500m", memory: "1Gi" },
        defaultRequest: { cpu: "100m", memory: "1Gi" },
      },
    },
    { name: "fills in nothing of nothing", item: {}, becomes: {} },
  ])("$name", ({ item, becomes }) => {
    expect(aLimitRange(ofContainers(item)).spec.limits).toEqual([ofContainers(becomes)]);
  });

  test.each([
    { name: "of pods", item: { type: "Pod", max: { cpu: "2" }, min: { cpu: "1" } } },
    { name: "of claims", item: { type: "PersistentVolumeClaim", min: { storage: "1Gi" } } },
    {
      name: "of a type of somebody else's",
      item: { type: "example.com/Thing", max: { pods: "1" } },
    },
    { name: "of a ratio", item: { type: "Pod", maxLimitRequestRatio: { "example.com/gpu": "1" } } },
  ])("may be $name, and defaults nothing there", ({ item }) => {
    expect(aLimitRange(item).spec.limits).toEqual([item]);
  });

  test("may be empty", () => {
    expect(parse(limitRange, { metadata }).spec.limits).toEqual([]);
  });

  type Case = { readonly name: string; readonly items: readonly object[]; readonly said: string };
  test.each<Case>([
    { name: "no type", items: [{}], said: "spec.limits[0].type: Required value" },
    {
      name: "a type that nobody knows",
      items: [{ type: "Node" }],
      said: 'spec.limits[0].type: Invalid value: "Node": must be a standard limit type or fully qualified',
    },
    {
      name: "a type twice",
      items: [ofContainers({}), ofContainers({})],
      said: 'spec.limits[1].type: Duplicate value: "Container"',
    },
    {
      name: "a default of pods",
      items: [{ type: "Pod", default: { cpu: "1" } }],
      said: "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
    },
    {
      name: "a default request of pods",
      items: [{ type: "Pod", defaultRequest: { cpu: "1" } }],
      said: "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'",
    },
    {
      name: "claims without least and most",
      items: [{ type: "PersistentVolumeClaim", default: { storage: "1" } }],
      said: "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided",
    },
    {
      name: "a resource that containers do not have",
      items: [ofContainers({ max: { storage: "1" } })],
      said: 'spec.limits[0].max.storage: Invalid value: "storage": must be a standard resource for containers',
    },
    {
      name: "a resource that nobody has",
      items: [{ type: "PersistentVolumeClaim", min: { storage: "1", size: "1" } }],
      said: 'spec.limits[0].min.size: Invalid value: "size": must be a standard resource type or fully qualified',
    },
    {
      name: "a least above the most",
      items: [{ type: "Pod", min: { cpu: "2" }, max: { cpu: "1" } }],
      said: 'spec.limits[0].min.cpu: Invalid value: "2": min value 2 is greater than max value 1',
    },
    {
      name: "a default request below the least",
      items: [ofContainers({ min: { cpu: "2" }, defaultRequest: { cpu: "1" } })],
      said: 'spec.limits[0].defaultRequest.cpu: Invalid value: "1": min value 2 is greater than default request value 1',
    },
    {
      name: "a default request above the most",
      items: [ofContainers({ max: { cpu: "1" }, defaultRequest: { cpu: "2" } })],
      said: 'spec.limits[0].defaultRequest.cpu: Invalid value: "2": default request value 2 is greater than max value 1',
    },
    {
      name: "a default request above the default limit",
      items: [ofContainers({ default: { cpu: "500m" }, defaultRequest: { cpu: "800m" } })],
      said: 'spec.limits[0].defaultRequest.cpu: Invalid value: "800m": default request value 800m is greater than default limit value 500m',
    },
    {
      name: "a default limit below the least",
      items: [ofContainers({ min: { cpu: "2" }, default: { cpu: "1" } })],
      said: 'spec.limits[0].default.cpu: Invalid value: "2": min value 2 is greater than default value 1',
    },
    {
      name: "a default limit above the most",
      items: [ofContainers({ max: { cpu: "1" }, default: { cpu: "2" } })],
      said: 'spec.limits[0].default.cpu: Invalid value: "1": default value 2 is greater than max value 1',
    },
    {
      name: "a ratio below 1",
      items: [{ type: "Pod", maxLimitRequestRatio: { cpu: "900m" } }],
      said: 'spec.limits[0].maxLimitRequestRatio.cpu: Invalid value: "900m": ratio 900m is less than 1',
    },
    {
      name: "a ratio that least and most leave no room for",
      items: [
        {
          type: "Pod",
          min: { cpu: "500m" },
          max: { cpu: "1" },
          maxLimitRequestRatio: { cpu: "3" },
        },
      ],
      said: 'spec.limits[0].maxLimitRequestRatio.cpu: Invalid value: "3": ratio 3 is greater than max/min = 2.000000',
    },
    {
      name: "two defaults of what is had or not",
      items: [
        ofContainers({
          default: { "example.com/gpu": "2" },
          defaultRequest: { "example.com/gpu": "1" },
        }),
      ],
      said: 'spec.limits[0].defaultRequest[example.com/gpu]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in example.com/gpu',
    },
    {
      name: "an amount that is none",
      items: [ofContainers({ max: { cpu: "much" } })],
      said: "spec.limits[0].max.cpu: Invalid value: quantities must match",
    },
  ])("refuses $name", ({ items, said }) => {
    expect(causesOf(() => aLimitRange(...items)).join("; ")).toContain(said);
  });

  test("shows when it was made, as kubectl expects", () => {
    const made = aLimitRange();
    const shown = limitRange.columns.map((column) => [column.name, column.read(made, 0)]);
    expect(shown).toEqual([
      ["Name", "limits"],
      ["Created At", "2026-01-01T00:00:00Z"],
    ]);
  });
});
