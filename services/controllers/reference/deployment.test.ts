import { expect } from "vitest";
import { refusalOf } from "../../../libs/admission/refusal-fixture.ts";
import { deployment } from "../../../libs/model/kinds/deployment.ts";
import { replicaSet } from "../../../libs/model/kinds/replicaset.ts";
import { pulling, ready } from "./pod-report.ts";
import { apiReference, type Case, kubernetesFile, referenceTable } from "./reference-table.ts";
import {
  condition,
  edit,
  images,
  make,
  page,
  roll,
  rolling,
  self,
  sizes,
} from "./deployment-run.ts";
import { imageOf, template, web } from "./web.ts";

const bounds = (
  name: string,
  {
    replicas,
    maxSurge,
    maxUnavailable,
    fresh,
    old,
  }: {
    readonly replicas: number;
    readonly maxSurge: number | string;
    readonly maxUnavailable: number | string;
    readonly fresh: number;
    readonly old: number;
  },
): Case => ({
  name,
  source: `${page}#rolling-update-deployment`,
  check(run) {
    make(run, { replicas, ...rolling(maxSurge, maxUnavailable) });
    run.finish();
    roll(run, "web:v2");
    run.settle();
    expect(sizes(run)).toEqual({ "web:v1": old, "web:v2": fresh });
  },
});

/** The first step of an update: the new set up to the surge, the old one down to what must stay. */
const rollingCases: readonly Case[] = [
  bounds("maxSurge of 25% is rounded up and maxUnavailable of 25% down", {
    replicas: 10,
    maxSurge: "25%",
    maxUnavailable: "25%",
    fresh: 5,
    old: 8,
  }),
  bounds("of 4 pods, 25% each, at most 5 and at least 3 are there", {
    replicas: 4,
    maxSurge: "25%",
    maxUnavailable: "25%",
    fresh: 2,
    old: 3,
  }),
  bounds("maxUnavailable of 30% lets the old set shrink to 70% at once", {
    replicas: 10,
    maxSurge: 0,
    maxUnavailable: "30%",
    fresh: 3,
    old: 7,
  }),
  bounds("maxSurge of 30% lets old and new pods be 130% at once", {
    replicas: 10,
    maxSurge: "30%",
    maxUnavailable: 0,
    fresh: 3,
    old: 10,
  }),
  bounds("both resolve to zero by rounding: one pod may be unavailable", {
    replicas: 3,
    maxSurge: 0,
    maxUnavailable: "10%",
    fresh: 1,
    old: 2,
  }),
];

const strategyCases: readonly Case[] = [
  {
    name: "maxSurge and maxUnavailable may not both be 0",
    source: `${page}#max-unavailable`,
    check(run) {
      const refusal = refusalOf(() => make(run, { replicas: 1, ...rolling(0, 0) }));
      expect(refusal.message).toContain("may not be 0 when `maxSurge` is 0");
    },
  },
  {
    name: "a strategy that is not given is RollingUpdate of 25% each",
    source: apiReference("deployment-v1/#DeploymentSpec"),
    check(run) {
      make(run, {});
      expect(self(run).spec).toMatchObject({
        replicas: 1,
        ...rolling("25%", "25%"),
        minReadySeconds: 0,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
      });
    },
  },
  {
    name: "Recreate makes no new pod before all old ones are gone",
    source: `${page}#recreate-deployment`,
    check(run) {
      make(run, { replicas: 2, strategy: { type: "Recreate" } });
      run.finish();
      roll(run, "web:v2");
      run.settle();
      expect(run.ending()).toHaveLength(2);
      run.gone(run.ending()[0] ?? expect.unreachable());
      run.settle();
      expect(images(run)).toEqual([]);
      run.allGone();
      run.settle();
      expect(images(run)).toEqual(["web:v2", "web:v2"]);
    },
  },
  {
    name: "Recreate is available only with all of its pods, for none may be unavailable",
    source: kubernetesFile("pkg/controller/deployment/util/deployment_util.go"),
    check(run) {
      make(run, { replicas: 2, strategy: { type: "Recreate" } });
      run.settle();
      run.report(run.pods()[0] ?? expect.unreachable(), ready);
      run.settle();
      expect(condition(run, "Available")).toMatchObject({ status: "False" });
      run.allReady();
      run.settle();
      expect(condition(run, "Available")).toMatchObject({ status: "True" });
    },
  },
  {
    name: "a set that a bad rollout cannot make ready stops the rollout, and enough old pods stay",
    source: `${page}#rolling-back-a-deployment`,
    check(run) {
      make(run, { replicas: 3 });
      run.finish();
      roll(run, "web:v1.161");
      run.settle();
      for (const one of run.unready()) run.report(one, pulling);
      run.pass(60);
      run.settle();
      expect(sizes(run)).toEqual({ "web:v1": 3, "web:v1.161": 1 });
    },
  },
  {
    name: "old pods that are not ready go first, and cost no availability",
    source: kubernetesFile("pkg/controller/deployment/rolling.go"),
    check(run) {
      make(run, { replicas: 4, ...rolling(0, 1) });
      run.finish();
      run.report(run.pods()[0] ?? expect.unreachable(), { phase: "Running", ready: false });
      roll(run, "web:v2");
      run.settle();
      expect(sizes(run)).toEqual({ "web:v1": 3, "web:v2": 1 });
      expect(run.unready().map(imageOf)).toEqual(["web:v2"]);
    },
  },
  {
    name: "a rollover does not wait for the set before to be complete",
    source: `${page}#rollover-aka-multiple-updates-in-flight`,
    check(run) {
      make(run, { replicas: 5 });
      run.settle();
      for (const one of run.unready().slice(0, 3)) run.report(one, ready);
      run.settle();
      roll(run, "web:v2");
      run.settle();
      expect(sizes(run)).toEqual({ "web:v1": 4, "web:v2": 3 });
      roll(run, "web:v3");
      run.settle();
      // What is not ready is given up at once, of either old set.
      expect(sizes(run)).toEqual({ "web:v1": 3, "web:v2": 1, "web:v3": 3 });
      run.finish();
      expect(sizes(run)).toEqual({ "web:v1": 0, "web:v2": 0, "web:v3": 5 });
    },
  },
  {
    name: "10 pods, maxSurge 3, maxUnavailable 2, scaled to 15 mid-rollout: 8 and 5 become 11 and 7",
    source: `${page}#proportional-scaling`,
    check(run) {
      make(run, { replicas: 10, ...rolling(3, 2) });
      run.finish();
      roll(run, "web:sometag");
      run.settle();
      run.allGone();
      run.settle();
      expect(sizes(run)).toEqual({ "web:v1": 8, "web:sometag": 5 });
      edit(run, { replicas: 15 });
      run.settle();
      expect(sizes(run)).toEqual({ "web:v1": 11, "web:sometag": 7 });
      run.finish();
      expect(sizes(run)).toEqual({ "web:v1": 0, "web:sometag": 15 });
    },
  },
  {
    name: "scaled to 0 in the middle of a rollout all of its sets are",
    source: `${page}#proportional-scaling`,
    check(run) {
      make(run, { replicas: 4, ...rolling(1, 1) });
      run.finish();
      roll(run, "web:v2");
      run.settle();
      edit(run, { replicas: 0 });
      run.finish();
      expect(sizes(run)).toEqual({ "web:v1": 0, "web:v2": 0 });
      expect(run.pods()).toEqual([]);
    },
  },
  {
    name: "beside a new set that is whole and available, a set that it adopts goes to 0 though it is paused",
    source: kubernetesFile("pkg/controller/deployment/sync.go"),
    check(run) {
      make(run, { replicas: 2 });
      run.finish();
      edit(run, { paused: true });
      run.create(replicaSet, "stray", web({ replicas: 1, template: template("web:v0") }), {
        labels: { app: "web" },
      });
      run.finish();
      expect(sizes(run)).toEqual({ "web:v0": 0, "web:v1": 2 });
    },
  },
  {
    name: "maxUnavailable beyond the replicas lets all old pods go at once",
    source: kubernetesFile("pkg/controller/deployment/util/deployment_util.go"),
    check(run) {
      make(run, { replicas: 3, ...rolling(0, 5) });
      run.finish();
      roll(run, "web:v2");
      run.settle();
      expect(sizes(run)).toEqual({ "web:v1": 0, "web:v2": 3 });
      expect(condition(run, "Available")).toMatchObject({ status: "True" });
    },
  },
  {
    name: "a set that someone scales by hand has its size again, and one that is deleted comes back",
    source: `${page}#creating-a-deployment`,
    check(run) {
      make(run, { replicas: 2 });
      run.finish();
      const [{ metadata } = expect.unreachable()] = run.list(replicaSet);
      for (const replicas of [5, 1]) {
        run.edit(replicaSet, metadata.name, { replicas });
        run.finish();
        expect(sizes(run)).toEqual({ "web:v1": 2 });
      }
      run.remove(replicaSet, metadata.name);
      run.finish();
      const [again] = run.list(replicaSet);
      expect(again?.metadata.name).toBe(metadata.name);
      expect(again?.metadata.uid).not.toBe(metadata.uid);
      expect(run.live()).toHaveLength(2);
    },
  },
  {
    name: "while it is being deleted it rolls nothing out",
    source: kubernetesFile("pkg/controller/deployment/deployment_controller.go"),
    check(run) {
      make(run, { replicas: 2 }, { finalizers: ["example.com/hold"] });
      run.finish();
      run.remove(deployment, "web");
      roll(run, "web:v2");
      edit(run, { replicas: 3 });
      run.finish();
      expect(sizes(run)).toEqual({ "web:v1": 2 });
    },
  },
  {
    name: "a paused Deployment triggers no new rollout, but scales",
    source: `${page}#pausing-and-resuming-a-deployment`,
    check(run) {
      make(run, { replicas: 3 });
      run.finish();
      edit(run, { paused: true });
      roll(run, "web:v2");
      edit(run, { replicas: 5 });
      run.finish();
      expect(sizes(run)).toEqual({ "web:v1": 5 });
      expect(condition(run, "Progressing")).toMatchObject({
        status: "Unknown",
        reason: "DeploymentPaused",
      });
    },
  },
  {
    name: "resumed, it rolls out all that was changed meanwhile at once",
    source: `${page}#pausing-and-resuming-a-deployment`,
    check(run) {
      make(run, { replicas: 2 });
      run.finish();
      edit(run, { paused: true });
      roll(run, "web:v2");
      run.settle();
      roll(run, "web:v3");
      run.settle();
      edit(run, { paused: false });
      run.settle();
      expect(condition(run, "Progressing")).toMatchObject({ status: "True" });
      run.finish();
      expect(sizes(run)).toEqual({ "web:v1": 0, "web:v3": 2 });
    },
  },
  {
    name: "a rollout that is paused midway holds, and scales in proportion",
    source: `${page}#proportional-scaling`,
    check(run) {
      make(run, { replicas: 4, ...rolling(1, 1) });
      run.finish();
      roll(run, "web:v2");
      run.settle();
      edit(run, { paused: true });
      run.finish();
      const held = sizes(run);
      expect(held["web:v1"]).toBe(3);
      expect(held["web:v2"]).toBe(2);
      edit(run, { replicas: 8 });
      run.finish();
      expect(sizes(run)).toEqual({ "web:v1": 5, "web:v2": 4 });
    },
  },
];

referenceTable("a Deployment's rollout", [...rollingCases, ...strategyCases]);
