import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { writableView } from "../../../libs/cluster/view-of.ts";
import { transactionOf } from "../../../libs/admission/transaction.ts";
import { parse } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { persistentVolume } from "../../../libs/model/kinds/persistentvolume.ts";
import { persistentVolumeClaim } from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { storageClass } from "../../../libs/model/kinds/storageclass.ts";
import { claimOf, withVolumes } from "../claim.ts";
import { type NodeFacts, roomOf } from "../room.ts";
import {
  aStorageClaim,
  aStorageClass,
  aVolume,
  boundTo,
  onHost,
  using,
} from "../storage-fixture.ts";
import { volumesOf } from "../volumes-of.ts";
import { place } from "./place.ts";

const aPod = (name: string, spec: object = {}) =>
  parse(pod, {
    metadata: { name, namespace: "default", uid: `uid-${name}` },
    spec: { containers: [{ name: "main", image: "web:v1" }], ...spec },
    status: { phase: "Pending" },
  });
const aNode = (name: string, labels: Readonly<Record<string, string>> = {}) =>
  parse(node, {
    metadata: { name, uid: `uid-${name}`, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec: {},
    status: {
      allocatable: { cpu: "8", memory: "8Gi", pods: "110" },
      conditions: [{ type: "Ready", status: "True" }],
    },
  });
const nodes = [aNode("n1"), aNode("n2", { disks: "yes" })];

type Objects = readonly (readonly [Kind, unknown])[];
const claims = (...of: readonly unknown[]): Objects =>
  of.map((one) => [persistentVolumeClaim, one] as const);
const volumes = (...of: readonly unknown[]): Objects =>
  of.map((one) => [persistentVolume, one] as const);
const made = aStorageClass("berth.dev/host-path");
const byHand = aStorageClass("kubernetes.io/no-provisioner");

/** A cut that holds these. */
function viewWith(objects: Objects) {
  const store = writableView();
  const { view } = store;
  const all: Objects = [...nodes.map((one) => [node, one] as const), ...objects];
  for (const [kind, object] of all)
    store.commit(transactionOf(kind, undefined, object as never, view)); // As its kind says.
  return view;
}

function placed(objects: Objects, pods: readonly ReturnType<typeof aPod>[]) {
  const view = viewWith(objects);
  const asked = pods.map((one) => withVolumes(claimOf(one), volumesOf(view, one)));
  const rooms = nodes.map((one) => roomOf(one as NodeFacts, []));
  return place(asked, rooms);
}

const chosen = (of: string) => ({
  annotations: { "volume.kubernetes.io/selected-node": of },
});
const kept = (name: string) => ({
  claimRef: { namespace: "default", name, uid: `uid-${name}` },
});

type Case = {
  name: string;
  objects: Objects;
  spec?: object;
  on?: readonly string[];
  why?: string;
};
describe("a pod with claims", () => {
  const immediate = "pod has unbound immediate PersistentVolumeClaims";
  const none = "2 node(s) didn't find available persistent volumes to bind";
  test.each<Case>([
    { name: "needs them", objects: [], why: 'persistentvolumeclaim "data" not found' },
    {
      name: "does not come to one that ends",
      objects: claims(
        aStorageClaim(
          "data",
          {},
          { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["a/b"] },
        ),
      ),
      why: 'persistentvolumeclaim "data" is being deleted',
    },
    {
      name: "waits for one without a class",
      objects: claims(aStorageClaim("data", { storageClassName: "" })),
      why: immediate,
    },
    {
      name: "waits for one that does not wait for it",
      objects: [
        ...claims(aStorageClaim("data")),
        [storageClass, aStorageClass("berth.dev/host-path", { volumeBindingMode: "Immediate" })],
      ],
      why: immediate,
    },
    {
      name: "waits for one that names its volume",
      objects: [...claims(aStorageClaim("data", { volumeName: "v" })), [storageClass, made]],
      why: immediate,
    },
    {
      name: "goes where its volume is",
      objects: [
        ...claims(aStorageClaim("data", ...boundTo("v"))),
        ...volumes(aVolume("v", onHost("n2"))),
      ],
      on: ["n2"],
    },
    {
      name: "goes nowhere when its volume is nowhere",
      objects: [
        ...claims(aStorageClaim("data", ...boundTo("v"))),
        ...volumes(aVolume("v", onHost("n3"))),
      ],
      why: "2 node(s) didn't match PersistentVolume's node affinity",
    },
    {
      name: "goes nowhere when its volumes are apart",
      objects: [
        ...claims(aStorageClaim("data", ...boundTo("v")), aStorageClaim("log", ...boundTo("w"))),
        ...volumes(aVolume("v", onHost("n1")), aVolume("w", onHost("n2"))),
      ],
      spec: using("data", "log"),
      why: "2 node(s) didn't match PersistentVolume's node affinity",
    },
    {
      name: "whose volume is lost goes nowhere",
      objects: claims(aStorageClaim("data", ...boundTo("v"))),
      why: 'persistentvolumeclaim "data" bound to non-existent persistentvolume "v"',
    },
    {
      name: "goes anywhere when its volume is made for it",
      objects: [...claims(aStorageClaim("data")), [storageClass, made]],
      on: ["n1", "n2"],
    },
    {
      name: "goes where the class allows it",
      objects: [
        ...claims(aStorageClaim("data")),
        [
          storageClass,
          aStorageClass("berth.dev/host-path", {
            allowedTopologies: [{ matchLabelExpressions: [{ key: "disks", values: ["yes"] }] }],
          }),
        ],
      ],
      on: ["n2"],
    },
    {
      name: "goes nowhere when none can be made for it",
      objects: [
        ...claims(aStorageClaim("data", { accessModes: ["ReadWriteMany"] })),
        [storageClass, made],
      ],
      why: none,
    },
    {
      name: "goes where a free volume is, when none is made",
      objects: [
        ...claims(aStorageClaim("data")),
        ...volumes(aVolume("v", onHost("n2"))),
        [storageClass, byHand],
      ],
      on: ["n2"],
    },
    {
      name: "goes nowhere when the free volume is too small",
      objects: [
        ...claims(aStorageClaim("data", { resources: { requests: { storage: "2Gi" } } })),
        ...volumes(aVolume("v", onHost("n2"))),
        [storageClass, byHand],
      ],
      why: none,
    },
    {
      name: "goes nowhere when the volume is another's",
      objects: [
        ...claims(aStorageClaim("data")),
        ...volumes(aVolume("v", { ...onHost("n2"), ...kept("other") })),
        [storageClass, byHand],
      ],
      why: none,
    },
    {
      name: "goes where the volume is that is kept for it, though one could be made",
      objects: [
        ...claims(aStorageClaim("data")),
        ...volumes(aVolume("v", { ...onHost("n2"), ...kept("data") })),
        [storageClass, made],
      ],
      on: ["n2"],
    },
    {
      name: "needs a volume for each of its claims",
      objects: [
        ...claims(aStorageClaim("data"), aStorageClaim("log")),
        ...volumes(
          aVolume("v", onHost("n1")),
          aVolume("w", onHost("n2")),
          aVolume("x", onHost("n2")),
        ),
        [storageClass, byHand],
      ],
      spec: using("data", "log"),
      on: ["n2"],
    },
    {
      name: "does not give a large volume to a small claim that another fits",
      objects: [
        ...claims(
          aStorageClaim("big", { resources: { requests: { storage: "5Gi" } } }),
          aStorageClaim("small"),
        ),
        ...volumes(
          aVolume("v", { ...onHost("n1"), capacity: { storage: "5Gi" } }),
          aVolume("w", onHost("n1")),
        ),
        [storageClass, byHand],
      ],
      spec: using("big", "small"),
      on: ["n1"],
    },
    {
      name: "goes where its claim was promised a volume",
      objects: [...claims(aStorageClaim("data", {}, chosen("n2"))), [storageClass, made]],
      on: ["n2"],
    },
    {
      name: "goes where another pod uses the claim already",
      objects: [
        ...claims(aStorageClaim("data")),
        [storageClass, made],
        [pod, aPod("first", { ...using("data"), nodeName: "n2" })],
      ],
      on: ["n2"],
    },
    {
      name: "goes anywhere when the node that was chosen is gone",
      objects: [...claims(aStorageClaim("data", {}, chosen("n9"))), [storageClass, made]],
      on: ["n1", "n2"],
    },
  ])("$name", ({ objects, spec = using("data"), on = [], why }) => {
    const { binds, refused } = placed(objects, [aPod("web", spec)]);
    const told = why === undefined ? [] : [`0/2 nodes are available: ${why}.`];
    expect(refused.map((one) => one.why)).toEqual(told);
    const at = [...binds.keys()];
    if (why === undefined) expect(on).toEqual(expect.arrayContaining(at));
    expect(at).toHaveLength(why === undefined ? 1 : 0);
  });

  const alone = { accessModes: ["ReadWriteOncePod"] };
  const [spec, done] = boundTo("v");
  test.each([
    [
      "bound",
      [...claims(aStorageClaim("data", { ...spec, ...alone }, done)), ...volumes(aVolume("v"))],
    ],
    ["to be bound", [...claims(aStorageClaim("data", alone)), [storageClass, made] as const]],
  ])("share none that is exclusive and %s", (_how, objects) => {
    const why =
      "2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";
    const pods = ["a", "b"].map((name) => aPod(name, using("data")));
    const { binds, choices, refused } = placed(objects, pods);
    expect([...binds.values()].flat().map(({ address }) => address)).toEqual(["default/a"]);
    expect([...choices.values()].flat()).toHaveLength(1); // Written, though it is bound: see batch.
    expect(refused).toMatchObject([{ why: `0/2 nodes are available: ${why}.` }]);
    const later = placed(
      [...objects, [pod, aPod("a", { ...using("data"), nodeName: "n1" })]],
      [aPod("b", using("data"))],
    );
    expect(later.refused).toHaveLength(1);
    const ended = {
      ...aPod("a", { ...using("data"), nodeName: "n1" }),
      status: { phase: "Failed" },
    };
    expect(placed([...objects, [pod, ended]], [aPod("b", using("data"))]).refused).toEqual([]);
  });

  test("each gets a volume of its own, and what nothing is left for waits", () => {
    const pods = ["a", "b", "c"].map((name) => aPod(name, using(name)));
    const objects: Objects = [
      ...claims(...["a", "b", "c"].map((name) => aStorageClaim(name))),
      ...volumes(aVolume("v", onHost("n1")), aVolume("w", onHost("n1"))),
      [storageClass, byHand],
    ];
    const { choices, refused } = placed(objects, pods);
    const taken = [...choices.values()].flat().map(({ volume }) => volume?.metadata.name);
    expect(taken).toEqual(["v", "w"]);
    expect(refused.map(({ claim }) => claim.address)).toEqual(["default/c"]);
  });

  test("go together when they share one that waits", () => {
    const pods = ["a", "b", "c"].map((name) => aPod(name, using("data")));
    const { binds, choices } = placed(
      [...claims(aStorageClaim("data")), [storageClass, made]],
      pods,
    );
    expect(binds.size).toBe(1);
    expect([...choices.values()].flat()).toHaveLength(1);
  });

  test("never get more than there is, and share no node that one of their claims has not", () => {
    const host = fc.constantFrom("n1", "n2");
    const size = fc.constantFrom("1Gi", "2Gi");
    fc.assert(
      fc.property(
        fc.array(fc.tuple(host, size), { maxLength: 4 }),
        fc.array(size, { maxLength: 4 }),
        fc.array(fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 2 }), { maxLength: 5 }),
        (disks, asked, users) => {
          const ofSize = (storage: string) => ({ resources: { requests: { storage } } });
          const objects: Objects = [
            ...claims(...asked.map((storage, nth) => aStorageClaim(`c${nth}`, ofSize(storage)))),
            ...volumes(
              ...disks.map(([on, storage], nth) =>
                aVolume(`v${nth}`, { ...onHost(on), capacity: { storage } }),
              ),
            ),
            [storageClass, byHand],
          ];
          const pods = users.map((of, nth) => aPod(`p${nth}`, using(...of.map((c) => `c${c}`))));
          const { binds, choices } = placed(objects, pods);
          const all = [...choices.values()].flat();
          for (const named of [
            all.map(({ volume }) => volume?.metadata.name),
            all.map(({ claim }) => claim.metadata.name),
          ])
            expect(new Set(named).size).toBe(named.length);
          const homes = new Map<string, string>();
          for (const [home, bound] of binds) {
            for (const { volumes: of } of bound) {
              for (const { claim } of of.waiting) {
                expect(homes.get(claim.metadata.name) ?? home).toBe(home);
                homes.set(claim.metadata.name, home);
              }
            }
          }
          for (const { claim } of all) expect(homes.has(claim.metadata.name)).toBe(true);
        },
      ),
    );
  });
});
