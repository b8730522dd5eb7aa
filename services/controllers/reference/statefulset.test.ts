import { expect } from "vitest";
import { refusalOf } from "../../../libs/admission/refusal-fixture.ts";
import { controllerRevision } from "../../../libs/model/kinds/controllerrevision.ts";
import { pod } from "../../../libs/model/kinds/pod.ts";
import { statefulSet } from "../../../libs/model/kinds/statefulset.ts";
import { failed, pulling, running } from "./pod-report.ts";
import type { ReferenceCluster } from "./reference-cluster.ts";
import { apiReference, type Case, kubernetesFile, referenceTable } from "./reference-table.ts";
import {
  broken,
  edit,
  gone,
  imagesInOrder,
  make,
  names,
  page,
  remove,
  roll,
  self,
  status,
  tell,
  www,
} from "./statefulset-run.ts";
import { template } from "./web.ts";

const guarantees = `${page}#deployment-and-scaling-guarantees`;
const fields = apiReference("stateful-set-v1/#StatefulSetStatus");
const parallel = { podManagementPolicy: "Parallel" };
const strategy = (rollingUpdate: object) => ({
  updateStrategy: { type: "RollingUpdate", rollingUpdate },
});

const orderCases: readonly Case[] = [
  {
    name: "pods are made in order, each when its predecessor is running and ready",
    source: guarantees,
    check(run) {
      make(run, { replicas: 3 });
      run.settle();
      expect(names(run.pods())).toEqual(["web-0"]);
      tell(run, "web-0", pulling);
      broken(run, "web-0");
      expect(names(run.pods())).toEqual(["web-0"]);
      tell(run, "web-0");
      expect(names(run.pods())).toEqual(["web-0", "web-1"]);
      tell(run, "web-1");
      expect(names(run.pods())).toEqual(["web-0", "web-1", "web-2"]);
    },
  },
  {
    name: "web-2 is not launched while web-0, which failed meanwhile, is not ready again",
    source: guarantees,
    check(run) {
      make(run, { replicas: 3 });
      run.settle();
      tell(run, "web-0");
      broken(run, "web-0");
      tell(run, "web-1");
      expect(names(run.pods())).toEqual(["web-0", "web-1"]);
      tell(run, "web-0");
      expect(names(run.pods())).toEqual(["web-0", "web-1", "web-2"]);
    },
  },
  {
    name: "scaled to 1, web-2 is terminated first, and web-1 once web-2 is gone",
    source: guarantees,
    check(run) {
      make(run, { replicas: 3 });
      run.finish();
      edit(run, { replicas: 1 });
      expect(names(run.ending())).toEqual(["web-2"]);
      gone(run, "web-2");
      expect(names(run.ending())).toEqual(["web-1"]);
      gone(run, "web-1");
      expect(names(run.pods())).toEqual(["web-0"]);
    },
  },
  {
    name: "web-1 is not terminated while web-0, which failed meanwhile, is not ready again",
    source: guarantees,
    check(run) {
      make(run, { replicas: 3 });
      run.finish();
      edit(run, { replicas: 1 });
      broken(run, "web-0");
      gone(run, "web-2");
      expect(names(run.ending())).toEqual([]);
      tell(run, "web-0");
      expect(names(run.ending())).toEqual(["web-1"]);
    },
  },
  {
    name: "Parallel launches and terminates all pods at once",
    source: `${page}#parallel-pod-management`,
    check(run) {
      make(run, { replicas: 3, ...parallel });
      run.settle();
      expect(names(run.pods())).toEqual(["web-0", "web-1", "web-2"]);
      for (const one of run.pods()) run.report(one, pulling);
      edit(run, { replicas: 1 });
      expect(names(run.ending())).toEqual(["web-1", "web-2"]);
    },
  },
  {
    name: "Parallel does not affect updates: they go one by one",
    source: `${page}#parallel-pod-management`,
    check(run) {
      make(run, { replicas: 3, ...parallel });
      run.finish();
      roll(run, "web:v2");
      expect(names(run.ending())).toEqual(["web-2"]);
      gone(run, "web-2");
      expect(names(run.ending())).toEqual([]);
      tell(run, "web-2");
      expect(names(run.ending())).toEqual(["web-1"]);
    },
  },
  {
    name: "ordinals.start numbers pods from start to start + replicas - 1",
    source: `${page}#start-ordinal`,
    check(run) {
      make(run, { replicas: 3, ordinals: { start: 5 } });
      run.finish();
      expect(names(run.pods())).toEqual(["web-5", "web-6", "web-7"]);
      edit(run, { replicas: 2 });
      run.finish();
      expect(names(run.pods())).toEqual(["web-5", "web-6"]);
      edit(run, { ordinals: { start: 4 }, replicas: 3 });
      run.finish();
      expect(names(run.pods())).toEqual(["web-4", "web-5", "web-6"]);
    },
  },
  {
    name: "a pod keeps its name, hostname, labels and claims when it is made again",
    source: `${page}#pod-identity`,
    check(run) {
      make(run, { replicas: 2, ...www });
      run.finish();
      const identity = ({ metadata, spec }: ReturnType<ReferenceCluster["pods"]>[number]) => ({
        name: metadata.name,
        labels: metadata.labels,
        hostname: spec.hostname,
        subdomain: spec.subdomain,
        // Beside them the volume of its token, whose name is its own.
        claims: spec.volumes?.filter((volume) => volume.persistentVolumeClaim !== undefined),
      });
      const before = run.get(pod, "web-1");
      expect(identity(before)).toMatchObject({
        hostname: "web-1",
        subdomain: "web",
        labels: {
          "statefulset.kubernetes.io/pod-name": "web-1",
          "apps.kubernetes.io/pod-index": "1",
        },
        claims: [{ name: "www", persistentVolumeClaim: { claimName: "www-web-1" } }],
      });
      remove(run, "web-1");
      run.finish();
      const after = run.get(pod, "web-1");
      expect(after.metadata.uid).not.toBe(before.metadata.uid);
      expect(identity(after)).toEqual(identity(before));
    },
  },
  {
    name: "a pod that is being deleted is replaced only when it is gone",
    source:
      "https://kubernetes.io/docs/tasks/run-application/force-delete-stateful-set-pod/#statefulset-considerations",
    check(run) {
      make(run, { replicas: 2, ...parallel });
      run.finish();
      remove(run, "web-0");
      run.pass(600);
      run.settle();
      expect(names(run.live())).toEqual(["web-1"]);
      gone(run, "web-0");
      expect(names(run.live())).toEqual(["web-0", "web-1"]);
    },
  },
  {
    name: "a pod that failed is deleted and made again under its name",
    source: kubernetesFile("pkg/controller/statefulset/stateful_set_control.go"),
    check(run) {
      make(run, { replicas: 2 });
      run.finish();
      const before = run.get(pod, "web-0").metadata.uid;
      tell(run, "web-0", failed);
      expect(names(run.ending())).toEqual(["web-0"]);
      expect(run.notes.map(({ reason }) => reason)).toContain("RecreatingFailedPod");
      run.finish();
      expect(run.get(pod, "web-0").metadata.uid).not.toBe(before);
      expect(names(run.live())).toEqual(["web-0", "web-1"]);
    },
  },
  {
    name: "deleted alone it leaves its pods, which a new one of the same template takes over as they are",
    source:
      "https://kubernetes.io/docs/tasks/run-application/delete-stateful-set/#deleting-a-statefulset",
    check(run) {
      make(run, { replicas: 2 });
      run.finish();
      const uids = () => run.live().map(({ metadata }) => metadata.uid);
      const before = uids();
      run.remove(statefulSet, "web", { propagationPolicy: "Orphan" });
      run.finish();
      expect(uids()).toEqual(before);
      make(run, { replicas: 2 });
      run.finish();
      expect(uids()).toEqual(before);
      expect(run.live().map(({ metadata }) => metadata.ownerReferences?.[0]?.uid)).toEqual(
        Array.from({ length: 2 }, () => self(run).metadata.uid),
      );
      expect(status(run)).toMatchObject({ currentReplicas: 2, updatedReplicas: 2 });
    },
  },
  {
    name: "deleted it gives no order to the end of its pods",
    source: `${page}#limitations`,
    check(run) {
      make(run, { replicas: 3 });
      run.finish();
      run.remove(statefulSet, "web");
      run.settle();
      expect(names(run.ending())).toEqual(["web-0", "web-1", "web-2"]);
    },
  },
  {
    name: "only certain fields of its spec may be updated",
    source: apiReference("stateful-set-v1/#StatefulSetSpec"),
    check(run) {
      make(run, { replicas: 1 });
      for (const change of [{ serviceName: "other" }, parallel, www]) {
        const refusal = refusalOf(() => run.edit(statefulSet, "web", change));
        expect(refusal.message).toContain("updates to statefulset spec for fields other than");
      }
      edit(run, { replicas: 2, minReadySeconds: 1, revisionHistoryLimit: 1 });
      expect(self(run).spec).toMatchObject({ replicas: 2, minReadySeconds: 1 });
    },
  },
];

const updateCases: readonly Case[] = [
  {
    name: "an update goes from the largest ordinal to the smallest, each when the one before is ready",
    source: `${page}#rolling-updates`,
    check(run) {
      make(run, { replicas: 3 });
      run.finish();
      roll(run, "web:v2");
      for (const name of ["web-2", "web-1", "web-0"]) {
        expect(names(run.ending())).toEqual([name]);
        gone(run, name);
        broken(run, name);
        expect(names(run.ending())).toEqual([]);
        tell(run, name);
      }
      expect(imagesInOrder(run)).toEqual(["web:v2", "web:v2", "web:v2"]);
    },
  },
  {
    name: "an update waits until an updated pod has been ready for minReadySeconds",
    source: `${page}#minimum-ready-seconds`,
    check(run) {
      make(run, { replicas: 2, minReadySeconds: 10, ...parallel });
      run.settle();
      run.allReady();
      run.settle();
      expect(status(run)).toMatchObject({ readyReplicas: 2, availableReplicas: 0 });
      expect(run.wake()).toBe(10);
      expect(status(run)).toMatchObject({ readyReplicas: 2, availableReplicas: 2 });
      roll(run, "web:v2");
      gone(run, "web-1");
      tell(run, "web-1");
      expect(names(run.ending())).toEqual([]);
      expect(run.wake()).toBe(10);
      expect(names(run.ending())).toEqual(["web-0"]);
    },
  },
  {
    name: "pods below the partition are not updated, and are made again at the previous version",
    source: `${page}#partitions`,
    check(run) {
      make(run, { replicas: 3, ...strategy({ partition: 2 }) });
      run.finish();
      roll(run, "web:v2");
      run.finish();
      expect(imagesInOrder(run)).toEqual(["web:v1", "web:v1", "web:v2"]);
      remove(run, "web-0");
      run.finish();
      expect(imagesInOrder(run)).toEqual(["web:v1", "web:v1", "web:v2"]);
      edit(run, strategy({ partition: 0 }));
      run.finish();
      expect(imagesInOrder(run)).toEqual(["web:v2", "web:v2", "web:v2"]);
    },
  },
  {
    name: "a partition counts from the first ordinal",
    source: kubernetesFile("pkg/controller/statefulset/stateful_set_utils.go"),
    check(run) {
      make(run, { replicas: 3, ordinals: { start: 5 }, ...strategy({ partition: 2 }) });
      run.finish();
      roll(run, "web:v2");
      remove(run, "web-6");
      run.finish();
      expect(imagesInOrder(run)).toEqual(["web:v1", "web:v1", "web:v2"]);
    },
  },
  {
    name: "of a parallel set that is broken as a whole, each pod waits for the updated one before",
    source: `${page}#rolling-updates`,
    check(run) {
      make(run, { replicas: 3, ...parallel });
      run.settle();
      for (const one of run.pods()) run.report(one, running);
      roll(run, "web:v2");
      for (const name of ["web-2", "web-1", "web-0"]) {
        expect(names(run.ending())).toEqual([name]);
        gone(run, name);
        expect(names(run.ending())).toEqual([]);
        tell(run, name);
      }
    },
  },
  {
    name: "a partition beyond the replicas keeps updates from all pods",
    source: `${page}#partitions`,
    check(run) {
      make(run, { replicas: 2, ...strategy({ partition: 5 }) });
      run.finish();
      roll(run, "web:v2");
      run.finish();
      edit(run, { replicas: 3 });
      run.finish();
      expect(imagesInOrder(run)).toEqual(["web:v1", "web:v1", "web:v1"]);
    },
  },
  {
    name: "maxUnavailable updates so many at once, a percentage rounded up",
    source: `${page}#maximum-unavailable-pods`,
    check(run) {
      make(run, { replicas: 5, ...parallel, ...strategy({ maxUnavailable: "30%" }) });
      run.finish();
      roll(run, "web:v2");
      expect(names(run.ending())).toEqual(["web-3", "web-4"]);
    },
  },
  {
    name: "an ordered set updates so many at once too, and makes them again in order",
    source: `${page}#maximum-unavailable-pods`,
    check(run) {
      make(run, { replicas: 4, ...strategy({ maxUnavailable: 2 }) });
      run.finish();
      roll(run, "web:v2");
      expect(names(run.ending())).toEqual(["web-2", "web-3"]);
      run.allGone();
      run.settle();
      expect(names(run.unready())).toEqual(["web-2"]);
      tell(run, "web-2");
      expect(names(run.unready())).toEqual(["web-3"]);
    },
  },
  {
    name: "a pod that is unavailable anyway counts towards maxUnavailable",
    source: `${page}#maximum-unavailable-pods`,
    check(run) {
      make(run, { replicas: 5, ...parallel, ...strategy({ maxUnavailable: 2 }) });
      run.finish();
      broken(run, "web-0");
      roll(run, "web:v2");
      expect(names(run.ending())).toEqual(["web-4"]);
    },
  },
  {
    name: "maxUnavailable cannot be 0",
    source: `${page}#maximum-unavailable-pods`,
    check(run) {
      const refusal = refusalOf(() => make(run, strategy({ maxUnavailable: 0 })));
      expect(refusal.message).toContain("cannot be 0");
    },
  },
  {
    name: "OnDelete updates a pod only when someone deletes it",
    source: `${page}#update-strategies`,
    check(run) {
      make(run, { replicas: 2, updateStrategy: { type: "OnDelete" } });
      run.finish();
      roll(run, "web:v2");
      run.finish();
      expect(imagesInOrder(run)).toEqual(["web:v1", "web:v1"]);
      remove(run, "web-0");
      run.finish();
      expect(imagesInOrder(run)).toEqual(["web:v2", "web:v1"]);
    },
  },
  {
    name: "a broken pod of an ordered set blocks even the way back, until someone deletes it",
    source: `${page}#forced-rollback`,
    check(run) {
      make(run, { replicas: 2 });
      run.finish();
      roll(run, "web:bad");
      gone(run, "web-1");
      broken(run, "web-1");
      roll(run, "web:v1");
      run.pass(3_600);
      run.settle();
      expect(imagesInOrder(run)).toEqual(["web:v1", "web:bad"]);
      expect(names(run.ending())).toEqual([]);
      remove(run, "web-1");
      run.finish();
      expect(imagesInOrder(run)).toEqual(["web:v1", "web:v1"]);
    },
  },
  {
    name: "a template that changes its labels alone is a new revision too",
    source: `${page}#update-strategies`,
    check(run) {
      make(run, { replicas: 1 });
      run.finish();
      edit(run, { template: template("web:v1", {}, { tier: "front" }) });
      run.finish();
      expect(run.get(pod, "web-0").metadata.labels).toMatchObject({ tier: "front" });
    },
  },
  {
    name: "the status names the current and the update revision, and counts the pods of each",
    source: fields,
    check(run) {
      make(run, { replicas: 3 });
      run.finish();
      const { currentRevision: first } = status(run);
      expect(status(run)).toMatchObject({ updateRevision: first, currentReplicas: 3 });
      roll(run, "web:v2");
      gone(run, "web-2");
      tell(run, "web-2");
      const { updateRevision: second } = status(run);
      expect(second).not.toBe(first);
      expect(status(run)).toMatchObject({
        currentRevision: first,
        currentReplicas: 1,
        updatedReplicas: 1,
        observedGeneration: 2,
      });
      run.finish();
      expect(status(run)).toMatchObject({
        currentRevision: second,
        currentReplicas: 3,
        updatedReplicas: 3,
      });
    },
  },
  {
    name: "each template is a ControllerRevision, whose hash its pods bear; old ones stay up to the limit",
    source: `${page}#revision-history`,
    check(run) {
      make(run, { replicas: 1, revisionHistoryLimit: 1 });
      for (const image of ["web:v1", "web:v2", "web:v3"]) {
        roll(run, image);
        run.finish();
      }
      const kept = run.list(controllerRevision).toSorted((a, b) => a.revision - b.revision);
      expect(kept.map(({ revision }) => revision)).toEqual([2, 3]);
      expect(status(run).currentRevision).toBe(kept[1]?.metadata.name);
      expect(run.get(pod, "web-0").metadata.labels).toMatchObject({
        "controller-revision-hash": kept[1]?.metadata.name,
      });
    },
  },
  {
    name: "a template that was there before is its old revision with a new number",
    source: `${page}#revision-history`,
    check(run) {
      make(run, { replicas: 1 });
      for (const image of ["web:v1", "web:v2", "web:v1"]) {
        roll(run, image);
        run.finish();
      }
      const kept = run.list(controllerRevision).map(({ revision }) => revision);
      expect(kept.toSorted((a, b) => a - b)).toEqual([2, 3]);
    },
  },
];

referenceTable("a StatefulSet", [...orderCases, ...updateCases]);
