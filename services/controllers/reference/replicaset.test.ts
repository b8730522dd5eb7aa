import { expect } from "vitest";
import { refusalOf } from "../../../libs/admission/refusal-fixture.ts";
import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { replicaSet } from "../../../libs/model/kinds/replicaset.ts";
import { replicationController } from "../../../libs/model/kinds/replicationcontroller.ts";
import { resourceQuota } from "../../../libs/model/kinds/resourcequota.ts";
import { failed, pulling, ready, type Report, running, succeeded } from "./pod-report.ts";
import type { ReferenceCluster } from "./reference-cluster.ts";
import {
  apiReference,
  type Case,
  concept,
  kubernetesFile,
  referenceTable,
} from "./reference-table.ts";
import { imagesOf, template, web } from "./web.ts";

const page = concept("replicaset/");
const oldPage = concept("replicationcontroller/");
const scaling = `${page}#scaling-a-replicaset`;
const ranks = kubernetesFile("pkg/controller/controller_utils.go");
const claiming = kubernetesFile("pkg/controller/controller_ref_manager.go");

const self = (run: ReferenceCluster) => run.get(replicaSet, "web");
const make = (run: ReferenceCluster, spec: object = {}, metadata = {}) =>
  run.create(replicaSet, "web", web(spec), metadata);
const scale = (run: ReferenceCluster, replicas: number) => {
  run.edit(replicaSet, "web", { replicas });
  run.settle();
};
const bare = (run: ReferenceCluster, name: string, labels: object = { app: "web" }) =>
  run.create(pod, name, template("bare:v1").spec, { labels });
const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name);
const label = (run: ReferenceCluster, name: string, labels: Readonly<Record<string, string>>) =>
  run.update(pod, name, (one) => ({ ...one, metadata: { ...one.metadata, labels } }));
const ownersOf = (run: ReferenceCluster, name: string) =>
  (run.get(pod, name).metadata.ownerReferences ?? []).map((owner) => owner.name);

type Told = { readonly said: Report; readonly cost?: string };

/** Of two pods that differ as told, the first goes when one is too many. (Of equals the first by name does.) */
const firstToGo = (name: string, source: string, gone: Told, kept: Told): Case => ({
  name: `of two pods the one to go is ${name}`,
  source,
  check(run) {
    make(run, { replicas: 2, template: twoContainers });
    run.settle();
    const [first = expect.unreachable(), second = expect.unreachable()] = run.pods();
    tell(run, first, kept);
    tell(run, second, gone);
    scale(run, 1);
    expect(names(run.live())).toEqual([first.metadata.name]);
  },
});

const twoContainers = template("web:v1", {
  containers: [
    { name: "web", image: "web:v1" },
    { name: "log", image: "log:v1" },
  ],
});

function tell(run: ReferenceCluster, one: Pod, { said, cost }: Told): void {
  run.report(one, said);
  if (cost === undefined) return;
  const annotations = { "controller.kubernetes.io/pod-deletion-cost": cost };
  run.update(pod, one.metadata.name, (now) => ({
    ...now,
    metadata: { ...now.metadata, annotations: { ...now.metadata.annotations, ...annotations } },
  }));
}

const rankCases: readonly Case[] = [
  firstToGo("pending rather than running", scaling, { said: pulling }, { said: running }),
  firstToGo("not ready rather than ready", ranks, { said: running }, { said: ready }),
  firstToGo(
    "cheaper by its pod-deletion-cost",
    `${page}#pod-deletion-cost`,
    { said: ready, cost: "-1" },
    { said: ready },
  ),
  {
    name: "an invalid pod-deletion-cost is rejected",
    source: `${page}#pod-deletion-cost`,
    check(run) {
      for (const cost of ["cheap", "1.5", "+1", "007", "2147483648"]) {
        const annotations = { "controller.kubernetes.io/pod-deletion-cost": cost };
        const refusal = refusalOf(() => run.create(pod, "pod1", template().spec, { annotations }));
        expect(refusal.message).toContain("must be a 32bit integer");
      }
    },
  },
  firstToGo(
    "not ready, whatever its pod-deletion-cost",
    ranks,
    { said: running, cost: "100" },
    { said: ready, cost: "-100" },
  ),
  firstToGo(
    "the one whose most restarted container has restarted more often",
    ranks,
    { said: { ...ready, restarts: [0, 5] } },
    { said: { ...ready, restarts: [3, 3] } },
  ),
  {
    name: "a pod that is on no node yet goes before one that is",
    source: scaling,
    check(run) {
      make(run, { replicas: 2 });
      run.settle();
      const [first, second] = run.pods();
      run.report(first ?? expect.unreachable(), pulling);
      scale(run, 1);
      expect(names(run.pods())).toEqual([first?.metadata.name]);
      expect(run.find(pod, second?.metadata.name ?? "")).toBeUndefined();
    },
  },
  {
    name: "pods on nodes with more replicas go before pods on nodes with fewer",
    source: scaling,
    check(run) {
      run.join("n2");
      make(run, { replicas: 3 });
      run.settle();
      for (const [nth, one] of run.pods().entries())
        run.report(one, ready, nth === 0 ? "n2" : "n1");
      scale(run, 2);
      expect(run.live().map(({ spec }) => spec.nodeName)).toEqual(["n2", "n1"]);
    },
  },
  {
    name: "on a node, pods of its Deployment's other sets count as replicas",
    source: ranks,
    check(run) {
      run.join("n2");
      const strategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
      run.create(deployment, "web", web({ replicas: 2, strategy }));
      run.settle();
      const [first, second] = run.pods();
      run.report(first ?? expect.unreachable(), ready, "n1");
      run.report(second ?? expect.unreachable(), ready, "n2");
      run.settle();
      run.edit(deployment, "web", { template: template("web:v2") });
      run.settle();
      run.report(run.unready()[0] ?? expect.unreachable(), ready, "n2");
      run.settle();
      expect(names(run.ending())).toEqual([second?.metadata.name]);
    },
  },
  {
    name: "a pod that got ready later goes before one that has been ready for longer",
    source: ranks,
    check(run) {
      make(run, { replicas: 2 });
      run.settle();
      const [first, second] = run.pods();
      run.report(first ?? expect.unreachable(), ready);
      run.pass(600);
      run.report(second ?? expect.unreachable(), ready);
      run.pass(1);
      scale(run, 1);
      expect(names(run.live())).toEqual([first?.metadata.name]);
    },
  },
  {
    name: "a pod that was created later goes before an older one",
    source: scaling,
    check(run) {
      make(run, { replicas: 1 });
      run.settle();
      const [old] = run.pods();
      run.pass(600);
      scale(run, 4);
      for (const one of run.pods()) run.report(one, running);
      scale(run, 1);
      expect(names(run.live())).toEqual([old?.metadata.name]);
    },
  },
];

const claimCases: readonly Case[] = [
  {
    name: "bare pods that match are acquired, and it makes only what is missing",
    source: `${page}#non-template-pod-acquisitions`,
    check(run) {
      for (const name of ["pod1", "pod2"]) bare(run, name);
      make(run, { replicas: 3 });
      run.settle();
      expect(imagesOf(run.live())).toEqual(["bare:v1", "bare:v1", "web:v1"]);
      expect(ownersOf(run, "pod1")).toEqual(["web"]);
    },
  },
  {
    name: "a bare pod made once it has enough is acquired, and terminated at once",
    source: `${page}#non-template-pod-acquisitions`,
    check(run) {
      make(run, { replicas: 1 });
      run.finish();
      bare(run, "pod1");
      run.settle();
      expect(run.find(pod, "pod1")).toBeUndefined();
      expect(imagesOf(run.live())).toEqual(["web:v1"]);
    },
  },
  {
    name: "a pod that another controls is left to that one",
    source: `${page}#how-a-replicaset-works`,
    check(run) {
      run.create(replicaSet, "other", web({ replicas: 1 }));
      run.settle();
      make(run, { replicas: 1 });
      run.settle();
      expect(run.live().map(({ metadata }) => metadata.ownerReferences?.[0]?.name)).toEqual([
        "other",
        "web",
      ]);
      expect(self(run).status).toMatchObject({ replicas: 1 });
    },
  },
  {
    name: "a pod that has ended is not acquired",
    source: kubernetesFile("pkg/controller/replicaset/replica_set.go"),
    check(run) {
      bare(run, "done");
      run.report(run.get(pod, "done"), succeeded);
      make(run, { replicas: 1 });
      run.settle();
      expect(ownersOf(run, "done")).toEqual([]);
      expect(imagesOf(run.live())).toEqual(["web:v1"]);
    },
  },
  {
    name: "a pod whose labels are changed is isolated: it stays, and is replaced",
    source: `${page}#isolating-pods-from-a-replicaset`,
    check(run) {
      make(run, { replicas: 1 });
      run.finish();
      const [one] = names(run.live());
      label(run, one ?? expect.unreachable(), { app: "debug" });
      run.settle();
      expect(run.live()).toHaveLength(2);
      expect(ownersOf(run, one ?? "")).toEqual([]);
    },
  },
  {
    name: "while it is being deleted it makes, acquires and releases nothing",
    source: claiming,
    check(run) {
      make(run, { replicas: 2 }, { finalizers: ["example.com/hold"] });
      run.finish();
      run.remove(replicaSet, "web");
      const [one = "", other = ""] = names(run.live());
      label(run, one, { app: "debug" });
      bare(run, "pod1");
      run.settle();
      expect(ownersOf(run, one)).toEqual(["web"]);
      expect(ownersOf(run, "pod1")).toEqual([]);
      run.remove(pod, other, { gracePeriodSeconds: 0 });
      run.settle();
      expect(names(run.live())).toEqual(["pod1", one]);
    },
  },
  {
    name: "deleted in the foreground it takes its pods along and replaces none",
    source: `${page}#deleting-a-replicaset-and-its-pods`,
    check(run) {
      make(run, { replicas: 2 });
      run.finish();
      run.remove(replicaSet, "web", { propagationPolicy: "Foreground" });
      run.settle();
      expect(run.ending()).toHaveLength(2);
      run.gone(run.ending()[0] ?? expect.unreachable());
      run.settle();
      expect(run.pods()).toHaveLength(1);
      expect(run.find(replicaSet, "web")).toBeDefined();
      run.allGone();
      run.settle();
      expect(run.find(replicaSet, "web")).toBeUndefined();
    },
  },
  {
    name: "deleted alone it leaves its pods, which a new one adopts without changing them",
    source: `${page}#deleting-just-a-replicaset`,
    check(run) {
      make(run, { replicas: 2 });
      run.finish();
      run.remove(replicaSet, "web", { propagationPolicy: "Orphan" });
      run.settle();
      expect(run.find(replicaSet, "web")).toBeUndefined();
      expect(run.live().flatMap(({ metadata }) => metadata.ownerReferences ?? [])).toEqual([]);
      make(run, { replicas: 2, template: template("web:v2") });
      run.settle();
      expect(imagesOf(run.live())).toEqual(["web:v1", "web:v1"]);
    },
  },
];

const statusCases: readonly Case[] = [
  {
    name: "pods count as replicas, fully labelled, ready and, after minReadySeconds, available",
    source: apiReference("replica-set-v1/#ReplicaSetStatus"),
    check(run) {
      const labels = { tier: "front" };
      make(run, { replicas: 3, minReadySeconds: 20, template: template("web:v1", {}, labels) });
      bare(run, "pod1");
      run.settle();
      const [first, second] = run.pods();
      run.report(first ?? expect.unreachable(), ready);
      run.report(second ?? expect.unreachable(), running);
      run.settle();
      const counts = { replicas: 3, fullyLabeledReplicas: 2, readyReplicas: 1 };
      expect(self(run).status).toMatchObject({ ...counts, availableReplicas: 0 });
      expect(run.wake()).toBe(20);
      expect(self(run).status).toMatchObject({ ...counts, availableReplicas: 1 });
    },
  },
  {
    name: "a pod that fails is replaced, and counts no more",
    source: concept("replicaset/#how-a-replicaset-works"),
    check(run) {
      make(run, { replicas: 2 });
      run.finish();
      run.report(run.live()[0] ?? expect.unreachable(), failed);
      run.settle();
      expect(run.pods()).toHaveLength(3);
      expect(self(run).status).toMatchObject({ replicas: 2, readyReplicas: 1 });
    },
  },
  {
    name: "a pod that is being deleted is replaced before it is gone, and counts as terminating",
    source: apiReference("replica-set-v1/#ReplicaSetStatus"),
    check(run) {
      make(run, { replicas: 1 });
      run.finish();
      run.remove(pod, names(run.live())[0] ?? "");
      run.settle();
      expect(run.live()).toHaveLength(1);
      expect(self(run).status).toMatchObject({ replicas: 1, terminatingReplicas: 1 });
      run.allGone();
      run.settle();
      expect(self(run).status).toMatchObject({ replicas: 1, terminatingReplicas: 0 });
    },
  },
  {
    name: "pods that cannot be made show as ReplicaFailure FailedCreate, and in an Event",
    source: apiReference("replica-set-v1/#ReplicaSetStatus"),
    check(run) {
      run.create(resourceQuota, "few", { hard: { pods: "1" } });
      make(run, { replicas: 2 });
      run.settle();
      expect(self(run).status?.conditions).toMatchObject([
        { type: "ReplicaFailure", status: "True", reason: "FailedCreate" },
      ]);
      expect(run.notes.map(({ reason }) => reason)).toContain("FailedCreate");
      scale(run, 1);
      expect(self(run).status?.conditions ?? []).toEqual([]);
    },
  },
  {
    name: "observedGeneration is the generation that its counts are of",
    source: apiReference("replica-set-v1/#ReplicaSetStatus"),
    check(run) {
      make(run, { replicas: 1 });
      run.settle();
      scale(run, 2);
      expect(self(run).metadata.generation).toBe(2);
      expect(self(run).status?.observedGeneration).toBe(2);
    },
  },
  {
    name: "a new template is for new pods: those that are there stay",
    source: `${page}#deleting-just-a-replicaset`,
    check(run) {
      make(run, { replicas: 1 });
      run.finish();
      run.edit(replicaSet, "web", { template: template("web:v2") });
      scale(run, 2);
      expect(imagesOf(run.live())).toEqual(["web:v1", "web:v2"]);
    },
  },
  {
    name: "replicas is 1 when it is not given, and the selector is immutable",
    source: `${page}#writing-a-replicaset-manifest`,
    check(run) {
      make(run);
      expect(self(run).spec.replicas).toBe(1);
      const selector = { matchLabels: { app: "other" } };
      const other = { selector, template: template("web:v1", {}, { app: "other" }) };
      const refusal = refusalOf(() => run.edit(replicaSet, "web", other));
      expect(refusal.message).toContain("field is immutable");
    },
  },
];

const rc = (run: ReferenceCluster) => run.get(replicationController, "web");
const controllerCases: readonly Case[] = [
  {
    name: "a ReplicationController without a selector selects its template's labels",
    source: `${oldPage}#pod-selector`,
    check(run) {
      run.create(replicationController, "web", { template: template() });
      run.finish();
      expect(rc(run).spec).toMatchObject({ replicas: 1, selector: { app: "web" } });
      expect(imagesOf(run.live())).toEqual(["web:v1"]);
    },
  },
  {
    name: "a ReplicationController keeps its number of pods: too many are terminated, too few are made",
    source: `${oldPage}#how-a-replicationcontroller-works`,
    check(run) {
      for (const name of ["pod1", "pod2", "pod3"]) bare(run, name);
      run.create(replicationController, "web", { replicas: 2, template: template() });
      run.finish();
      expect(run.live()).toHaveLength(2);
      run.remove(pod, names(run.live())[0] ?? "");
      run.finish();
      expect(rc(run).status).toMatchObject({ replicas: 2, readyReplicas: 2, availableReplicas: 2 });
    },
  },
  {
    name: "a pod whose label is changed leaves a ReplicationController, and is replaced",
    source: `${oldPage}#isolating-pods-from-a-replicationcontroller`,
    check(run) {
      run.create(replicationController, "web", { replicas: 1, template: template() });
      run.finish();
      const [one = ""] = names(run.live());
      label(run, one, { app: "debug" });
      run.finish();
      expect(ownersOf(run, one)).toEqual([]);
      expect(run.live()).toHaveLength(2);
    },
  },
  {
    name: "a ReplicationController deleted alone leaves its pods",
    source: `${oldPage}#deleting-only-a-replicationcontroller`,
    check(run) {
      run.create(replicationController, "web", { replicas: 2, template: template() });
      run.finish();
      run.remove(replicationController, "web", { propagationPolicy: "Orphan" });
      run.finish();
      expect(run.list(replicationController)).toEqual([]);
      expect(run.live()).toHaveLength(2);
    },
  },
];

referenceTable("a ReplicaSet", [...rankCases, ...claimCases, ...statusCases, ...controllerCases]);
