/** Claims and volumes under schedules at random: turns at lagging cuts, and users who make and delete both. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import {
  persistentVolume,
  type PersistentVolume,
} from "../../../libs/model/kinds/persistentvolume.ts";
import {
  persistentVolumeClaim,
  type PersistentVolumeClaim,
} from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { storageClass } from "../../../libs/model/kinds/storageclass.ts";
import { behaviourOf } from "../behaviour.ts";
import {
  aNamespace,
  aNode,
  aPod,
  aStorageClaim,
  aStorageClass,
  aVolume,
  countingRandom,
  settings,
  start,
} from "../fixtures.ts";
import { simulatedCluster } from "../simulated-cluster.ts";
import { persistentVolumes } from "./persistentvolume.ts";
import { persistentVolumeClaims } from "./persistentvolumeclaim.ts";

const names = 4;
const shape = fc.record({
  size: fc.constantFrom(1, 2, 4),
  modes: fc.constantFrom(["ReadWriteOnce"], ["ReadWriteOnce", "ReadOnlyMany"]),
  storageClassName: fc.constantFrom("", "hand", "made"),
  policy: fc.constantFrom("Retain", "Delete"),
  /** Whom it names, or is kept for. */
  named: fc.constantFrom(undefined, undefined, undefined, 0, 1),
});
const action = fc.record({
  act: fc.constantFrom(
    "claim",
    "claim",
    "volume",
    "volume",
    "pod",
    "unclaim",
    "unvolume",
    "turn",
    "turn",
    "turn",
  ),
  of: shape,
  nth: fc.nat(names - 1),
  onVolume: fc.boolean(),
  ago: fc.constantFrom(0, 0, 1, 2, 3, 5),
});
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

function simulate() {
  const cluster = simulatedCluster();
  let serial = 0;
  const nodes = { seen: () => undefined, judgeable: () => true };
  const record = () => undefined;
  const ports = { nodes, settings, random: countingRandom(), record, view: cluster.view };
  const claims = behaviourOf(persistentVolumeClaims, ports);
  const volumes = behaviourOf(persistentVolumes, ports);
  cluster.put(namespace, aNamespace("default"));
  cluster.put(node, aNode("n1"));
  const provisioner = "kubernetes.io/no-provisioner";
  const hand = aStorageClass("hand", { provisioner, volumeBindingMode: "Immediate" });
  cluster.put(storageClass, hand);
  cluster.put(storageClass, aStorageClass("made"));
  const uid = () => `uid-${(serial += 1)}`;
  const claim = (name: string) => cluster.view.get(persistentVolumeClaim, "default", name);

  /** By its name, or for good, as a scheduler keeps a volume for a claim that it has seen. */
  const refTo = (name: string, isForGood: boolean) => {
    const known = isForGood ? claim(name)?.metadata.uid : undefined;
    return { namespace: "default", name, ...(known !== undefined && { uid: known }) };
  };

  function perform({ act, of, nth, onVolume, ago }: Action): void {
    const { size, modes: accessModes, storageClassName, policy, named } = of;
    const [claimName, volumeName] = [`c${nth}`, `v${nth}`];
    switch (act) {
      case "claim": {
        if (claim(claimName) !== undefined) return;
        const spec = {
          accessModes,
          storageClassName,
          resources: { requests: { storage: `${size}Gi` } },
          ...(named !== undefined && { volumeName: `v${named}` }),
        };
        return cluster.put(persistentVolumeClaim, aStorageClaim(claimName, spec, { uid: uid() }));
      }
      case "volume": {
        if (cluster.view.get(persistentVolume, undefined, volumeName) !== undefined) return;
        const spec = {
          accessModes,
          storageClassName,
          capacity: { storage: `${size}Gi` },
          persistentVolumeReclaimPolicy: policy,
          ...(named !== undefined && { claimRef: refTo(`c${named}`, onVolume) }),
        };
        return cluster.put(persistentVolume, aVolume(volumeName, spec, { uid: uid() }, {}));
      }
      case "pod": {
        const volumes = [{ name: "data", persistentVolumeClaim: { claimName } }];
        return cluster.put(pod, aPod(`p${nth}`, { node: "n1", spec: { volumes } }));
      }
      case "unclaim": {
        const held = claim(claimName);
        if (held === undefined) return;
        const deletionTimestamp = "2026-01-01T00:00:01Z";
        return cluster.put(persistentVolumeClaim, {
          ...held,
          metadata: { ...held.metadata, deletionTimestamp },
        });
      }
      case "unvolume": {
        const held = cluster.view.get(persistentVolume, undefined, volumeName);
        if (held === undefined) return;
        const deletionTimestamp = "2026-01-01T00:00:01Z";
        return cluster.put(persistentVolume, {
          ...held,
          metadata: { ...held.metadata, deletionTimestamp },
        });
      }
      case "turn":
        if (onVolume) cluster.turn(volumes, volumeName, ago, start);
        else cluster.turn(claims, `default/${claimName}`, ago, start);
        return;
      default:
        act satisfies never;
    }
  }
  return { cluster, perform, settle: () => cluster.settle([claims, volumes], () => start) };
}

const isBound = ({ metadata }: PersistentVolumeClaim) =>
  metadata.annotations?.["pv.kubernetes.io/bind-completed"] === "yes";
const sizeOf = (text: string | undefined) => Number((text ?? "0Gi").slice(0, -2));

/** Written for itself: what the binder must not overlook. */
const wouldServe = ({ spec, status }: PersistentVolume, { spec: asked }: PersistentVolumeClaim) =>
  spec.claimRef === undefined &&
  status?.phase === "Available" &&
  spec.storageClassName === asked.storageClassName &&
  sizeOf(spec.capacity["storage"]) >= sizeOf(asked.resources.requests["storage"]) &&
  asked.accessModes.every((mode) => spec.accessModes.includes(mode));

test("no volume is given to two claims, and none that would serve is left lying", () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 10, maxLength: 60, size: "max" }), (actions) => {
      const { cluster, perform, settle } = simulate();
      const check = () => {
        const claims = cluster.view.list(persistentVolumeClaim);
        const taken = claims.filter(isBound).map(({ spec }) => spec.volumeName);
        expect(new Set(taken).size).toBe(taken.length);
        for (const claim of claims.filter(isBound)) {
          const volume = cluster.view.get(persistentVolume, undefined, claim.spec.volumeName ?? "");
          expect(volume?.spec.claimRef?.uid).toBe(claim.metadata.uid);
        }
      };
      for (const one of actions) {
        perform(one);
        check();
      }
      expect(settle()).toBe(true);
      check();
      const free = cluster.view.list(persistentVolume);
      const users = new Set(cluster.view.list(pod).map(({ metadata }) => metadata.name.slice(1)));
      for (const claim of cluster.view.list(persistentVolumeClaim)) {
        const { metadata, spec, status } = claim;
        const isUsed = users.has(metadata.name.slice(1));
        if (metadata.deletionTimestamp !== undefined) {
          expect(isUsed).toBe(true);
          continue;
        }
        if (isBound(claim)) {
          expect(status?.phase).toBe("Bound");
          continue;
        }
        const waits = spec.storageClassName === "made" && !isUsed;
        if ((spec.volumeName ?? "") !== "" || waits) continue;
        // Else one would have been made for it.
        if (spec.storageClassName === "made") expect(spec.accessModes).toContain("ReadOnlyMany");
        expect(free.filter((volume) => wouldServe(volume, claim))).toEqual([]);
      }
      for (const { metadata, spec, status } of free) {
        const uid = spec.claimRef?.uid;
        const holder = cluster.view
          .list(persistentVolumeClaim)
          .find((one) => one.metadata.uid === uid);
        if (uid === undefined) expect(status?.phase).toBe("Available");
        else if (holder === undefined) expect(status?.phase).toMatch(/Released|Failed/);
        else {
          const isTaken = holder.spec.volumeName === metadata.name;
          expect(status?.phase).toBe(isTaken ? "Bound" : "Available");
        }
      }
    }),
    { numRuns: 150 },
  );
});

test("a claim is not bound to a volume that goes at that moment", () => {
  const { cluster, perform } = simulate();
  const of = {
    size: 1,
    modes: ["ReadWriteOnce"],
    storageClassName: "",
    policy: "Retain",
    named: undefined,
  } as const;
  const act = (what: Action["act"], more: Partial<Action> = {}) =>
    perform({
      act: what,
      of: { ...of, modes: [...of.modes] },
      nth: 0,
      onVolume: false,
      ago: 0,
      ...more,
    });
  act("claim");
  act("volume", { onVolume: true, of: { ...of, modes: [...of.modes], named: 0 } });
  act("unvolume");
  act("turn", { onVolume: true });
  expect(cluster.view.list(persistentVolume)).toEqual([]);
  act("turn", { ago: 2 }); // It sees the volume, kept for it.
  const [claim] = cluster.view.list(persistentVolumeClaim);
  expect(claim !== undefined && isBound(claim)).toBe(false);
});
