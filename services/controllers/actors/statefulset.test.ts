import { describe, expect, test } from "vitest";
import { node } from "../../../libs/model/kinds/node.ts";
import { persistentVolumeClaim } from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { aNode, aPod, withImage } from "../fixtures.ts";
import {
  find,
  finish,
  isAvailable,
  isEnding,
  simulate,
  type Simulation,
} from "../simulated-statefulset.ts";
import { revisionNameOf } from "./statefulset/identity.ts";

const imageOf = ({ spec }: Pod) => spec.containers[0]?.image;

describe("a StatefulSet", () => {
  test("makes its pods one after another, each with a name and labels of its own", () => {
    const run = simulate({ replicas: 3 });
    const seen: string[][] = [];
    for (let nth = 0; nth < 3; nth += 1) {
      run.settle();
      seen.push(run.names());
      run.becomes(find(run, `web-${nth}`), "ready");
    }
    expect(seen).toEqual([["web-0"], ["web-0", "web-1"], ["web-0", "web-1", "web-2"]]);
    const one = find(run, "web-1");
    const [revision] = run.revisions();
    expect(one.metadata.labels).toEqual({
      app: "web",
      "statefulset.kubernetes.io/pod-name": "web-1",
      "apps.kubernetes.io/pod-index": "1",
      "controller-revision-hash": revision?.metadata.name,
    });
    expect(one.spec).toMatchObject({ hostname: "web-1", subdomain: "web" });
    finish(run);
    expect(run.self().status).toEqual({
      observedGeneration: 1,
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      currentRevision: revision?.metadata.name,
      updateRevision: revision?.metadata.name,
    });
  });

  test("makes all at once when they need not wait, and begins where its ordinals do", () => {
    const run = simulate({
      replicas: 3,
      podManagementPolicy: "Parallel",
      ordinals: { start: 5 },
    });
    run.settle();
    expect(run.names()).toEqual(["web-5", "web-6", "web-7"]);
    finish(run);
    run.edit({ replicas: 1 });
    run.settle();
    expect(run.pods().filter(isEnding)).toHaveLength(2);
    run.edit({ ordinals: { start: 4 } });
    finish(run);
    expect(run.names()).toEqual(["web-4"]);
  });

  test("scales down from the last one, each when the one after it is gone", () => {
    const run = simulate({ replicas: 3 });
    finish(run);
    run.edit({ replicas: 1 });
    run.settle();
    expect(
      run
        .pods()
        .filter(isEnding)
        .map(({ metadata }) => metadata.name),
    ).toEqual(["web-2"]);
    run.becomes(find(run, "web-2"), "gone");
    run.settle();
    expect(
      run
        .pods()
        .filter(isEnding)
        .map(({ metadata }) => metadata.name),
    ).toEqual(["web-1"]);
    finish(run);
    expect(run.names()).toEqual(["web-0"]);
  });

  test("waits for minReadySeconds before the next", () => {
    const run = simulate({ replicas: 2, minReadySeconds: 5 });
    run.settle();
    run.becomes(find(run, "web-0"), "ready");
    run.settle();
    expect(run.self().status).toMatchObject({ readyReplicas: 1, availableReplicas: 0 });
    expect(run.names()).toEqual(["web-0"]);
    run.pass(5_000);
    run.settle();
    expect(run.names()).toEqual(["web-0", "web-1"]);
  });

  test("rolls in reverse order, one at a time, and then calls the new revision current", () => {
    const run = simulate({ replicas: 3 });
    finish(run);
    run.edit(withImage("web:v2"));
    const replaced: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      run.settle();
      const ending = run.pods().filter(isEnding);
      expect(ending).toHaveLength(1);
      replaced.push(...ending.map(({ metadata }) => metadata.name));
      const { currentRevision, updateRevision } = run.self().status ?? {};
      expect(currentRevision).not.toBe(updateRevision);
      for (const one of ending) run.becomes(one, "gone");
      run.settle();
      for (const one of run.pods().filter((each) => !isAvailable(each))) run.becomes(one, "ready");
    }
    expect(replaced).toEqual(["web-2", "web-1", "web-0"]);
    finish(run);
    const { currentRevision, updateRevision, updatedReplicas } = run.self().status ?? {};
    expect(currentRevision).toBe(updateRevision);
    expect(updatedReplicas).toBe(3);
    expect(run.revisions().map(({ revision }) => revision)).toEqual([1, 2]);
  });

  test("keeps the current revision below the partition, for new pods too", () => {
    const updateStrategy = { rollingUpdate: { partition: 2 } };
    const run = simulate({ replicas: 3, updateStrategy });
    finish(run);
    run.edit(withImage("web:v2"));
    finish(run);
    expect(run.pods().map(imageOf)).toEqual(["web:v1", "web:v1", "web:v2"]);
    run.becomes(find(run, "web-0"), "failed");
    finish(run);
    expect(run.pods().map(imageOf)).toEqual(["web:v1", "web:v1", "web:v2"]);
    expect(run.self().status).toMatchObject({ currentReplicas: 2, updatedReplicas: 1 });
    run.edit({ updateStrategy: { rollingUpdate: { partition: 0 } } });
    finish(run);
    expect(run.pods().map(imageOf)).toEqual(["web:v2", "web:v2", "web:v2"]);
  });

  test("replaces nothing under OnDelete until someone deletes it", () => {
    const run = simulate({ replicas: 2, updateStrategy: { type: "OnDelete" } });
    finish(run);
    run.edit(withImage("web:v2"));
    finish(run);
    expect(run.pods().map(imageOf)).toEqual(["web:v1", "web:v1"]);
    run.becomes(find(run, "web-1"), "gone");
    finish(run);
    expect(run.pods().map(imageOf)).toEqual(["web:v1", "web:v2"]);
  });

  test("makes the old revision the newest again when it is undone, and keeps as many as its limit", () => {
    const run = simulate({ replicas: 1, revisionHistoryLimit: 1 });
    finish(run);
    for (const image of ["web:v2", "web:v3", "web:v2"]) {
      run.edit(withImage(image));
      finish(run);
    }
    const kept = run.revisions();
    expect(kept.map(({ revision }) => revision)).toEqual([3, 4]);
    expect(kept.at(-1)?.metadata.name).toBe(run.self().status?.currentRevision);
    expect(run.pods().map(imageOf)).toEqual(["web:v2"]);
    expect(kept[0]?.data).toMatchObject({
      spec: { template: { $patch: "replace", spec: { containers: [{ image: "web:v3" }] } } },
    });
  });

  test("does not replace a pod whose node is lost, even when it is evicted (O7)", () => {
    const run = simulate({ replicas: 1 });
    finish(run);
    const { uid } = find(run, "web-0").metadata;
    run.cluster.put(node, aNode("n1", { status: { conditions: [] } }));
    const one = find(run, "web-0");
    const deletionTimestamp = "2026-01-01T00:01:00Z";
    run.cluster.put(pod, { ...one, metadata: { ...one.metadata, deletionTimestamp } });
    run.settle();
    expect(run.pods().map(({ metadata }) => metadata.uid)).toEqual([uid]);
    run.becomes(find(run, "web-0"), "gone");
    run.settle();
    expect(find(run, "web-0").metadata.uid).not.toBe(uid);
  });

  test("adopts a pod of its name that it selects, and labels it; leaves others' alone", () => {
    const run = simulate({ replicas: 2, podManagementPolicy: "Parallel" });
    const owner = { apiVersion: "v1", kind: "Other", name: "x", uid: "x1", controller: true };
    run.cluster.put(pod, aPod("web-0"));
    run.cluster.put(pod, aPod("web-1", { owner }));
    run.settle();
    expect(find(run, "web-0").metadata.ownerReferences).toMatchObject([{ uid: "sts1" }]);
    expect(find(run, "web-1").metadata.ownerReferences).toMatchObject([{ uid: "x1" }]);
    expect(run.names()).toEqual(["web-0", "web-1"]);
    expect(run.self().status).toMatchObject({ replicas: 1 });
    run.becomes(find(run, "web-1"), "gone");
    finish(run);
    expect(run.names()).toEqual(["web-0", "web-1"]);
    expect(revisionNameOf(find(run, "web-0"))).toBe(run.self().status?.updateRevision);
  });

  test("asked for more than anyone can have, looks at no more than a turn can make", () => {
    const run = simulate({ replicas: 2_000_000_000, podManagementPolicy: "Parallel" });
    run.turn(0);
    expect(run.pods()).toHaveLength(100);
  });

  test("that is parallel leaves a broken revision without making more pods unavailable", () => {
    const run = simulate({ replicas: 3, podManagementPolicy: "Parallel" });
    finish(run);
    run.becomes(find(run, "web-0"), "unready");
    run.edit(withImage("web:v2"));
    run.settle();
    expect(
      run
        .pods()
        .filter(isEnding)
        .map(({ metadata }) => metadata.name),
    ).toEqual(["web-0"]);
    finish(run);
    expect(run.pods().map(imageOf)).toEqual(["web:v2", "web:v2", "web:v2"]);
  });
});

describe("a StatefulSet's claims", () => {
  const claiming = (policy: object) => ({
    replicas: 2,
    podManagementPolicy: "Parallel",
    persistentVolumeClaimRetentionPolicy: policy,
    volumeClaimTemplates: [
      {
        metadata: { name: "data", labels: { tier: "db" } },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
      },
    ],
  });
  const claims = (run: Simulation) =>
    run.cluster.view
      .list(persistentVolumeClaim)
      .map(({ metadata: { name, ownerReferences = [] } }) => [
        name,
        ...ownerReferences.map((one) => `${one.kind}/${one.name}`),
      ]);
  /** What the garbage collector does with a claim whose owner is gone. */
  function collect(run: Simulation, name: string): void {
    const expect = Number(
      run.cluster.view.get(persistentVolumeClaim, "default", name)?.metadata.resourceVersion,
    );
    const key = `persistentvolumeclaims.default.${name}`;
    run.cluster.commit([{ op: "delete", key, expect, last: new Uint8Array() }]);
  }

  test("have names of the template and the pod, and outlive both by default", () => {
    const run = simulate(claiming({}));
    finish(run);
    expect(claims(run)).toEqual([["data-web-0"], ["data-web-1"]]);
    expect(
      run.cluster.view.get(persistentVolumeClaim, "default", "data-web-0")?.metadata.labels,
    ).toEqual({ app: "web", tier: "db" });
    expect(find(run, "web-1").spec.volumes?.[0]).toEqual({
      name: "data",
      persistentVolumeClaim: { claimName: "data-web-1" },
    });
    run.edit({ replicas: 1 });
    finish(run);
    expect(claims(run)).toEqual([["data-web-0"], ["data-web-1"]]);
  });

  test("go with the set, or with a pod that is one too many, as the policy says", () => {
    const run = simulate(claiming({ whenDeleted: "Delete" }));
    finish(run);
    expect(claims(run)).toEqual([
      ["data-web-0", "StatefulSet/web"],
      ["data-web-1", "StatefulSet/web"],
    ]);
    run.edit({ persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete" }, replicas: 1 });
    run.settle();
    expect(claims(run)).toEqual([["data-web-0"], ["data-web-1", "Pod/web-1"]]);
    run.edit({ replicas: 2 });
    run.settle();
    expect(claims(run)).toEqual([["data-web-0"], ["data-web-1"]]);
  });

  test("that go with the pod before are not given to the next one", () => {
    const run = simulate(claiming({ whenScaled: "Delete" }));
    finish(run);
    run.edit({ replicas: 1 });
    run.settle();
    run.becomes(find(run, "web-1"), "gone");
    run.edit({ replicas: 2 });
    run.settle();
    expect(run.names()).toEqual(["web-0"]);
    collect(run, "data-web-1");
    run.settle();
    expect(run.names()).toEqual(["web-0", "web-1"]);
    expect(claims(run)).toEqual([["data-web-0"], ["data-web-1"]]);
  });
});
