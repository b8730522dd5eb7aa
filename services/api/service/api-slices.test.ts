import { expect, onTestFinished, test, vi } from "vitest";
import { admitCreate } from "../../../libs/admission/admit.ts";
import { clusterOn } from "../../../libs/cluster/open.ts";
import { settingsFromEnvironment } from "../../../libs/cluster/settings.ts";
import { endpointSlice } from "../../../libs/model/kinds/endpointslice.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { memoryMemberships } from "../../../libs/store/memory-memberships.ts";
import { memoryStore } from "../../../libs/store/memory.ts";
import { systemClock as clock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom as random } from "../../../libs/telemetry/random.ts";
import { backendOf } from "../resources/backend.ts";
import { gatewayId, wantedSlices } from "./api-slices.ts";
import { gatewaysGroup, keepSlices } from "./keep-slices.ts";

const shown = (members: readonly string[]) =>
  wantedSlices(members).map(({ metadata, endpoints, ports }) => [
    metadata.name,
    endpoints.flatMap(({ addresses }) => addresses),
    (ports ?? []).map(({ port }) => port),
  ]);

test("the API's slices name every gateway once, a slice for each port", () => {
  const ids = [
    gatewayId("b", "10.244.2.1", 6443),
    gatewayId("a", "10.244.1.1", 6443),
    gatewayId("again", "10.244.1.1", 6443),
    gatewayId("c", "10.244.1.1", 6444),
    "a-gateway-that-pods-do-not-reach",
  ];
  expect(shown(ids)).toEqual([
    ["kubernetes", ["10.244.1.1", "10.244.2.1"], [6443]],
    ["kubernetes-6444", ["10.244.1.1"], [6444]],
  ]);
  expect(shown([])).toEqual([]);
});

test("gateways keep the slices naming those of them that live", async () => {
  const log = createLog("test", "silent");
  const stop = new AbortController();
  const { signal } = stop;
  const settings = settingsFromEnvironment.parse({});
  const cluster = await clusterOn(memoryStore(), settings, { clock, log, signal });
  const backend = backendOf(cluster, { clock, log });
  const { store, view } = cluster;
  const home = admitCreate(
    namespace,
    { metadata: { name: "default" } },
    { view, settings, now: clock.now(), random },
  );
  await store.commit(home.ops);
  const memberships = memoryMemberships({ clock });
  const gateway = { backendFor: () => backend, ports: { clock, random, settings } };
  const keeping = [1, 2].map(() => keepSlices({ gateway, memberships, clock, log, signal }));
  const announced: Promise<void>[] = [];
  onTestFinished(async () => {
    stop.abort();
    await Promise.all([...keeping, ...announced]);
    await cluster[Symbol.asyncDispose]();
  });
  const addresses = () =>
    view
      .list(endpointSlice, { namespace: "default" })
      .flatMap(({ endpoints }) => endpoints.flatMap((one) => one.addresses));
  const lives = (address: string) => {
    const life = new AbortController();
    const member = { id: gatewayId(address, address, 6443), group: gatewaysGroup };
    announced.push(memberships.announce(member, AbortSignal.any([life.signal, signal])));
    return life;
  };
  const first = lives("10.244.1.1");
  lives("10.244.2.1");
  await vi.waitFor(() => expect(addresses()).toEqual(["10.244.1.1", "10.244.2.1"]), 10_000);
  first.abort();
  await vi.waitFor(() => expect(addresses()).toEqual(["10.244.2.1"]), 10_000);
});
