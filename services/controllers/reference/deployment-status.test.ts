import { expect } from "vitest";
import { refusalOf } from "../../../libs/admission/refusal-fixture.ts";
import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { replicaSet } from "../../../libs/model/kinds/replicaset.ts";
import { resourceQuota } from "../../../libs/model/kinds/resourcequota.ts";
import { newSetName } from "../actors/deployment/template.ts";
import {
  condition,
  edit,
  images,
  make,
  page,
  revision,
  roll,
  rolling,
  self,
  setOf,
  sizes,
} from "./deployment-run.ts";
import { ready } from "./pod-report.ts";
import {
  apiReference,
  type Case,
  concept,
  kubernetesFile,
  referenceTable,
} from "./reference-table.ts";
import { template, web } from "./web.ts";

const fields = apiReference("deployment-v1/#DeploymentStatus");
const deadline = `${page}#progress-deadline-seconds`;
const utilities = kubernetesFile("pkg/controller/deployment/util/deployment_util.go");

const progressCases: readonly Case[] = [
  {
    name: "a rollout that makes no progress for progressDeadlineSeconds has ProgressDeadlineExceeded",
    source: `${page}#failed-deployment`,
    check(run) {
      make(run, { replicas: 2, progressDeadlineSeconds: 120 });
      run.settle();
      expect(condition(run, "Progressing")).toMatchObject({
        status: "True",
        reason: "ReplicaSetUpdated",
      });
      expect(run.wake()).toBeGreaterThanOrEqual(120);
      expect(condition(run, "Progressing")).toMatchObject({
        status: "False",
        reason: "ProgressDeadlineExceeded",
        message: expect.stringContaining("has timed out progressing.") as string,
      });
      expect(run.nextWake()).toBeUndefined();
    },
  },
  {
    name: "it takes no action on a stalled Deployment, which still completes when its pods get ready",
    source: `${page}#operating-on-a-failed-deployment`,
    check(run) {
      make(run, { replicas: 2, progressDeadlineSeconds: 120 });
      run.settle();
      run.wake();
      run.report(run.pods()[0] ?? expect.unreachable(), ready);
      run.settle();
      expect(condition(run, "Progressing")).toMatchObject({
        status: "True",
        reason: "ReplicaSetUpdated",
      });
      run.finish();
      expect(condition(run, "Progressing")).toMatchObject({
        status: "True",
        reason: "NewReplicaSetAvailable",
        message: expect.stringContaining("has successfully progressed.") as string,
      });
    },
  },
  {
    name: "each pod that gets ready starts the progress deadline anew",
    source: deadline,
    check(run) {
      make(run, { replicas: 2, progressDeadlineSeconds: 120 });
      run.settle();
      run.pass(100);
      run.report(run.pods()[0] ?? expect.unreachable(), ready);
      run.settle();
      run.pass(100);
      run.settle();
      expect(condition(run, "Progressing")).toMatchObject({ status: "True" });
      run.pass(21);
      run.settle();
      expect(condition(run, "Progressing")).toMatchObject({ status: "False" });
    },
  },
  {
    name: "while it is paused the progress deadline is not checked",
    source: `${page}#failed-deployment`,
    check(run) {
      make(run, { replicas: 2, progressDeadlineSeconds: 120 });
      run.settle();
      edit(run, { paused: true });
      run.settle();
      run.pass(1_000);
      run.settle();
      expect(condition(run, "Progressing")).toMatchObject({ reason: "DeploymentPaused" });
      edit(run, { paused: false });
      run.settle();
      run.pass(100);
      run.settle();
      expect(condition(run, "Progressing")?.reason).not.toBe("ProgressDeadlineExceeded");
    },
  },
  {
    name: "a Deployment that timed out is still said to have when it is paused",
    source: kubernetesFile("pkg/controller/deployment/sync.go"),
    check(run) {
      make(run, { replicas: 1, progressDeadlineSeconds: 120 });
      run.settle();
      run.wake();
      edit(run, { paused: true });
      run.settle();
      expect(condition(run, "Progressing")).toMatchObject({ reason: "ProgressDeadlineExceeded" });
    },
  },
  {
    name: "the longest progress deadline is none: then nothing is said of progress",
    source: utilities,
    check(run) {
      make(run, { replicas: 1, progressDeadlineSeconds: 2 ** 31 - 1 });
      run.settle();
      run.pass(1_000_000);
      run.settle();
      expect(condition(run, "Progressing")).toBeUndefined();
      expect(condition(run, "Available")).toMatchObject({ status: "False" });
    },
  },
  {
    name: "once complete, losing pods or scaling does not make it progress or fail anew",
    source: utilities,
    check(run) {
      make(run, { replicas: 2, progressDeadlineSeconds: 60 });
      run.finish();
      edit(run, { replicas: 4 });
      run.settle();
      run.pass(1_000);
      run.settle();
      expect(condition(run, "Progressing")).toMatchObject({
        status: "True",
        reason: "NewReplicaSetAvailable",
      });
      expect(condition(run, "Available")).toMatchObject({ status: "False" });
    },
  },
  {
    name: "progressDeadlineSeconds must be greater than minReadySeconds",
    source: deadline,
    check(run) {
      const spec = { minReadySeconds: 60, progressDeadlineSeconds: 60 };
      const refusal = refusalOf(() => make(run, spec));
      expect(refusal.message).toContain("must be greater than minReadySeconds");
    },
  },
];

const availableCases: readonly Case[] = [
  {
    name: "Available is MinimumReplicasAvailable while no more than maxUnavailable are missing",
    source: `${page}#deployment-status`,
    check(run) {
      make(run, { replicas: 4, ...rolling(0, 1) });
      run.settle();
      for (const one of run.unready().slice(0, 2)) run.report(one, ready);
      run.settle();
      expect(condition(run, "Available")).toMatchObject({
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      });
      run.report(run.unready()[0] ?? expect.unreachable(), ready);
      run.settle();
      expect(condition(run, "Available")).toMatchObject({
        status: "True",
        reason: "MinimumReplicasAvailable",
        message: "Deployment has minimum availability.",
      });
    },
  },
  {
    name: "a condition that changes is told apart: lastTransitionTime moves with the status alone",
    source: apiReference("deployment-v1/#DeploymentStatus"),
    check(run) {
      make(run, { replicas: 2 });
      run.settle();
      const begun = condition(run, "Progressing")?.lastTransitionTime;
      run.pass(10);
      run.finish();
      const complete = condition(run, "Progressing");
      expect(complete?.lastTransitionTime).toBe(begun);
      expect(Date.parse(complete?.lastUpdateTime ?? "")).toBe(run.now());
    },
  },
  {
    name: "a pod is available when it has been ready for minReadySeconds, and the rollout waits for that",
    source: `${page}#min-ready-seconds`,
    check(run) {
      make(run, { replicas: 2, minReadySeconds: 30, ...rolling(0, 1) });
      run.settle();
      run.allReady();
      run.settle();
      expect(self(run).status).toMatchObject({ readyReplicas: 2, availableReplicas: 0 });
      expect(run.wake()).toBe(30);
      expect(self(run).status).toMatchObject({ readyReplicas: 2, availableReplicas: 2 });
      roll(run, "web:v2");
      run.settle();
      run.allGone();
      run.allReady();
      run.settle();
      expect(sizes(run)).toEqual({ "web:v1": 1, "web:v2": 1 });
      run.wake();
      expect(sizes(run)).toEqual({ "web:v1": 0, "web:v2": 2 });
    },
  },
  {
    name: "updated, unavailable and terminating pods are counted",
    source: fields,
    check(run) {
      make(run, { replicas: 4, ...rolling(1, 1) });
      run.finish();
      roll(run, "web:v2");
      run.settle();
      expect(self(run).status).toMatchObject({
        replicas: 5,
        updatedReplicas: 2,
        readyReplicas: 3,
        availableReplicas: 3,
        unavailableReplicas: 2,
        terminatingReplicas: 1,
      });
      run.allGone();
      run.settle();
      expect(self(run).status).toMatchObject({ terminatingReplicas: 0 });
    },
  },
  {
    name: "observedGeneration follows each change of the spec",
    source: fields,
    check(run) {
      make(run, { replicas: 1 });
      run.settle();
      expect(self(run).status?.observedGeneration).toBe(1);
      edit(run, { replicas: 2 });
      expect(self(run).metadata.generation).toBe(2);
      expect(self(run).status?.observedGeneration).toBe(1);
      run.settle();
      expect(self(run).status?.observedGeneration).toBe(2);
    },
  },
  {
    name: "of no replicas it is available and complete",
    source: utilities,
    check(run) {
      make(run, { replicas: 0 });
      run.settle();
      expect(sizes(run)).toEqual({ "web:v1": 0 });
      expect(condition(run, "Available")).toMatchObject({ status: "True" });
      expect(condition(run, "Progressing")).toMatchObject({ reason: "NewReplicaSetAvailable" });
    },
  },
  {
    name: "pods that a quota refuses show as ReplicaFailure, until there is room",
    source: `${page}#failed-deployment`,
    check(run) {
      run.create(resourceQuota, "few", { hard: { pods: "1" } });
      make(run, { replicas: 2 });
      run.settle();
      expect(run.pods()).toHaveLength(1);
      expect(condition(run, "ReplicaFailure")).toMatchObject({
        status: "True",
        reason: "FailedCreate",
        message: expect.stringContaining("exceeded quota: few") as string,
      });
      run.edit(resourceQuota, "few", { hard: { pods: "2" } });
      run.settle();
      expect(run.pods()).toHaveLength(2);
      expect(condition(run, "ReplicaFailure")).toBeUndefined();
    },
  },
];

const revisionCases: readonly Case[] = [
  {
    name: "its ReplicaSet has the template's hash in its name, labels, selector and pods",
    source: `${page}#pod-template-hash-label`,
    check(run) {
      make(run, { replicas: 1 });
      run.settle();
      const set = setOf(run, "web:v1");
      const hash = set.metadata.labels?.["pod-template-hash"] ?? expect.unreachable();
      const labels = { app: "web", "pod-template-hash": hash };
      expect(set.metadata.name).toBe(`web-${hash}`);
      expect(set.spec.selector.matchLabels).toEqual(labels);
      expect(run.pods().map(({ metadata }) => metadata.labels)).toEqual([labels]);
      expect(set.metadata.ownerReferences).toMatchObject([
        { kind: "Deployment", name: "web", controller: true, blockOwnerDeletion: true },
      ]);
    },
  },
  {
    name: "a change of the template's labels alone is a rollout",
    source: `${page}#updating-a-deployment`,
    check(run) {
      make(run, { replicas: 1 });
      run.finish();
      edit(run, { template: template("web:v1", {}, { tier: "front" }) });
      run.finish();
      expect(run.list(replicaSet)).toHaveLength(2);
      expect(run.live().map(({ metadata }) => metadata.labels?.["tier"])).toEqual(["front"]);
    },
  },
  {
    name: "other updates, such as scaling or its own labels, trigger no rollout",
    source: `${page}#updating-a-deployment`,
    check(run) {
      make(run, { replicas: 1 });
      run.finish();
      edit(run, {
        replicas: 2,
        minReadySeconds: 1,
        template: template("web:v1", { restartPolicy: "Always" }),
      });
      run.update(deployment, "web", (one) => ({
        ...one,
        metadata: { ...one.metadata, labels: { team: "a" } },
      }));
      run.finish();
      expect(sizes(run)).toEqual({ "web:v1": 2 });
      expect(setOf(run, "web:v1").spec.minReadySeconds).toBe(1);
      expect(self(run).metadata.annotations).toMatchObject({ [revision]: "1" });
    },
  },
  {
    name: "each rollout is a revision, written on the Deployment and its set, with its annotations",
    source: `${page}#checking-rollout-history-of-a-deployment`,
    check(run) {
      const cause = { "kubernetes.io/change-cause": "image v1" };
      make(run, { replicas: 1 }, { annotations: cause });
      run.finish();
      roll(run, "web:v2");
      run.finish();
      expect(self(run).metadata.annotations).toMatchObject({ [revision]: "2" });
      expect(setOf(run, "web:v1").metadata.annotations).toMatchObject({
        [revision]: "1",
        ...cause,
      });
      expect(setOf(run, "web:v2").metadata.annotations).toMatchObject({ [revision]: "2" });
    },
  },
  {
    name: "rolled back, the old set is used again under a new revision",
    source: `${page}#rolling-back-to-a-previous-revision`,
    check(run) {
      make(run, { replicas: 2 });
      run.finish();
      const first = setOf(run, "web:v1").metadata.uid;
      for (const image of ["web:v2", "web:v1", "web:v2", "web:v1"]) {
        roll(run, image);
        run.finish();
      }
      const again = setOf(run, "web:v1");
      expect(run.list(replicaSet)).toHaveLength(2);
      expect(again.metadata.uid).toBe(first);
      expect(again.metadata.annotations).toMatchObject({
        [revision]: "5",
        "deployment.kubernetes.io/revision-history": "1,3",
      });
      expect(images(run)).toEqual(["web:v1", "web:v1"]);
    },
  },
  {
    name: "revisionHistoryLimit 0 cleans up all history",
    source: `${page}#clean-up-policy`,
    check(run) {
      make(run, { replicas: 1, revisionHistoryLimit: 0 });
      run.finish();
      roll(run, "web:v2");
      run.settle();
      expect(run.list(replicaSet)).toHaveLength(2);
      run.finish();
      expect(sizes(run)).toEqual({ "web:v2": 1 });
    },
  },
  {
    name: "history is cleaned up only once the rollout is complete",
    source: `${page}#clean-up-policy`,
    check(run) {
      make(run, { replicas: 1 });
      for (const image of ["web:v1", "web:v2"]) {
        roll(run, image);
        run.finish();
      }
      roll(run, "web:v3");
      edit(run, { revisionHistoryLimit: 0 });
      run.settle();
      expect(sizes(run)).toEqual({ "web:v1": 0, "web:v2": 1, "web:v3": 1 });
      run.finish();
      expect(sizes(run)).toEqual({ "web:v3": 1 });
    },
  },
  {
    name: "a set of another template that has the new one's name counts as a collision",
    source: fields,
    check(run) {
      make(run, { replicas: 1 });
      const name = newSetName(self(run));
      run.create(replicaSet, name, {
        replicas: 0,
        selector: { matchLabels: { app: "other" } },
        template: template("other:v1", {}, { app: "other" }),
      });
      run.finish();
      expect(self(run).status?.collisionCount).toBe(1);
      expect(setOf(run, "web:v1").metadata.name).not.toBe(name);
      expect(images(run)).toEqual(["web:v1"]);
    },
  },
  {
    name: "its selector is immutable, and must select its template",
    source: `${page}#label-selector-updates`,
    check(run) {
      make(run, { replicas: 1 });
      const selector = { matchLabels: { app: "other" } };
      const other = { selector, template: template("web:v1", {}, { app: "other" }) };
      expect(refusalOf(() => edit(run, other)).message).toContain("field is immutable");
      const stray = refusalOf(() => run.create(deployment, "stray", web({ selector })));
      expect(stray.message).toContain("`selector` does not match template `labels`");
    },
  },
  {
    name: "a matching set that nobody controls is adopted",
    source: concept("replicaset/#isolating-pods-from-a-replicaset"),
    check(run) {
      make(run, { replicas: 2 });
      run.finish();
      run.remove(deployment, "web", { propagationPolicy: "Orphan" });
      run.settle();
      expect(run.find(deployment, "web")).toBeUndefined();
      const before = run.live().map(({ metadata }) => metadata.uid);
      make(run, { replicas: 2 });
      run.finish();
      expect(run.live().map(({ metadata }) => metadata.uid)).toEqual(before);
      expect(run.list(replicaSet).map(({ metadata }) => metadata.ownerReferences)).toMatchObject([
        [{ kind: "Deployment", uid: self(run).metadata.uid }],
      ]);
    },
  },
  {
    name: "deleted in the foreground it scales nothing, and goes after its sets and pods",
    source:
      "https://kubernetes.io/docs/concepts/architecture/garbage-collection/#foreground-deletion",
    check(run) {
      make(run, { replicas: 2 });
      run.finish();
      run.remove(deployment, "web", { propagationPolicy: "Foreground" });
      run.settle();
      expect(self(run).metadata.finalizers).toEqual(["foregroundDeletion"]);
      expect(run.live()).toEqual([]);
      expect(run.pods()).toHaveLength(2);
      run.allGone();
      run.settle();
      expect(run.find(deployment, "web")).toBeUndefined();
      expect(run.list(replicaSet)).toEqual([]);
    },
  },
];

referenceTable("a Deployment's status", [...progressCases, ...availableCases, ...revisionCases]);
