/** @see https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#affinity-and-anti-affinity */
import { describe } from "vitest";
import type { NodeTerm } from "../../../libs/model/pod/placement.ts";
import { expectVerdicts, type Spec } from "./place-fixture.ts";

type Requirement = NonNullable<NodeTerm["matchExpressions"]>[number];
const required = (...nodeSelectorTerms: NodeTerm[]): Spec => ({
  affinity: {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
  },
});
const one = (key: string, operator: Requirement["operator"], ...values: string[]): NodeTerm => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }],
});
const named = (operator: Requirement["operator"], name: string): NodeTerm => ({
  matchFields: [{ key: "metadata.name", operator, values: [name] }],
});
const inA = one("zone", "In", "a");
const node = { labels: { zone: "a", cores: "8", disk: "ssd" } };
const why = "node(s) didn't match Pod's node affinity/selector";

describe("nodeSelector", () => {
  expectVerdicts([
    { name: "a label it has", spec: { nodeSelector: { disk: "ssd" } }, node },
    { name: "a label it has not", spec: { nodeSelector: { gpu: "yes" } }, node, why },
    { name: "a label with another value", spec: { nodeSelector: { disk: "hdd" } }, node, why },
    { name: "all of several", spec: { nodeSelector: { disk: "ssd", zone: "b" } }, node, why },
    { name: "beside affinity", spec: { nodeSelector: { disk: "ssd" }, ...required(inA) }, node },
    {
      name: "that fails though affinity does not",
      spec: { nodeSelector: { disk: "hdd" }, ...required(inA) },
      node,
      why,
    },
  ]);
});

describe("required node affinity", () => {
  expectVerdicts([
    { name: "In", spec: required(one("zone", "In", "b", "a")), node },
    { name: "In, of others", spec: required(one("zone", "In", "b")), node, why },
    { name: "In, without the label", spec: required(one("rack", "In", "a")), node, why },
    { name: "NotIn", spec: required(one("zone", "NotIn", "b")), node },
    { name: "NotIn, of its own", spec: required(one("zone", "NotIn", "a")), node, why },
    { name: "NotIn, without the label", spec: required(one("rack", "NotIn", "a")), node },
    { name: "Exists", spec: required(one("zone", "Exists")), node },
    { name: "Exists, without the label", spec: required(one("rack", "Exists")), node, why },
    { name: "DoesNotExist", spec: required(one("rack", "DoesNotExist")), node },
    {
      name: "DoesNotExist, with the label",
      spec: required(one("zone", "DoesNotExist")),
      node,
      why,
    },
    { name: "Gt", spec: required(one("cores", "Gt", "4")), node },
    { name: "Gt, of as many", spec: required(one("cores", "Gt", "8")), node, why },
    { name: "Lt", spec: required(one("cores", "Lt", "16")), node },
    { name: "Lt, of as many", spec: required(one("cores", "Lt", "8")), node, why },
    { name: "Gt compares numbers, not texts", spec: required(one("cores", "Gt", "10")), node, why },
    { name: "Gt, of a label that is no number", spec: required(one("zone", "Gt", "1")), node, why },
    { name: "Gt, without the label", spec: required(one("rack", "Gt", "1")), node, why },
    {
      name: "every requirement of a term",
      spec: required({
        matchExpressions: [
          { key: "zone", operator: "In", values: ["a"] },
          { key: "disk", operator: "In", values: ["hdd"] },
        ],
      }),
      node,
      why,
    },
    { name: "any of the terms", spec: required(one("zone", "In", "b"), inA), node },
    { name: "no term at all", spec: required(), node, why },
    { name: "a term without requirements", spec: required({}), node, why },
    { name: "by name", spec: required(named("In", "n1")), node },
    { name: "by another's name", spec: required(named("In", "n2")), node, why },
    { name: "by not being another", spec: required(named("NotIn", "n2")), node },
    { name: "by not being this", spec: required(named("NotIn", "n1")), node, why },
    { name: "by name and label", spec: required({ ...named("In", "n1"), ...inA }), node },
    {
      name: "by name, though not by label",
      spec: required({ ...named("In", "n1"), ...one("zone", "In", "b") }),
      node,
      why,
    },
    {
      name: "a field is no label",
      spec: required(one("metadata.name", "Exists")),
      node,
      why,
    },
  ]);
});
