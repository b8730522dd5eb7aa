import { describe, expect, test } from "vitest";
import type { PersistentVolume } from "../../../libs/model/kinds/persistentvolume.ts";
import { aStorageClaim, aVolume, start } from "../fixtures.ts";
import { decide, type World } from "./persistentvolume.ts";

const claim = aStorageClaim("data", { volumeName: "v" });
const mine = { claimRef: { namespace: "default", name: "data", uid: "uid-data" } };
const kept = { claimRef: { namespace: "default", name: "data" } };
const chosen = { "pv.kubernetes.io/bound-by-controller": "yes" };
const made = {
  "pv.kubernetes.io/provisioned-by": "berth.dev/host-path",
  "berth.dev/directory-node": "n1",
};
const deleted = { persistentVolumeReclaimPolicy: "Delete" };
const finalizers = ["kubernetes.io/pv-protection", "berth.dev/volume-directory"];
const released = { phase: "Released" };

/** What a turn does, in a line. */
function textOf(self: PersistentVolume, world: Partial<World>): string {
  const turn = decide(self, { claim: undefined, nodeIsThere: true, ...world }, start);
  const own = turn.self === undefined ? [] : [turn.self.op];
  return [turn.status?.phase, ...own, ...turn.events.map(({ reason }) => `(${reason})`)].join(" ");
}

type Case = { name: string; volume: PersistentVolume; world?: Partial<World>; does: string };
describe("a volume", () => {
  test.each<Case>([
    { name: "is available", volume: aVolume("v", {}, {}, {}), does: "Available" },
    { name: "is kept for a claim to come", volume: aVolume("v", kept), does: "Available" },
    { name: "is bound", volume: aVolume("v", mine), world: { claim }, does: "Bound" },
    {
      name: "waits for the claim that was promised it",
      volume: aVolume("v", mine),
      world: { claim: aStorageClaim("data") },
      does: "Available",
    },
    {
      name: "is free again when its claim took another",
      volume: aVolume("v", mine, { annotations: chosen }),
      world: { claim: aStorageClaim("data", { volumeName: "other" }) },
      does: "Available update",
    },
    {
      name: "is retained without its claim",
      volume: aVolume("v", mine, {}, { phase: "Bound" }),
      does: "Released",
    },
    {
      name: "is not the next claim's of that name",
      volume: aVolume("v", mine),
      world: { claim: aStorageClaim("data", {}, { uid: "uid-next" }) },
      does: "Released",
    },
    {
      name: "is released first, when it is to be deleted",
      volume: aVolume("v", { ...mine, ...deleted }, { annotations: made }, { phase: "Bound" }),
      does: "Released",
    },
    {
      name: "is deleted then",
      volume: aVolume("v", { ...mine, ...deleted }, { annotations: made }, released),
      does: "Released delete",
    },
    {
      name: "is left to the provisioner that made it",
      volume: aVolume(
        "v",
        { ...mine, ...deleted },
        { annotations: { "pv.kubernetes.io/provisioned-by": "disk.csi.example" } },
        released,
      ),
      does: "Released",
    },
    {
      name: "that nobody made cannot be deleted",
      volume: aVolume("v", { ...mine, ...deleted }),
      does: "Failed (VolumeFailedDelete)",
    },
    {
      name: "is not recycled",
      volume: aVolume("v", { ...mine, persistentVolumeReclaimPolicy: "Recycle" }),
      does: "Failed (VolumeFailedRecycle)",
    },
    {
      name: "that failed says so once",
      volume: aVolume(
        "v",
        { ...mine, persistentVolumeReclaimPolicy: "Recycle" },
        {},
        { phase: "Failed", message: "No recycler plugin found for the volume!" },
      ),
      does: "Failed",
    },
    {
      name: "is available again when its claim is struck out",
      volume: aVolume("v", {}, {}, { phase: "Failed", message: "no" }),
      does: "Available",
    },
    {
      name: "is protected again when someone took that away",
      volume: aVolume("v", {}, { finalizers: [] }),
      does: "Available update",
    },
  ])("$name", ({ volume, world = {}, does }) => {
    expect(textOf(volume, world)).toBe(does);
  });

  const ending = (policy: string, more: object = mine) =>
    aVolume(
      "v",
      { ...more, persistentVolumeReclaimPolicy: policy },
      { annotations: made, finalizers, deletionTimestamp: "2026-01-01T00:00:00Z" },
      released,
    );
  const [protection = "", directory = ""] = finalizers;
  test.each<[string, PersistentVolume, Partial<World>, readonly string[]]>([
    ["stays while its claim has it", ending("Delete"), { claim }, finalizers],
    ["waits for its directory's end", ending("Delete"), {}, [directory]],
    ["goes without that, when its node is gone", ending("Delete"), { nodeIsThere: false }, []],
    ["goes and leaves its directory, when that is retained", ending("Retain"), {}, []],
    ["goes when it never had a claim", ending("Retain", {}), {}, []],
  ])("that is being deleted %s", (_name, volume, world, left) => {
    const { self } = decide(volume, { claim: undefined, nodeIsThere: true, ...world }, start);
    const after = self?.op === "update" ? self.object : volume;
    expect(after.metadata.finalizers ?? []).toEqual(left);
    expect(protection).toBe("kubernetes.io/pv-protection");
  });

  test("is kept by name for whom a user kept it, when its claim took another", () => {
    const other = aStorageClaim("data", { volumeName: "other" });
    const { self } = decide(aVolume("v", mine), { claim: other, nodeIsThere: true }, start);
    expect(self?.op === "update" && self.object.spec.claimRef).toEqual(kept.claimRef);
  });

  test("says since when it stands so", () => {
    const { status } = decide(aVolume("v", mine), { claim, nodeIsThere: true }, start);
    expect(status).toEqual({ phase: "Bound", lastPhaseTransitionTime: "2026-01-01T00:00:00Z" });
  });
});
