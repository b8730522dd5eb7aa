import { expect } from "vitest";
import { refusalOf } from "../../../libs/admission/refusal-fixture.ts";
import { controllerRevision } from "../../../libs/model/kinds/controllerrevision.ts";
import { daemonSet } from "../../../libs/model/kinds/daemonset.ts";
import { node } from "../../../libs/model/kinds/node.ts";
import { pod, type Pod } from "../../../libs/model/kinds/pod.ts";
import { nodeOf } from "../actors/daemonset/eligible.ts";
import { failed, pulling, ready, type Report, running } from "./pod-report.ts";
import type { ReferenceCluster } from "./reference-cluster.ts";
import {
  apiReference,
  type Case,
  concept,
  kubernetesFile,
  referenceTable,
} from "./reference-table.ts";
import { imageOf, template, web } from "./web.ts";

const page = concept("daemonset/");
const updates = "https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/";
const fields = apiReference("daemon-set-v1/#DaemonSetStatus");
const strategies = apiReference("daemon-set-v1/#DaemonSetSpec");
const controllerFile = kubernetesFile("pkg/controller/daemon/daemon_controller.go");
const updateFile = kubernetesFile("pkg/controller/daemon/update.go");
const tolerations = `${page}#taints-and-tolerations`;

const make = (run: ReferenceCluster, spec: object = {}) => run.create(daemonSet, "web", web(spec));
/** On so many nodes, all of it ready. */
const made = (run: ReferenceCluster, nodes: number, spec: object = {}) => {
  for (let nth = 2; nth <= nodes; nth += 1) run.join(`n${nth}`);
  make(run, spec);
  run.finish();
};
const self = (run: ReferenceCluster) => run.get(daemonSet, "web");
const status = (run: ReferenceCluster) => self(run).status ?? expect.unreachable();
const edit = (run: ReferenceCluster, spec: object) => {
  run.edit(daemonSet, "web", { ...spec });
  run.settle();
};
const roll = (run: ReferenceCluster, image: string) => edit(run, { template: template(image) });
const rolling = (rollingUpdate: object) => ({
  updateStrategy: { type: "RollingUpdate", rollingUpdate },
});
const byName = (a: string, b: string) => (a < b ? -1 : 1);
const homes = (pods: readonly Pod[]) => pods.map((one) => nodeOf(one) ?? "").toSorted(byName);
/** What runs where: `n1 web:v1`. */
const placed = (run: ReferenceCluster) =>
  run
    .live()
    .map((one) => `${nodeOf(one)} ${imageOf(one)}`)
    .toSorted(byName);
const on = (run: ReferenceCluster, name: string) =>
  run.live().find((one) => nodeOf(one) === name) ?? expect.unreachable(name);
const tell = (run: ReferenceCluster, one: Pod, said: Report) => {
  run.report(one, said);
  run.settle();
};
const taint = (key: string, effect: string) => ({ key, effect });

const placeCases: readonly Case[] = [
  {
    name: "each node has a pod; a node that joins gets one, and one that leaves takes its own along",
    source: page,
    check(run) {
      made(run, 2);
      expect(homes(run.live())).toEqual(["n1", "n2"]);
      run.join("n3");
      run.settle();
      expect(homes(run.live())).toEqual(["n1", "n2", "n3"]);
      run.remove(node, "n2");
      run.settle();
      expect(homes(run.pods())).toEqual(["n1", "n3"]);
    },
  },
  {
    name: "nodeSelector picks nodes; labels that change add and delete pods promptly",
    source: `${page}#updating-a-daemonset`,
    check(run) {
      run.join("n2", { disk: "ssd" });
      make(run, { template: template("web:v1", { nodeSelector: { disk: "ssd" } }) });
      run.finish();
      expect(homes(run.live())).toEqual(["n2"]);
      run.join("n1", { disk: "ssd" });
      run.join("n2");
      run.settle();
      expect(homes(run.live())).toEqual(["n1"]);
      expect(homes(run.ending())).toEqual(["n2"]);
    },
  },
  {
    name: "node affinity picks nodes",
    source: `${page}#running-pods-on-select-nodes`,
    check(run) {
      run.join("n2", { zone: "a" });
      run.join("n3", { zone: "b" });
      const expression = { key: "zone", operator: "In", values: ["a", "c"] };
      const terms = { nodeSelectorTerms: [{ matchExpressions: [expression] }] };
      const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } };
      make(run, { template: template("web:v1", { affinity }) });
      run.settle();
      expect(homes(run.live())).toEqual(["n2"]);
    },
  },
  {
    name: "a pod is tied to its node by an affinity to its name, and left to the scheduler",
    source: `${page}#how-daemon-pods-are-scheduled`,
    check(run) {
      make(run);
      run.settle();
      const [one = expect.unreachable()] = run.pods();
      expect(one.spec.nodeName ?? "").toBe("");
      expect(one.spec.affinity).toEqual({
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] },
            ],
          },
        },
      });
    },
  },
  {
    name: "all tolerations of the table are added, and that of the network on the host's alone",
    source: tolerations,
    check(run) {
      make(run);
      run.create(daemonSet, "host", {
        selector: { matchLabels: { app: "host" } },
        template: template("web:v1", { hostNetwork: true }, { app: "host" }),
      });
      run.settle();
      const expected = [
        ["node.kubernetes.io/not-ready", "NoExecute"],
        ["node.kubernetes.io/unreachable", "NoExecute"],
        ["node.kubernetes.io/disk-pressure", "NoSchedule"],
        ["node.kubernetes.io/memory-pressure", "NoSchedule"],
        ["node.kubernetes.io/pid-pressure", "NoSchedule"],
        ["node.kubernetes.io/unschedulable", "NoSchedule"],
      ].map(([key, effect]) => ({ key, operator: "Exists", effect }));
      const network = "node.kubernetes.io/network-unavailable";
      const [host, plain] = run.pods();
      expect(plain?.spec.tolerations).toEqual(expected);
      expect(host?.spec.tolerations).toEqual([
        ...expected,
        { key: network, operator: "Exists", effect: "NoSchedule" },
      ]);
    },
  },
  {
    name: "nodes that are cordoned, under pressure, not ready or unreachable have a pod too",
    source: tolerations,
    check(run) {
      run.join("n2", {}, [taint("node.kubernetes.io/unschedulable", "NoSchedule")]);
      run.join("n3", {}, [taint("node.kubernetes.io/disk-pressure", "NoSchedule")]);
      run.join("n4", {}, [taint("node.kubernetes.io/not-ready", "NoExecute")]);
      run.join("n5", {}, [taint("node.kubernetes.io/unreachable", "NoExecute")]);
      make(run);
      run.settle();
      expect(homes(run.live())).toEqual(["n1", "n2", "n3", "n4", "n5"]);
    },
  },
  {
    name: "a tainted control plane has a pod only where the template tolerates that",
    source: tolerations,
    check(run) {
      const key = "node-role.kubernetes.io/control-plane";
      run.join("n2", {}, [taint(key, "NoSchedule")]);
      made(run, 1);
      expect(homes(run.live())).toEqual(["n1"]);
      const own = [{ key, operator: "Exists", effect: "NoSchedule" }];
      edit(run, { template: template("web:v1", { tolerations: own }) });
      run.finish();
      expect(homes(run.live())).toEqual(["n1", "n2"]);
    },
  },
  {
    name: "a node that got a taint keeps its pod, which counts as misscheduled",
    source: fields,
    check(run) {
      made(run, 2);
      run.join("n2", {}, [taint("dedicated", "NoSchedule")]);
      run.settle();
      expect(homes(run.live())).toEqual(["n1", "n2"]);
      expect(status(run)).toMatchObject({
        desiredNumberScheduled: 1,
        currentNumberScheduled: 1,
        numberMisscheduled: 1,
        numberReady: 1,
      });
      run.join("n2", {}, [taint("dedicated", "NoExecute")]);
      run.settle();
      expect(homes(run.ending())).toEqual(["n2"]);
    },
  },
  {
    name: "a pod that is deleted by hand, or fails, comes back on its node",
    source: controllerFile,
    check(run) {
      made(run, 2);
      run.remove(pod, on(run, "n1").metadata.name);
      tell(run, on(run, "n2"), failed);
      run.finish();
      expect(homes(run.live())).toEqual(["n1", "n2"]);
      expect(run.notes.map(({ reason }) => reason)).toContain("FailedDaemonPod");
    },
  },
  {
    name: "a pod that keeps failing comes back at once, then after 1 s, 2 s and so on, 15 minutes at most",
    source: controllerFile,
    check(run) {
      make(run);
      run.settle();
      const waits = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900];
      for (const wait of waits) {
        tell(run, on(run, "n1"), failed);
        if (wait > 0) expect(run.wake()).toBe(wait);
        run.allGone();
        run.settle();
        expect(run.live()).toHaveLength(1);
      }
    },
  },
  {
    name: "its pods always restart: a template of another policy is refused",
    source: `${page}#pod-template`,
    check(run) {
      const once = { template: template("web:v1", { restartPolicy: "Never" }) };
      expect(refusalOf(() => make(run, once)).message).toContain("restartPolicy");
      make(run);
      expect(self(run).spec.template.spec.restartPolicy).toBe("Always");
    },
  },
  {
    name: "its selector is immutable, and must match its template",
    source: `${page}#pod-selector`,
    check(run) {
      make(run);
      const selector = { matchLabels: { app: "other" } };
      const other = { selector, template: template("web:v1", {}, { app: "other" }) };
      expect(refusalOf(() => edit(run, other)).message).toContain("field is immutable");
      expect(refusalOf(() => make(run, { selector })).message).toContain("does not match template");
    },
  },
];

const refused = (name: string, rollingUpdate: object, message: string): Case => ({
  name,
  source: strategies,
  check(run) {
    expect(refusalOf(() => make(run, rolling(rollingUpdate))).message).toContain(message);
  },
});

const updateCases: readonly Case[] = [
  {
    name: "a rolling update is the default: at most one pod is missing, and the next waits for it",
    source: updates,
    check(run) {
      made(run, 3);
      expect(self(run).spec.updateStrategy).toEqual(
        rolling({ maxSurge: 0, maxUnavailable: 1 }).updateStrategy,
      );
      roll(run, "web:v2");
      expect(run.ending()).toHaveLength(1);
      run.allGone();
      run.settle();
      expect(run.unready().map(imageOf)).toEqual(["web:v2"]);
      expect(run.ending()).toEqual([]);
      tell(run, run.unready()[0] ?? expect.unreachable(), ready);
      expect(run.ending()).toHaveLength(1);
      run.finish();
      expect(placed(run)).toEqual(["n1 web:v2", "n2 web:v2", "n3 web:v2"]);
    },
  },
  {
    name: "maxUnavailable of 30% of 5 nodes is 2, rounded up",
    source: strategies,
    check(run) {
      made(run, 5, rolling({ maxUnavailable: "30%" }));
      roll(run, "web:v2");
      expect(run.ending()).toHaveLength(2);
    },
  },
  {
    name: "an old pod that is not available is replaced first, and counts towards maxUnavailable",
    source: updateFile,
    check(run) {
      made(run, 3);
      tell(run, on(run, "n3"), running);
      roll(run, "web:v2");
      expect(homes(run.ending())).toEqual(["n3"]);
    },
  },
  {
    name: "a broken update stops after maxUnavailable pods; undone, the broken pod goes at once",
    source: `${updates}#daemonset-rolling-update-is-stuck`,
    check(run) {
      made(run, 3);
      roll(run, "web:bad");
      run.allGone();
      run.settle();
      const [broken = expect.unreachable()] = run.unready();
      tell(run, broken, pulling);
      run.pass(3_600);
      run.settle();
      expect(run.ending()).toEqual([]);
      roll(run, "web:v1");
      expect(run.ending().map(imageOf)).toEqual(["web:bad"]);
      run.finish();
      expect(placed(run)).toEqual(["n1 web:v1", "n2 web:v1", "n3 web:v1"]);
    },
  },
  {
    name: "maxSurge makes the new pod first: the old one goes when that has been ready for minReadySeconds",
    source: strategies,
    check(run) {
      made(run, 3, { ...rolling({ maxSurge: 1, maxUnavailable: 0 }), minReadySeconds: 10 });
      run.pass(10);
      run.settle();
      roll(run, "web:v2");
      const [fresh = expect.unreachable()] = run.unready();
      expect(run.live()).toHaveLength(4);
      expect(run.ending()).toEqual([]);
      tell(run, fresh, ready);
      expect(run.ending()).toEqual([]);
      expect(run.wake()).toBe(10);
      expect(homes(run.ending())).toEqual([nodeOf(fresh)]);
      expect(run.ending().map(imageOf)).toEqual(["web:v1"]);
    },
  },
  {
    name: "maxSurge of 30% of 5 nodes is 2, rounded up; an old pod that is not available costs no surge",
    source: strategies,
    check(run) {
      made(run, 5, rolling({ maxSurge: "30%", maxUnavailable: 0 }));
      tell(run, on(run, "n5"), running);
      roll(run, "web:v2");
      const fresh = run.live().filter((one) => imageOf(one) === "web:v2");
      expect(fresh).toHaveLength(3);
      expect(homes(fresh)).toContain("n5");
    },
  },
  refused(
    "maxUnavailable cannot be 0 when maxSurge is",
    { maxUnavailable: 0 },
    "cannot be 0 when maxSurge is 0",
  ),
  refused(
    "maxSurge may not be set beside maxUnavailable",
    { maxUnavailable: 1, maxSurge: 1 },
    "may not be set when maxUnavailable is non-zero",
  ),
  {
    name: "OnDelete makes a new pod only where someone deletes the old one",
    source: updates,
    check(run) {
      made(run, 2, { updateStrategy: { type: "OnDelete" } });
      roll(run, "web:v2");
      run.finish();
      expect(placed(run)).toEqual(["n1 web:v1", "n2 web:v1"]);
      run.remove(pod, on(run, "n2").metadata.name);
      run.finish();
      expect(placed(run)).toEqual(["n1 web:v1", "n2 web:v2"]);
      expect(status(run)).toMatchObject({ updatedNumberScheduled: 1 });
    },
  },
  {
    name: "pods that an older one left are adopted, and replaced by the new one's update strategy",
    source: `${page}#updating-a-daemonset`,
    check(run) {
      made(run, 2);
      run.remove(daemonSet, "web", { propagationPolicy: "Orphan" });
      run.settle();
      expect(placed(run)).toEqual(["n1 web:v1", "n2 web:v1"]);
      make(run, { template: template("web:v2") });
      run.settle();
      expect(run.pods()).toHaveLength(2);
      expect(run.ending()).toHaveLength(1);
      run.finish();
      expect(placed(run)).toEqual(["n1 web:v2", "n2 web:v2"]);
    },
  },
  {
    name: "revisions are kept up to the limit, and an old template is its old revision with a new number",
    source:
      "https://kubernetes.io/docs/tasks/manage-daemon/rollback-daemon-set/#understanding-daemonset-revisions",
    check(run) {
      made(run, 1, { revisionHistoryLimit: 2 });
      for (const image of ["web:v2", "web:v3", "web:v4", "web:v2"]) {
        roll(run, image);
        run.finish();
      }
      const kept = run.list(controllerRevision).map(({ revision }) => revision);
      expect(kept.toSorted((a, b) => a - b)).toEqual([3, 4, 5]);
      expect(placed(run)).toEqual(["n1 web:v2"]);
    },
  },
];

const statusCases: readonly Case[] = [
  {
    name: "nodes are counted: with a pod, with a ready one, an available one, an updated one, or none",
    source: fields,
    check(run) {
      run.join("n2");
      run.join("n3");
      make(run);
      run.settle();
      tell(run, on(run, "n1"), ready);
      tell(run, on(run, "n2"), running);
      expect(status(run)).toEqual({
        desiredNumberScheduled: 3,
        currentNumberScheduled: 3,
        updatedNumberScheduled: 3,
        numberReady: 1,
        numberAvailable: 1,
        numberUnavailable: 2,
        numberMisscheduled: 0,
        observedGeneration: 1,
      });
    },
  },
  {
    name: "a pod is available when it has been ready for minReadySeconds",
    source: strategies,
    check(run) {
      made(run, 2, { minReadySeconds: 10 });
      expect(status(run)).toMatchObject({ numberReady: 2, numberAvailable: 0 });
      expect(run.wake()).toBe(10);
      expect(status(run)).toMatchObject({ numberReady: 2, numberAvailable: 2 });
    },
  },
  {
    name: "its pods bear the revision's hash and the template's generation, which rises with the template",
    source: controllerFile,
    check(run) {
      make(run);
      run.finish();
      const [revision] = run.list(controllerRevision);
      const key = "controller-revision-hash";
      expect(run.pods()[0]?.metadata.labels).toEqual({
        app: "web",
        [key]: revision?.metadata.labels?.[key],
        "pod-template-generation": "1",
      });
      edit(run, { minReadySeconds: 1 });
      roll(run, "web:v2");
      run.finish();
      const annotation = "deprecated.daemonset.template.generation";
      expect(self(run).metadata.annotations).toMatchObject({ [annotation]: "2" });
      expect(run.live()[0]?.metadata.labels).toMatchObject({ "pod-template-generation": "2" });
      run.update(daemonSet, "web", (one) => ({
        ...one,
        metadata: { ...one.metadata, annotations: { [annotation]: "7", other: "a" } },
      }));
      expect(self(run).metadata.annotations).toEqual({ [annotation]: "2", other: "a" });
    },
  },
  {
    name: "a revision of another template that has the new one's name counts as a collision",
    source: fields,
    check(run) {
      make(run);
      run.settle();
      const [{ metadata } = expect.unreachable()] = run.list(controllerRevision);
      run.remove(daemonSet, "web");
      run.finish();
      expect(run.list(controllerRevision)).toEqual([]);
      run.add(controllerRevision, { metadata: { name: metadata.name }, data: {}, revision: 1 });
      make(run);
      run.finish();
      expect(status(run).collisionCount).toBe(1);
      expect(placed(run)).toEqual(["n1 web:v1"]);
    },
  },
];

referenceTable("a DaemonSet", [...placeCases, ...updateCases, ...statusCases]);
