import { describe, expect, test } from "vitest";
import { parse } from "../../../libs/model/errors.ts";
import { endpointSlice, type EndpointSlice } from "../../../libs/model/kinds/endpointslice.ts";
import type { Pod } from "../../../libs/model/kinds/pod.ts";
import type { Service } from "../../../libs/model/kinds/service.ts";
import { aPod, aService, start } from "../fixtures.ts";
import { decide, endpointsMax } from "./endpointslice.ts";

const world = (pods: readonly Pod[], slices: readonly EndpointSlice[] = []) => ({
  pods: pods.map((pod) => ({ pod, nodeReady: true })),
  slices,
});
const running = (name: string, change: Parameters<typeof aPod>[1] = {}) =>
  aPod(name, { node: "n1", readySinceMs: start, ip: `10.244.0.${name.length}`, ...change });

/** The slices after a turn. */
function slicesOf(
  self: Service,
  pods: readonly Pod[],
  before: readonly EndpointSlice[] = [],
): readonly EndpointSlice[] {
  const held = new Map(before.map((slice) => [slice.metadata.name, slice]));
  for (const write of decide(self, world(pods, before)).writes) {
    const { name } = write.object.metadata;
    if (write.op === "delete") held.delete(name);
    else held.set(name, parse(endpointSlice, write.object));
  }
  return [...held.values()];
}
const endpointsOf = (self: Service, pods: readonly Pod[]) =>
  slicesOf(self, pods).flatMap(({ endpoints }) => endpoints);
const ending = { deletionTimestamp: "2026-01-01T00:00:30Z", deletionGracePeriodSeconds: 30 };

describe("a Service's slices", () => {
  test.each([
    {
      name: "a ready pod",
      pod: running("a"),
      conditions: { ready: true, serving: true, terminating: false },
    },
    {
      name: "a pod that is not ready",
      pod: aPod("a", { node: "n1", ip: "10.244.0.1" }),
      conditions: { ready: false, serving: false, terminating: false },
    },
    {
      name: "a pod that is ending (N6)",
      pod: running("a", { metadata: ending }),
      conditions: { ready: false, serving: true, terminating: true },
    },
  ])("say what $name is", ({ pod, conditions }) => {
    expect(endpointsOf(aService(), [pod])).toMatchObject([
      { conditions, targetRef: { name: "a", uid: "uid-a" }, nodeName: "n1" },
    ]);
  });

  test("leave out pods without an address, and those that have ended", () => {
    const pods = [aPod("a", { node: "n1" }), running("b", { phase: "Succeeded" })];
    expect(endpointsOf(aService(), pods)).toEqual([]);
    expect(slicesOf(aService(), pods)).toHaveLength(1); // It says that there are none.
  });

  test("publish what is not ready where that is asked for", () => {
    const pods = [aPod("a", { node: "n1", ip: "10.244.0.1" })];
    expect(endpointsOf(aService({ publishNotReadyAddresses: true }), pods)).toMatchObject([
      { conditions: { ready: true } },
    ]);
  });

  test("do not trust what a pod on a lost node last said", () => {
    const { writes } = decide(aService(), {
      pods: [{ pod: running("a"), nodeReady: false }],
      slices: [],
    });
    expect(writes).toMatchObject([
      { op: "create", object: { endpoints: [{ conditions: { ready: false } }] } },
    ]);
  });

  test("resolve named ports by pod, one slice for each list of numbers", () => {
    const listening = (name: string, containerPort: number) =>
      running(name, {
        spec: {
          containers: [{ name: "web", image: "i", ports: [{ name: "http", containerPort }] }],
        },
      });
    const proxy = { name: "proxy", image: "i", ports: [{ name: "http", containerPort: 8080 }] };
    const proxied = running("dddd", {
      spec: {
        containers: [{ name: "web", image: "i" }],
        initContainers: [{ ...proxy, restartPolicy: "Always" }],
      },
    });
    const self = aService({ ports: [{ name: "http", port: 80, targetPort: "http" }] });
    const slices = slicesOf(self, [
      listening("a", 8080),
      listening("bb", 9090),
      listening("ccc", 8080),
      proxied,
    ]);
    const shown = slices.map(({ ports, endpoints }) => `${ports[0]?.port} × ${endpoints.length}`);
    expect(shown.toSorted()).toEqual(["8080 × 3", "9090 × 1"]);
  });

  test("hold at most a hundred endpoints each, and keep an endpoint where it is", () => {
    const pods = Array.from({ length: endpointsMax + 20 }, (_, nth) =>
      running(`p${nth}`, { ip: `10.244.${Math.floor(nth / 250)}.${(nth % 250) + 1}` }),
    );
    const before = slicesOf(aService(), pods);
    expect(before.map(({ endpoints }) => endpoints.length).toSorted((a, b) => a - b)).toEqual([
      20, 100,
    ]);
    const { writes } = decide(aService(), world(pods.toSpliced(119, 1), before));
    expect(writes).toHaveLength(1);
  });

  test("rest when nothing changes", () => {
    const pods = [running("a"), running("bb")];
    expect(decide(aService(), world(pods, slicesOf(aService(), pods))).writes).toEqual([]);
  });

  test("go with the selector", () => {
    const before = slicesOf(aService(), [running("a")]);
    const { selector: _selector, ...spec } = aService().spec;
    expect(slicesOf({ ...aService(), spec }, [], before)).toEqual([]);
  });
});
