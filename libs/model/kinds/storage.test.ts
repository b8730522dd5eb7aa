import { describe, expect, test } from "vitest";
import { ApiError, parse } from "../errors.ts";
import type { Kind } from "../kind.ts";
import { persistentVolume } from "./persistentvolume.ts";
import { persistentVolumeClaim } from "./persistentvolumeclaim.ts";
import { storageClass } from "./storageclass.ts";

const metadata = { name: "data" };
const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
const onNode = {
  required: {
    nodeSelectorTerms: [
      { matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] },
    ],
  },
};
const volume = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce", "ReadOnlyMany"] };

function refused(kind: Kind, object: object): readonly string[] {
  try {
    parse(kind, { metadata, ...object });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return (error.details.causes ?? []).map(({ field }) => field);
  }
  return [];
}
function shown<O>(kind: Kind<O>, one: O): Readonly<Record<string, unknown>> {
  return Object.fromEntries(kind.columns.map((column) => [column.name, column.read(one, 0)]));
}

describe("a PersistentVolumeClaim", () => {
  const aClaim = (spec: object = {}) =>
    parse(persistentVolumeClaim, { metadata, spec: { ...claim, ...spec } });

  test("says what it wants and shows what it got", () => {
    expect(aClaim().spec.volumeMode).toBe("Filesystem");
    expect(refused(persistentVolumeClaim, { spec: { ...claim, accessModes: [] } })).toEqual([
      "spec.accessModes",
    ]);
    expect(shown(persistentVolumeClaim, aClaim())).toMatchObject({ Status: "Pending", Volume: "" });
    const status = { phase: "Bound", accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } };
    const spec = { ...claim, volumeName: "pv", storageClassName: "local" };
    const bound = parse(persistentVolumeClaim, { metadata, spec, status });
    expect(shown(persistentVolumeClaim, bound)).toMatchObject({
      Status: "Bound",
      Volume: "pv",
      Capacity: "1Gi",
      "Access Modes": "RWO",
      StorageClass: "local",
    });
    const deletionTimestamp = "2026-01-01T00:00:00Z";
    const ending = { ...bound, metadata: { ...bound.metadata, deletionTimestamp } };
    expect(shown(persistentVolumeClaim, ending)).toMatchObject({ Status: "Terminating" });
  });

  test("changes only its size, and is bound and given a class once", () => {
    const fields = (before: object, after: object) =>
      persistentVolumeClaim.validateUpdate(aClaim(before), aClaim(after)).map(({ field }) => field);
    const larger = { resources: { requests: { storage: "2Gi" } } };
    expect(fields({}, { ...larger, volumeName: "pv", storageClassName: "local" })).toEqual([]);
    expect(fields({}, { accessModes: ["ReadWriteMany"] })).toEqual(["spec"]);
    expect(fields({ volumeName: "pv" }, { volumeName: "other" })).toEqual(["spec.volumeName"]);
    expect(fields({ volumeName: "" }, { volumeName: "pv" })).toEqual([]);
    expect(fields({ storageClassName: "a" }, { storageClassName: "b" })).toEqual(["spec"]);
  });
});

describe("a PersistentVolume", () => {
  test("is of one type, has a size, and when it is local, a node", () => {
    const local = { ...volume, local: { path: "/disk" }, nodeAffinity: onNode };
    expect(refused(persistentVolume, { spec: local })).toEqual([]);
    expect(refused(persistentVolume, { spec: { ...local, nodeAffinity: {} } })).toEqual([
      "spec.nodeAffinity",
    ]);
    expect(refused(persistentVolume, { spec: volume })).toEqual(["spec"]);
    expect(refused(persistentVolume, { spec: { ...local, hostPath: { path: "/x" } } })).toEqual([
      "spec.local",
    ]);
    expect(refused(persistentVolume, { spec: { ...local, capacity: {} } })).toEqual([
      "spec.capacity.storage",
    ]);
  });

  test("keeps its source, and shows whose it is", () => {
    const spec = {
      ...volume,
      hostPath: { path: "/x" },
      claimRef: { namespace: "default", name: "data" },
    };
    const one = parse(persistentVolume, { metadata, spec });
    expect(shown(persistentVolume, one)).toMatchObject({
      Capacity: "1Gi",
      "Access Modes": "RWO,ROX",
      "Reclaim Policy": "Retain",
      Claim: "default/data",
    });
    const moved = parse(persistentVolume, {
      metadata,
      spec: { ...spec, hostPath: { path: "/y" } },
    });
    expect(persistentVolume.validateUpdate(one, moved)).toHaveLength(1);
    expect(persistentVolume.validateUpdate(one, one)).toEqual([]);
  });
});

test("a StorageClass has Kubernetes' defaults, keeps what volumes were made by, and shows the default one", () => {
  const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
  const one = parse(storageClass, {
    metadata: { ...metadata, annotations },
    provisioner: "example.com/disk",
  });
  expect(one).toMatchObject({ reclaimPolicy: "Delete", volumeBindingMode: "Immediate" });
  expect(shown(storageClass, one)).toMatchObject({
    Name: "data (default)",
    Provisioner: "example.com/disk",
    AllowVolumeExpansion: false,
  });
  const other = { ...one, reclaimPolicy: "Retain" as const, allowVolumeExpansion: true };
  expect(storageClass.validateUpdate(one, other).map(({ field }) => field)).toEqual([
    "reclaimPolicy",
  ]);
});
