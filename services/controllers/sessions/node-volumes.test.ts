import { describe, expect, test } from "vitest";
import { clusterOn } from "../../../libs/cluster/open.ts";
import { encode } from "../../../libs/admission/transaction.ts";
import { keyOf } from "../../../libs/cluster/key.ts";
import { memoryBus } from "../../../libs/bus/memory.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { persistentVolume } from "../../../libs/model/kinds/persistentvolume.ts";
import { persistentVolumeClaim } from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { nodeChanged } from "../../../libs/protocol/node.ts";
import { nodeSubject } from "../../../libs/protocol/subjects.ts";
import { memoryBucket } from "../../../libs/store/memory-bucket.ts";
import { memoryStore } from "../../../libs/store/memory.ts";
import { systemClock as clock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom as random } from "../../../libs/telemetry/random.ts";
import { aNode, aPod, aStorageClaim, aVolume, onHost, settings } from "../fixtures.ts";
import { announceChanges, answerConfig } from "./node-config.ts";
import { takeRemoved, unclaimedOn } from "./node-volumes.ts";
import type { SessionPorts } from "./sessions.ts";

type Objects = readonly (readonly [Kind, { readonly metadata: object }])[];

async function openWith(objects: Objects) {
  const log = createLog("test", "silent");
  const closing = new AbortController();
  const { signal } = closing;
  const store = memoryStore({ bucket: memoryBucket({ clock }) });
  const cluster = await clusterOn(store, settings, { clock, log, signal });
  const bus = memoryBus({ clock });
  const ports: SessionPorts = {
    ...cluster,
    bus,
    placement: { owns: () => true },
    tell: () => undefined,
    clock,
    random,
    log,
    signal,
  };
  /** Writes an object over what is there. */
  async function put([kind, object]: Objects[number]): Promise<void> {
    const { namespace, name = "" } = object.metadata as { namespace?: string; name?: string }; // As every object's.
    const key = keyOf(kind, namespace, name);
    const expect = cluster.view.raw.get(key)?.revision ?? "absent";
    const outcome = await store.commit([{ op: "put", key, expect, value: encode(object) }]);
    if (outcome.ok) await cluster.replica.caughtUp(outcome.revision);
  }
  for (const one of objects) await put(one);
  return {
    ports,
    put,
    async [Symbol.asyncDispose]() {
      closing.abort();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

const n1 = aNode("n1", { metadata: { labels: { "kubernetes.io/hostname": "n1" } } });
const using = (state: Parameters<typeof aPod>[1] = {}) =>
  aPod("web", {
    node: "n1",
    spec: { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] },
    ...state,
  });
const deletionTimestamp = "2026-01-01T00:00:00Z";
const done = { annotations: { "pv.kubernetes.io/bind-completed": "yes" } };
const bound = aStorageClaim("data", { volumeName: "v" }, done, { phase: "Bound" });
const claimRef = { namespace: "default", name: "data", uid: "uid-data" };
const finalizers = ["berth.dev/volume-directory"];
const made = {
  annotations: { "berth.dev/directory-node": "n1" },
  finalizers: ["kubernetes.io/pv-protection", ...finalizers],
};

type Case = {
  name: string;
  pod?: ReturnType<typeof aPod>;
  claim?: ReturnType<typeof aStorageClaim>;
  volume?: ReturnType<typeof aVolume>;
  gets: object;
};
describe("a node that asks for a claim of its pod", () => {
  const disk = { name: "v", path: "/disks/v", type: "", makes: false };
  test.each<Case>([
    { name: "gets the path that it is bound to", gets: { volume: disk } },
    {
      name: "is to make the directory that was made up for it",
      volume: aVolume("v", { claimRef }, made),
      gets: { volume: { ...disk, makes: true } },
    },
    {
      name: "gets a folder that must be there",
      volume: aVolume("v", {
        claimRef,
        ...onHost("n1"),
        hostPath: undefined,
        local: { path: "/ssd" },
      }),
      gets: { volume: { ...disk, path: "/ssd", type: "Directory" } },
    },
    {
      name: "waits until it is bound",
      claim: aStorageClaim("data"),
      gets: { waits: 'persistentvolumeclaim "data" is not bound', isPending: true },
    },
    {
      name: "waits when the volume is another's",
      volume: aVolume("v", { claimRef: { ...claimRef, uid: "other" } }),
      gets: { waits: 'persistentvolumeclaim "data" is not bound', isPending: false },
    },
    {
      name: "waits when the volume is elsewhere",
      volume: aVolume("v", { claimRef, ...onHost("n2") }),
      gets: {
        waits:
          'MountVolume.NodeAffinity check failed for volume "v" : no matching NodeSelectorTerms',
      },
    },
    {
      name: "waits for what it cannot serve",
      volume: aVolume("v", { claimRef, hostPath: undefined, nfs: { server: "s", path: "/" } }),
      gets: { waits: "this node cannot serve a volume of its type" },
    },
    {
      name: "gets nothing that no pod of its names",
      pod: using({ node: "n2" }),
      gets: { waits: 'persistentvolumeclaim "data" not found' },
    },
    {
      name: "does not start a pod on what is being deleted",
      claim: { ...bound, metadata: { ...bound.metadata, deletionTimestamp } },
      gets: { waits: 'persistentvolumeclaim "data" is being deleted' },
    },
    {
      name: "starts a container of a pod anew that holds what is being deleted",
      pod: using({ phase: "Running" }),
      claim: { ...bound, metadata: { ...bound.metadata, deletionTimestamp } },
      gets: { volume: disk },
    },
  ])(
    "$name",
    async ({ pod: one = using(), claim = bound, volume = aVolume("v", { claimRef }), gets }) => {
      await using world = await openWith([
        [node, n1],
        [pod, one],
        [persistentVolumeClaim, claim],
        [persistentVolume, volume],
      ]);
      const claims = [{ namespace: "default", name: "data" }];
      const asked = { node: "n1", applied: 0, refs: [], claims };
      expect((await answerConfig(world.ports, { ...asked, tokens: [] })).claims).toEqual([
        { ...claims[0], ...gets },
      ]);
    },
  );
});

test("a node is told when a claim of its pod changes", async () => {
  await using world = await openWith([[pod, using()]]);
  const told: unknown[] = [];
  const heard = Promise.withResolvers<void>();
  await using _heard = await world.ports.bus.subscribe(nodeSubject("n1", "changed"), ({ data }) => {
    told.push(nodeChanged.parse(JSON.parse(new TextDecoder().decode(data))).ref);
    heard.resolve();
  });
  using _announced = announceChanges(world.ports);
  await world.put([persistentVolumeClaim, bound]);
  await heard.promise;
  expect(told).toEqual([{ kind: "PersistentVolumeClaim", namespace: "default", name: "data" }]);
});

describe("a volume whose directory is to go", () => {
  const deleted = { persistentVolumeReclaimPolicy: "Delete", claimRef };
  const ending = aVolume("v", deleted, { ...made, finalizers, deletionTimestamp });
  test("is named to its node, and goes when that has removed it", async () => {
    await using world = await openWith([[persistentVolume, ending]]);
    const { view } = world.ports;
    expect(unclaimedOn(view, "n1")).toEqual(["v"]);
    expect(unclaimedOn(view, "n2")).toEqual([]);
    await takeRemoved(world.ports, { node: "n2", applied: 0, volumes: ["v"] });
    expect(unclaimedOn(view, "n1")).toEqual(["v"]);
    await takeRemoved(world.ports, { node: "n1", applied: 0, volumes: ["v", "unknown"] });
    await world.ports.replica.caughtUp(await world.ports.store.lastRevision());
    expect(view.get(persistentVolume, undefined, "v")).toBeUndefined();
  });

  test.each([
    ["it is not being deleted", aVolume("v", deleted, { ...made, finalizers })],
    ["a claim holds it", aVolume("v", deleted, { ...made, deletionTimestamp })],
    ["it is retained", aVolume("v", { claimRef }, { ...made, finalizers, deletionTimestamp })],
    [
      "it is no directory of ours",
      aVolume("v", deleted, { ...made, finalizers: ["a/b"], deletionTimestamp }),
    ],
  ])("is not named when %s", async (_why, volume) => {
    await using world = await openWith([[persistentVolume, volume]]);
    expect(unclaimedOn(world.ports.view, "n1")).toEqual([]);
  });
});
