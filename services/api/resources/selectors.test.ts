import { describe, expect, test } from "vitest";
import type { AnyObject } from "../../../libs/admission/context.ts";
import { labelSelector } from "./label-selectors.ts";
import { fieldSelector, nameSelected } from "./selectors.ts";

const pod: AnyObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "web-1",
    namespace: "shop",
    labels: { app: "web", "example.com/tier": "front", count: "5", empty: "" },
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

  test.each([
    ["app in web", "unable to parse requirement: found 'web' expected: '('"],
    ["=web", "found '=', expected: !, identifier, or 'end of string'"],
    [",app", "found ',', expected: !, identifier, or 'end of string'"],
    ["app,", "found '', expected: identifier after ','"],
    ["app=web tier", "found 'tier', expected: ',' or 'end of string'"],
    ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ["a=(", "unable to parse requirement: found '(', expected: identifier"],
    ["!", "unable to parse requirement: found '', expected: identifier"],
    ["a in (b", "unable to parse requirement: found '', expected: ',' or ')'"],
    ["a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"],
    [
      "a>b",
      `unable to parse requirement: values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    ["-x=1", 'unable to parse requirement: <nil>: Invalid value: "-x": name part must consist of'],
    [
      "a=-b",
      'unable to parse requirement: values[0][a]: Invalid value: "-b": a valid label must be',
    ],
    ["a in (b,-c)", 'values[1][a]: Invalid value: "-c"'],
    [`a=${"b".repeat(64)}`, "must be no more than 63"],
  ])("%s is refused", (text, message) => {
    expect(() => labelSelector(text)).toThrow(
      expect.objectContaining({ reason: "BadRequest", message: expect.stringContaining(message) }),
    );
  });

  test.each([
    ["count>4", true],
    ["count>5", false],
    ["count<6,count>0", true],
    ["app>1", false],
    ["missing<9", false],
    ["app in (web,)", true],
    ["app in ()", false],
    ["app notin (in,notin)", true],
    ["app=", false],
    ["empty=", true],
    [" app = web , ! legacy ", true],
    ["app!=web,count=5", false],
  ])("%s selects: %s", (text, selected) => {
    expect(labelSelector(text)(pod)).toBe(selected);
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
    ["metadata.name=a,status.phase=Running", "a"],
    ["status.phase=Running,metadata.name==b", "b"],
    [String.raw`metadata.name=a\,b`, "a,b"],
    ["metadata.name!=a", undefined],
    ["", undefined],
  ])("%s names %s", (text, name) => {
    expect(nameSelected(text)).toBe(name);
  });

  test.each([
    ["metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ["metadata.name=a,x", "invalid selector: 'metadata.name=a,x'; can't understand 'x'"],
    ["=x", "field label not supported: "],
    ["metadata.name=a=b", "unescaped character in value"],
    [String.raw`metadata.name=a\b`, "invalid escape sequence in value"],
  ])("%s is refused", (text, message) => {
    expect(() => fieldSelector(text, { group: "", kind: "Pod" })).toThrow(
      expect.objectContaining({ reason: "BadRequest", message: expect.stringContaining(message) }),
    );
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
