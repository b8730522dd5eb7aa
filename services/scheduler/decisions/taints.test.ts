/** @see https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
import { describe } from "vitest";
import type { Toleration } from "../../../libs/model/pod/placement.ts";
import { expectVerdicts, gpuTaint, type Spec } from "./place-fixture.ts";

const tolerating = (...tolerations: Toleration[]): Spec => ({ tolerations });
const tainted = { taints: [gpuTaint] };
const why = "node(s) had untolerated taint {gpu: yes}";

describe("a taint", () => {
  expectVerdicts([
    { name: "keeps pods away", spec: {}, node: tainted, why },
    {
      name: "NoExecute keeps them away too",
      spec: {},
      node: { taints: [{ ...gpuTaint, effect: "NoExecute" }] },
      why,
    },
    {
      name: "PreferNoSchedule keeps nobody away",
      spec: {},
      node: { taints: [{ ...gpuTaint, effect: "PreferNoSchedule" }] },
    },
    {
      name: "is tolerated by value",
      spec: tolerating({ key: "gpu", operator: "Equal", value: "yes", effect: "NoSchedule" }),
      node: tainted,
    },
    {
      name: "is not tolerated by another value",
      spec: tolerating({ key: "gpu", operator: "Equal", value: "no", effect: "NoSchedule" }),
      node: tainted,
      why,
    },
    {
      name: "Equal is what is meant when nothing is said",
      spec: tolerating({ key: "gpu", value: "yes" }),
      node: tainted,
    },
    {
      name: "is tolerated whatever its value",
      spec: tolerating({ key: "gpu", operator: "Exists" }),
      node: tainted,
    },
    {
      name: "is not tolerated by another key",
      spec: tolerating({ key: "tpu", operator: "Exists" }),
      node: tainted,
      why,
    },
    {
      name: "is not tolerated by another effect",
      spec: tolerating({ key: "gpu", operator: "Exists", effect: "NoExecute" }),
      node: tainted,
      why,
    },
    {
      name: "is tolerated by every effect",
      spec: tolerating({ key: "gpu", operator: "Exists", effect: "" }),
      node: { taints: [{ ...gpuTaint, effect: "NoExecute" }] },
    },
    {
      name: "is tolerated by who tolerates everything",
      spec: tolerating({ operator: "Exists" }),
      node: { ...tainted, ready: "False", unschedulable: true },
    },
    {
      name: "without a key Equal tolerates nothing",
      spec: tolerating({ operator: "Equal", value: "yes" }),
      node: tainted,
      why,
    },
    {
      name: "without a value is tolerated without one",
      spec: tolerating({ key: "gpu" }),
      node: { taints: [{ key: "gpu", effect: "NoSchedule" }] },
    },
    {
      name: "that is one of two is not enough to tolerate",
      spec: tolerating({ key: "gpu", operator: "Exists" }),
      node: { taints: [gpuTaint, { key: "old", effect: "NoSchedule" }] },
      why: "node(s) had untolerated taint {old: }",
    },
    {
      name: "two of them need two tolerations",
      spec: tolerating({ key: "gpu", operator: "Exists" }, { key: "old", operator: "Exists" }),
      node: { taints: [gpuTaint, { key: "old", effect: "NoSchedule" }] },
    },
    {
      name: "is tolerated however long, when it comes to placing",
      spec: tolerating({ key: "gpu", operator: "Exists", tolerationSeconds: 1 } as Toleration),
      node: { taints: [{ ...gpuTaint, effect: "NoExecute" }] },
    },
  ]);
});

describe("a node", () => {
  const notReady = "node.kubernetes.io/not-ready";
  expectVerdicts([
    {
      name: "that is cordoned takes nobody",
      spec: {},
      node: { unschedulable: true },
      why: "node(s) were unschedulable",
    },
    {
      name: "that is cordoned takes who does not mind",
      spec: tolerating({ key: "node.kubernetes.io/unschedulable", operator: "Exists" }),
      node: { unschedulable: true },
    },
    {
      name: "that is not ready takes nobody",
      spec: {},
      node: { ready: "Unknown" },
      why: `node(s) had untolerated taint {${notReady}: }`,
    },
    {
      name: "that is not ready takes who does not mind",
      spec: tolerating({ key: notReady, operator: "Exists" }),
      node: { ready: "False" },
    },
  ]);
});
