import { describe, expect, test } from "vitest";
import type { Node } from "../../../libs/model/kinds/node.ts";
import type { PersistentVolume } from "../../../libs/model/kinds/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { defaultClassOf } from "../../../libs/model/storage/class.ts";
import type { Write } from "../controller.ts";
import { aNode, aPod, aStorageClaim, aStorageClass, aVolume, onHost } from "../fixtures.ts";
import { decide } from "./persistentvolumeclaim.ts";
import type { World } from "./persistentvolumeclaim/world.ts";

const aHost = (name: string, more: Parameters<typeof aNode>[1] = {}): Node =>
  aNode(name, {
    metadata: {
      labels: { "kubernetes.io/hostname": name },
      annotations: { "berth.dev/engine": `e-${name}`, "berth.dev/volumes-folder": "/data" },
    },
    ...more,
  });
const nodes = [aHost("n1"), aHost("n2")];
const theWorld = (more: Partial<World> = {}): World => ({
  storageClass: undefined,
  named: undefined,
  volumes: [],
  users: [],
  nodes,
  clusterId: "test",
  told: undefined,
  ...more,
});
const using = (claimName: string) => ({
  spec: { volumes: [{ name: "data", persistentVolumeClaim: { claimName } }] },
});
const keptFor = (name: string, uid?: string) => ({
  claimRef: { namespace: "default", name, ...(uid !== undefined && { uid }) },
});
const sized = (storage: string) => ({ capacity: { storage } });
const asks = (storage: string) => ({ resources: { requests: { storage } } });
const mine = keptFor("data", "uid-data");
const bound = { annotations: { "pv.kubernetes.io/bind-completed": "yes" } };

/** What a turn does, in a line. */
function textOf(self: PersistentVolumeClaim, world: World): string {
  const { writes, status, events, self: own } = decide(self, world);
  const after = own?.op === "update" ? own.object : self;
  return [
    status?.phase,
    after.spec.volumeName,
    ...writes.map(writeText),
    ...events.map(({ reason }) => `(${reason})`),
  ]
    .filter((part) => part !== undefined)
    .join(" ");
}
const writeText = (write: Write<PersistentVolume>): string =>
  `${write.op}:${write.object.metadata.name}`;

const local = aStorageClass("local");
const byHand = aStorageClass("local", { provisioner: "kubernetes.io/no-provisioner" });
const atOnce = aStorageClass("local", { volumeBindingMode: "Immediate" });
const handAtOnce = aStorageClass("local", {
  provisioner: "kubernetes.io/no-provisioner",
  volumeBindingMode: "Immediate",
});
const ofLocal = { storageClassName: "local" };
const inUse = { users: [aPod("web", { node: "n2", ...using("data") })] };
const waiting = { users: [aPod("web", using("data"))] };

type Case = {
  name: string;
  claim?: PersistentVolumeClaim;
  world?: Partial<World>;
  does: string;
};
describe("a claim", () => {
  const plain = aStorageClaim("data");
  const classed = aStorageClaim("data", ofLocal);
  const namingOne = aStorageClaim("data", { volumeName: "v" });
  const wasBound = aStorageClaim("data", { volumeName: "v" }, bound, { phase: "Bound" });
  test.each<Case>([
    { name: "without a volume or a class says so", does: "Pending (FailedBinding)" },
    {
      name: "takes a volume that is free",
      world: { volumes: [aVolume("v")] },
      does: "Bound v update:v",
    },
    {
      name: "takes the smallest that is large enough",
      claim: aStorageClaim("data", asks("2Gi")),
      world: {
        volumes: [aVolume("big", sized("8Gi")), aVolume("fit", sized("3Gi")), aVolume("small")],
      },
      does: "Bound fit update:fit",
    },
    {
      name: "takes the first by name of equal ones",
      world: { volumes: [aVolume("b"), aVolume("a")] },
      does: "Bound a update:a",
    },
    {
      name: "takes the one with the fewest access modes before the smallest",
      world: {
        volumes: [
          aVolume("many", { accessModes: ["ReadWriteOnce", "ReadOnlyMany"] }),
          aVolume("one", sized("5Gi")),
        ],
      },
      does: "Bound one update:one",
    },
    {
      name: "takes none that is too small",
      world: { volumes: [aVolume("v", sized("1023Mi"))] },
      does: "Pending (FailedBinding)",
    },
    {
      name: "takes none that lacks an access mode",
      claim: aStorageClaim("data", { accessModes: ["ReadWriteOnce", "ReadWriteMany"] }),
      world: { volumes: [aVolume("v")] },
      does: "Pending (FailedBinding)",
    },
    {
      name: "takes none of another mode",
      claim: aStorageClaim("data", { volumeMode: "Block" }),
      world: { volumes: [aVolume("v")] },
      does: "Pending (FailedBinding)",
    },
    {
      name: "takes none of a class",
      world: { volumes: [aVolume("v", ofLocal)] },
      does: "Pending (FailedBinding)",
    },
    {
      name: "takes one that its selector selects",
      claim: aStorageClaim("data", { selector: { matchLabels: { disk: "ssd" } } }),
      world: { volumes: [aVolume("a"), aVolume("b", {}, { labels: { disk: "ssd" } })] },
      does: "Bound b update:b",
    },
    {
      name: "takes none that is not known to be free",
      world: {
        volumes: [aVolume("new", {}, {}, {}), aVolume("old", {}, {}, { phase: "Released" })],
      },
      does: "Pending (FailedBinding)",
    },
    {
      name: "takes none that is being deleted",
      world: { volumes: [aVolume("v", {}, { deletionTimestamp: "2026-01-01T00:00:00Z" })] },
      does: "Pending (FailedBinding)",
    },
    {
      name: "takes the one that is kept for it by name, whatever its class",
      world: { volumes: [aVolume("a"), aVolume("v", { ...keptFor("data"), ...ofLocal })] },
      does: "Bound v update:v",
    },
    {
      name: "takes the one that is kept for it by its uid, which says so already",
      world: { volumes: [aVolume("a"), aVolume("v", mine)] },
      does: "Bound v touch:v",
    },
    {
      name: "takes none that is kept for another, nor for one of its name before it",
      world: {
        volumes: [aVolume("a", keptFor("other")), aVolume("b", keptFor("data", "uid-before"))],
      },
      does: "Pending (FailedBinding)",
    },
    {
      name: "takes the volume that it names",
      claim: namingOne,
      world: { named: aVolume("v") },
      does: "Bound v update:v",
    },
    {
      name: "waits for the volume that it names",
      claim: namingOne,
      does: "Pending v",
    },
    {
      name: "does not take one that it names and that does not suit it",
      claim: namingOne,
      world: { named: aVolume("v", sized("1Mi")) },
      does: "Pending v (VolumeMismatch)",
    },
    {
      name: "does not take one that it names and that is another's",
      claim: namingOne,
      world: { named: aVolume("v", keptFor("other", "uid-other")) },
      does: "Pending v (FailedBinding)",
    },
    {
      name: "stays bound",
      claim: wasBound,
      world: { named: aVolume("v", mine) },
      does: "Bound v",
    },
    {
      name: "is bound again to one that forgot it",
      claim: wasBound,
      world: { named: aVolume("v") },
      does: "Bound v update:v",
    },
    { name: "is lost with its volume", claim: wasBound, does: "Lost v (ClaimLost)" },
    {
      name: "is lost when its volume is another's",
      claim: wasBound,
      world: { named: aVolume("v", keptFor("other", "uid-other")) },
      does: "Lost v (ClaimMisbound)",
    },
    {
      name: "of a class that is not there waits for it",
      claim: classed,
      does: "Pending (ProvisioningFailed)",
    },
    {
      name: "waits for a pod that uses it",
      claim: classed,
      world: { storageClass: local, volumes: [aVolume("v", ofLocal)] },
      does: "Pending (WaitForFirstConsumer)",
    },
    {
      name: "waits for that pod's node",
      claim: classed,
      world: { storageClass: local, ...waiting },
      does: "Pending (WaitForPodScheduled)",
    },
    {
      name: "is given a directory on that node",
      claim: classed,
      world: { storageClass: local, ...inUse },
      does: "Bound pvc-uid-data create:pvc-uid-data (ProvisioningSucceeded)",
    },
    {
      name: "takes a free volume that the node reaches before one is made",
      claim: classed,
      world: {
        storageClass: local,
        ...inUse,
        volumes: [
          aVolume("far", { ...ofLocal, ...onHost("n1") }),
          aVolume("near", { ...ofLocal, ...onHost("n2") }),
        ],
      },
      does: "Bound near update:near",
    },
    {
      name: "takes what is kept for it though no pod uses it yet",
      claim: classed,
      world: { storageClass: byHand, volumes: [aVolume("v", { ...ofLocal, ...mine })] },
      does: "Bound v touch:v",
    },
    {
      name: "takes what is kept for it though its consumer does not reach that",
      claim: classed,
      world: {
        storageClass: local,
        ...inUse,
        volumes: [aVolume("v", { ...ofLocal, ...mine, ...onHost("n1") })],
      },
      does: "Bound v touch:v",
    },
    {
      name: "is given nothing by a class without a provisioner",
      claim: classed,
      world: { storageClass: byHand, ...inUse },
      does: "Pending (ProvisioningFailed)",
    },
    {
      name: "of such a class takes a volume at once when it need not wait",
      claim: classed,
      world: { storageClass: handAtOnce, volumes: [aVolume("v", ofLocal)] },
      does: "Bound v update:v",
    },
    {
      name: "is given a directory at once by a class that does not wait",
      claim: classed,
      world: { storageClass: atOnce },
      does: "Bound pvc-uid-data create:pvc-uid-data (ProvisioningSucceeded)",
    },
    {
      name: "is given none while no node is ready",
      claim: classed,
      world: { storageClass: atOnce, nodes: [aHost("n1", { status: { conditions: [] } })] },
      does: "Pending (ProvisioningFailed)",
    },
    {
      name: "is given none on a node without an agent of ours",
      claim: classed,
      world: { storageClass: atOnce, nodes: [aNode("n1")] },
      does: "Pending (ProvisioningFailed)",
    },
    {
      name: "is given none where the class allows none",
      claim: classed,
      world: {
        ...inUse,
        storageClass: aStorageClass("local", {
          allowedTopologies: [
            { matchLabelExpressions: [{ key: "kubernetes.io/hostname", values: ["n1"] }] },
          ],
        }),
      },
      does: "Pending (ProvisioningFailed)",
    },
    {
      name: "is given none that many nodes write to",
      claim: aStorageClaim("data", { ...ofLocal, accessModes: ["ReadWriteMany"] }),
      world: { storageClass: local, ...inUse },
      does: "Pending (ProvisioningFailed)",
    },
    {
      name: "asks the provisioner that its class names",
      claim: classed,
      world: {
        storageClass: aStorageClass("local", { provisioner: "disk.csi.example" }),
        ...inUse,
      },
      does: "Pending (ExternalProvisioning)",
    },
    {
      name: "tells an Event once",
      world: {
        told: "FailedBinding: no persistent volumes available for this claim and no storage class is set",
      },
      does: "Pending",
    },
  ])("$name", ({ claim = plain, world, does }) => {
    expect(textOf(claim, theWorld(world))).toBe(does);
  });

  test("and its volume name one another", () => {
    const { writes, status, self } = decide(
      plain,
      theWorld({ volumes: [aVolume("v", sized("2Gi"))] }),
    );
    expect(status).toEqual({
      phase: "Bound",
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "2Gi" },
    });
    const chosen = { "pv.kubernetes.io/bound-by-controller": "yes" };
    expect(self).toMatchObject({
      object: {
        metadata: { annotations: { "pv.kubernetes.io/bind-completed": "yes", ...chosen } },
        spec: { volumeName: "v" },
      },
    });
    const claimRef = { kind: "PersistentVolumeClaim", ...mine.claimRef };
    expect(writes).toMatchObject([
      { op: "update", object: { metadata: { annotations: chosen }, spec: { claimRef } } },
    ]);
  });

  test("who chose it is not the cluster when a user did", () => {
    const { self } = decide(namingOne, theWorld({ named: aVolume("v") }));
    expect(self).toMatchObject({
      object: { metadata: { annotations: { "pv.kubernetes.io/bind-completed": "yes" } } },
    });
    expect(JSON.stringify(self)).not.toContain("bound-by-controller");
    const kept = decide(plain, theWorld({ volumes: [aVolume("v", keptFor("data"))] }));
    expect(JSON.stringify(kept.writes)).not.toContain("bound-by-controller");
  });

  test("is given a directory that only its node reaches", () => {
    const { writes } = decide(classed, theWorld({ storageClass: local, ...inUse }));
    expect(writes).toMatchObject([
      {
        op: "create",
        object: {
          metadata: {
            name: "pvc-uid-data",
            annotations: {
              "pv.kubernetes.io/provisioned-by": "berth.dev/host-path",
              "berth.dev/directory-node": "n2",
            },
            finalizers: ["kubernetes.io/pv-protection", "berth.dev/volume-directory"],
          },
          spec: {
            capacity: { storage: "1Gi" },
            storageClassName: "local",
            persistentVolumeReclaimPolicy: "Delete",
            hostPath: { path: "/data/pvc-uid-data", type: "DirectoryOrCreate" },
            claimRef: mine.claimRef,
            ...onHost("n2"),
          },
        },
      },
    ]);
  });

  test("is given one by its name, on a node that says no host name", () => {
    const world = theWorld({ storageClass: local, nodes: [aNode("n2")], ...inUse });
    const key = "metadata.name";
    expect(decide(classed, world).writes).toMatchObject([
      {
        object: {
          spec: {
            hostPath: { path: "/var/lib/berth/volumes/test/pvc-uid-data" },
            nodeAffinity: {
              required: {
                nodeSelectorTerms: [{ matchFields: [{ key, operator: "In", values: ["n2"] }] }],
              },
            },
          },
        },
      },
    ]);
  });

  test("goes where the scheduler said, and asks anew when that node is gone", () => {
    const chosen = (name: string) => ({
      annotations: { "volume.kubernetes.io/selected-node": name, mine: "yes" },
    });
    const world = theWorld({ storageClass: local, ...inUse });
    const { writes } = decide(aStorageClaim("data", ofLocal, chosen("n1")), world);
    expect(writes).toMatchObject([{ object: { spec: onHost("n1") } }]);
    const gone = aStorageClaim("data", ofLocal, chosen("n9"));
    const { self, events } = decide(gone, theWorld({ storageClass: local }));
    expect(self).toMatchObject({ object: { metadata: { annotations: { mine: "yes" } } } });
    expect(JSON.stringify(self)).not.toContain("selected-node");
    expect(events).toMatchObject([{ reason: "WaitForFirstConsumer" }]);
  });

  test("that does not wait is given the same node whoever asks, and not all the same", () => {
    const many = Array.from({ length: 20 }, (_, nth) => {
      const claim = aStorageClaim(`c${nth}`, ofLocal);
      const at = (of: readonly Node[]) =>
        JSON.stringify(decide(claim, theWorld({ storageClass: atOnce, nodes: of })).writes);
      expect(at(nodes.toReversed())).toBe(at(nodes));
      return at(nodes).includes('"values":["n1"]');
    });
    expect(new Set(many)).toEqual(new Set([true, false]));
  });

  test("that names no class has the default one, of several the newest", () => {
    const { storageClassName: _none, ...spec } = classed.spec;
    const bare = { ...classed, spec };
    const { self } = decide(bare, theWorld({ storageClass: local }));
    expect(self).toMatchObject({ object: { spec: ofLocal } });
    const isDefault = { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } };
    const newer = { ...isDefault, creationTimestamp: "2026-02-01T00:00:00Z" };
    const classes = [
      aStorageClass("a", {}, isDefault),
      aStorageClass("c", {}, newer),
      aStorageClass("b", {}, newer),
      aStorageClass("d", {}, { creationTimestamp: "2026-03-01T00:00:00Z" }),
    ];
    expect(defaultClassOf(classes)?.metadata.name).toBe("b");
  });

  test("stays while a pod that has a node uses it", () => {
    const ending = aStorageClaim("data", {}, { deletionTimestamp: "2026-01-01T00:00:00Z" });
    expect(decide(ending, theWorld(inUse)).self).toBeUndefined();
    const free = decide(ending, theWorld(waiting)).self;
    expect(free).toMatchObject({ op: "update" });
    expect(JSON.stringify(free)).not.toContain("pvc-protection");
  });

  test("is protected again when someone took that away", () => {
    const { self } = decide(aStorageClaim("data", {}, { finalizers: [] }), theWorld());
    expect(self).toMatchObject({
      object: { metadata: { finalizers: ["kubernetes.io/pvc-protection"] } },
    });
  });
});
