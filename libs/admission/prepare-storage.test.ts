import { describe, expect, test } from "vitest";
import { settingsFromEnvironment } from "../cluster/settings.ts";
import { writableView } from "../cluster/view-of.ts";
import type { Kind, ObjectOf } from "../model/kind.ts";
import { namespace } from "../model/kinds/namespace.ts";
import { persistentVolume } from "../model/kinds/persistentvolume.ts";
import { persistentVolumeClaim } from "../model/kinds/persistentvolumeclaim.ts";
import { storageClass } from "../model/kinds/storageclass.ts";
import { seededRandom } from "../telemetry/seeded-random.ts";
import { refusalOf } from "./refusal-fixture.ts";
import { admitCreate, admitDelete, admitUpdate } from "./admit.ts";

const settings = settingsFromEnvironment.parse({});

function cluster() {
  const store = writableView();
  const { view } = store;
  const context = { view, now: 0, random: seededRandom(1), settings };
  const create = <K extends Kind>(kind: K, input: unknown): ObjectOf<K> => {
    const { object, ops } = admitCreate(kind, input, context);
    store.commit(ops);
    return object;
  };
  create(namespace, { metadata: { name: "default" } });
  const ofClass = (storageClassName?: string) => ({
    metadata: { name: `data${storageClassName ?? "-none"}`, namespace: "default" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      ...(storageClassName !== undefined && { storageClassName }),
    },
  });
  return { context, create, ofClass };
}
const byDefault = {
  metadata: {
    name: "fast",
    annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
  },
  provisioner: "example.com/disk",
};

describe("a new claim", () => {
  test("has the default class when it names none, and stays without when there is none", () => {
    const { create, ofClass } = cluster();
    expect(create(persistentVolumeClaim, ofClass()).spec.storageClassName).toBeUndefined();
    create(storageClass, byDefault);
    const named = (name: string) => create(persistentVolumeClaim, ofClass(name)).spec;
    expect(named("slow").storageClassName).toBe("slow");
    expect(named("").storageClassName).toBe("");
    const { metadata, ...bare } = ofClass();
    const late = create(persistentVolumeClaim, {
      ...bare,
      metadata: { ...metadata, name: "late" },
    });
    expect(late.spec.storageClassName).toBe("fast");
  });

  test("and a new volume are protected once, and go when nothing holds them", () => {
    const { context, create, ofClass } = cluster();
    const claim = create(persistentVolumeClaim, ofClass());
    expect(claim.metadata.finalizers).toEqual(["kubernetes.io/pvc-protection"]);
    const spec = {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: "/disk" },
    };
    const finalizers = ["kubernetes.io/pv-protection"];
    const volume = create(persistentVolume, { metadata: { name: "v", finalizers }, spec });
    expect(volume.metadata.finalizers).toEqual(finalizers);
    const held = context.view.get(persistentVolume, undefined, "v");
    expect(held && admitDelete(persistentVolume, held, {}, context)?.ops).toMatchObject([
      { op: "put" },
    ]);
    const { finalizers: _none, ...free } = volume.metadata;
    const freed =
      held && admitUpdate(persistentVolume, held, { ...volume, metadata: free }, context);
    expect(freed?.object.metadata.finalizers).toBeUndefined(); // Who takes it away is not contradicted.
  });
});

describe("a claim that asks for more", () => {
  test.each([
    ["is refused when its class does not allow it", { ...byDefault }, true],
    ["is taken when it does", { ...byDefault, allowVolumeExpansion: true }, false],
  ])("%s", (_name, of, isRefused) => {
    const { context, create, ofClass } = cluster();
    create(storageClass, of);
    const { metadata } = create(persistentVolumeClaim, ofClass("fast"));
    const before = context.view.get(persistentVolumeClaim, "default", metadata.name);
    if (before === undefined) throw new Error("it was made");
    const asking = (storage: string) => ({
      ...before,
      spec: { ...before.spec, resources: { requests: { storage } } },
    });
    const grow = () => admitUpdate(persistentVolumeClaim, before, asking("2Gi"), context);
    if (isRefused) expect(refusalOf(grow).message).toContain("must support resize");
    else expect(grow()?.object.spec.resources.requests["storage"]).toBe("2Gi");
    const same = () => admitUpdate(persistentVolumeClaim, before, asking("1024Mi"), context);
    expect(same()).toBeUndefined();
  });
});
