import { describe, expect, test } from "vitest";
import type { AnyObject } from "../../../libs/admission/context.ts";
import { labelSelector } from "./label-selectors.ts";
import { fieldSelector } from "./selectors.ts";

const pod: AnyObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "web-1",
    namespace: "shop",
    labels: { app: "web", "example.com/tier": "front" },
  },
  spec: { nodeName: "n1" },
  status: { phase: "Running" },
};

describe("a label selector", () => {
  test.each([
    ["app=web", true],
    ["app==web,example.com/tier in (front, back)", true],
    ["app!=web", false],
    ["missing!=web", true],
    ["app", true],
    ["!app", false],
    ["!missing,app notin (db)", true],
    ["app in (db,cache)", false],
    ["", true],
  ])("%s selects: %s", (text, selected) => {
    expect(labelSelector(text)(pod)).toBe(selected);
  });

  test.each(["app in web", "=web", "a b", "-x=1"])("%s is refused", (text) => {
    expect(() => labelSelector(text)).toThrow(expect.objectContaining({ reason: "BadRequest" }));
  });
});

describe("a field selector", () => {
  test.each([
    ["metadata.name=web-1,status.phase!=Pending", true],
    ["spec.nodeName=", false],
    ["spec.nodeName!=", true],
    ["metadata.namespace==shop", true],
  ])("%s selects: %s", (text, selected) => {
    expect(fieldSelector(text, { group: "", kind: "Pod" })(pod)).toBe(selected);
  });

  test.each([
    ["", "Pod", {}, "spec.hostNetwork=false"],
    ["", "Pod", { status: { podIPs: [{ ip: "10.0.0.1" }] } }, "status.podIP=10.0.0.1"],
    ["", "Event", { source: { component: "a" }, reportingComponent: "b" }, "source=a"],
    ["", "Event", { reportingComponent: "b" }, "source=b,reportingComponent=b"],
    ["", "Event", { involvedObject: { uid: "1" } }, "involvedObject.uid=1"],
    ["events.k8s.io", "Event", { involvedObject: { name: "x" } }, "regarding.name=x"],
    ["", "Node", {}, "spec.unschedulable=false"],
    ["", "Namespace", { status: { phase: "Active" } }, "status.phase=Active"],
    ["", "Secret", { type: "Opaque" }, "type=Opaque"],
    ["apps", "ReplicaSet", { status: { replicas: 3 } }, "status.replicas=3"],
    ["batch", "Job", { status: { succeeded: 2 } }, "status.successful=2"],
    [
      "certificates.k8s.io",
      "CertificateSigningRequest",
      { spec: { signerName: "a.b/c" } },
      "spec.signerName=a.b/c",
    ],
    ["networking.k8s.io", "IngressClass", {}, "metadata.namespace="],
  ])("reads of a %s %s in %j: %s", (group, kind, object, text) => {
    const one = { apiVersion: "", kind, metadata: {}, ...object };
    expect(fieldSelector(text, { group, kind })(one)).toBe(true);
  });

  test.each([
    ["", "Pod", "spec.image", "field label not supported: spec.image"],
    ["", "Node", "metadata.namespace", "field label not supported: metadata.namespace"],
    [
      "apps",
      "Deployment",
      "status.replicas",
      '"status.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
  ])("refuses of a %s %s: %s", (group, kind, field, said) => {
    expect(() => fieldSelector(`${field}=x`, { group, kind })).toThrow(said);
  });
});
