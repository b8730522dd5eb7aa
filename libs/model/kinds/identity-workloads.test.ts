import { describe, expect, test } from "vitest";
import { ApiError, parse } from "../errors.ts";
import type { Kind } from "../kind.ts";
import { controllerRevision } from "./controllerrevision.ts";
import { daemonSet } from "./daemonset.ts";
import { podDisruptionBudget } from "./poddisruptionbudget.ts";
import { replicationController } from "./replicationcontroller.ts";
import { statefulSet } from "./statefulset.ts";

const template = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "web", image: "web:v1" }] },
};
const minimal = { selector: { matchLabels: { app: "web" } }, template };
const metadata = { name: "web" };

function refused(kind: Kind, spec: object, name = "web"): readonly string[] {
  try {
    parse(kind, { metadata: { name }, spec });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return (error.details.causes ?? []).map(({ field }) => field);
  }
  return [];
}

function shown<O>(kind: Kind<O>, one: O): Readonly<Record<string, unknown>> {
  return Object.fromEntries(kind.columns.map((column) => [column.name, column.read(one, 0)]));
}

describe("a StatefulSet", () => {
  const aStatefulSet = (spec: object = {}) =>
    parse(statefulSet, { metadata, spec: { ...minimal, ...spec } });
  const claim = {
    metadata: { name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  };
  const mounting = {
    ...template,
    spec: {
      containers: [
        { ...template.spec.containers[0], volumeMounts: [{ name: "data", mountPath: "/data" }] },
      ],
    },
  };

  test("has Kubernetes' defaults", () => {
    const { template: _template, selector: _selector, ...spec } = aStatefulSet().spec;
    expect(spec).toEqual({
      replicas: 1,
      podManagementPolicy: "OrderedReady",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
      revisionHistoryLimit: 10,
      minReadySeconds: 0,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    });
  });

  test("mounts what it claims, with or without the claims' kind", () => {
    for (const one of [claim, { ...claim, apiVersion: "v1", kind: "PersistentVolumeClaim" }]) {
      const { spec } = aStatefulSet({ template: mounting, volumeClaimTemplates: [one] });
      expect(spec.volumeClaimTemplates?.[0]?.spec.volumeMode).toBe("Filesystem");
    }
  });

  test.each<[string, object, string]>([
    [
      "a mount that nothing gives",
      { template: mounting },
      "spec.template.spec.containers[0].volumeMounts[0].name",
    ],
    [
      "a claim of no size",
      {
        volumeClaimTemplates: [{ ...claim, spec: { ...claim.spec, resources: { requests: {} } } }],
      },
      "spec.volumeClaimTemplates[0].spec.resources.requests.storage",
    ],
    [
      "no movement",
      { updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } },
      "spec.updateStrategy.rollingUpdate.maxUnavailable",
    ],
    [
      "a partition where nothing rolls",
      { updateStrategy: { type: "OnDelete", rollingUpdate: { partition: 1 } } },
      "spec.updateStrategy.rollingUpdate",
    ],
    ["a service that is no label", { serviceName: "a.b" }, "spec.serviceName"],
    ["negative ordinals", { ordinals: { start: -1 } }, "spec.ordinals.start"],
  ])("is refused for %s", (_name, spec, field) => {
    expect(refused(statefulSet, { ...minimal, ...spec })).toEqual([field]);
  });

  test("is refused under a name that its pods' host names cannot have", () => {
    expect(refused(statefulSet, minimal, "web.db")).toEqual(["metadata.name"]);
  });

  test("changes only what its pods can follow", () => {
    const before = aStatefulSet({ serviceName: "web" });
    const fields = (spec: object) =>
      statefulSet.validateUpdate(before, aStatefulSet(spec)).map(({ field }) => field);
    expect(fields({ serviceName: "db" })).toEqual(["spec"]);
    expect(fields({ serviceName: "web", podManagementPolicy: "Parallel" })).toEqual(["spec"]);
    expect(fields({ serviceName: "web", replicas: 3, ordinals: { start: 1 } })).toEqual([]);
  });

  test("shows as in kubectl", () => {
    const one = parse(statefulSet, {
      metadata,
      spec: { ...minimal, replicas: 3 },
      status: { readyReplicas: 2 },
    });
    expect(shown(statefulSet, one)).toMatchObject({ Ready: "2/3", Images: "web:v1" });
  });
});

describe("a DaemonSet", () => {
  const strategyOf = (updateStrategy: object) =>
    parse(daemonSet, { metadata, spec: { ...minimal, updateStrategy } }).spec.updateStrategy;

  test("has Kubernetes' defaults", () => {
    const { spec } = parse(daemonSet, { metadata, spec: minimal });
    expect(spec.updateStrategy).toEqual({
      type: "RollingUpdate",
      rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
    });
    expect(spec.revisionHistoryLimit).toBe(10);
    expect(strategyOf({ type: "OnDelete" })).toEqual({ type: "OnDelete" });
  });

  test.each<[string, object, string]>([
    ["no movement", { maxUnavailable: 0 }, "maxUnavailable"],
    ["both ways at once", { maxSurge: 1 }, "maxSurge"],
    ["more than all", { maxUnavailable: "101%" }, "maxUnavailable"],
  ])("is refused for %s", (_name, rollingUpdate, field) => {
    expect(refused(daemonSet, { ...minimal, updateStrategy: { rollingUpdate } })).toEqual([
      `spec.updateStrategy.rollingUpdate.${field}`,
    ]);
  });

  test("keeps its selector", () => {
    const before = parse(daemonSet, { metadata, spec: minimal });
    const other = { matchExpressions: [{ key: "app", operator: "Exists" }] };
    const after = parse(daemonSet, { metadata, spec: { ...minimal, selector: other } });
    const causes = daemonSet.validateUpdate(before, after);
    expect(causes.map(({ field }) => field)).toEqual(["spec.selector"]);
  });

  test("shows as in kubectl", () => {
    const spec = {
      ...minimal,
      template: { ...template, spec: { ...template.spec, nodeSelector: { disk: "ssd" } } },
    };
    const status = { desiredNumberScheduled: 3, currentNumberScheduled: 2, numberAvailable: 1 };
    expect(shown(daemonSet, parse(daemonSet, { metadata, spec, status }))).toMatchObject({
      Desired: 3,
      Current: 2,
      Available: 1,
      "Node Selector": "disk=ssd",
      Selector: "app=web",
    });
  });
});

describe("a ReplicationController", () => {
  test("selects what its template is labelled, unless it says otherwise", () => {
    const one = parse(replicationController, { metadata, spec: { template } });
    expect(one.spec).toMatchObject({ selector: { app: "web" }, replicas: 1 });
    expect(shown(replicationController, one)).toMatchObject({ Desired: 1, Selector: "app=web" });
    expect(refused(replicationController, { template, selector: { app: "db" } })).toEqual([
      "spec.template.metadata.labels",
    ]);
    expect(refused(replicationController, { template: { spec: template.spec } })).toEqual([
      "spec.selector",
    ]);
  });
});

describe("a ControllerRevision", () => {
  test("keeps its data, and names its owner", () => {
    const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: "u" };
    const one = parse(controllerRevision, {
      metadata: { ...metadata, ownerReferences: [{ ...owner, controller: true }] },
      data: { spec: { a: 1 } },
      revision: 2,
    });
    expect(shown(controllerRevision, one)).toMatchObject({
      Controller: "statefulset.apps/web",
      Revision: 2,
    });
    expect(controllerRevision.validateUpdate(one, { ...one, revision: 3 })).toEqual([]);
    const changed = { ...one, data: { spec: { a: 2 } } };
    expect(controllerRevision.validateUpdate(one, changed)).toMatchObject([{ field: "data" }]);
  });
});

describe("a PodDisruptionBudget", () => {
  test("says one of its two numbers", () => {
    const one = parse(podDisruptionBudget, { metadata, spec: { minAvailable: "50%" } });
    expect(shown(podDisruptionBudget, one)).toMatchObject({
      "Min Available": "50%",
      "Max Unavailable": "N/A",
      "Allowed Disruptions": 0,
    });
    expect(refused(podDisruptionBudget, { minAvailable: 1, maxUnavailable: 1 })).toEqual(["spec"]);
    expect(refused(podDisruptionBudget, { minAvailable: "101%" })).toEqual(["spec.minAvailable"]);
  });
});
