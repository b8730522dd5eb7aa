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
    expect(fieldSelector(text, { kind: "Pod" })(pod)).toBe(selected);
  });

  test("refuses a field that cannot be selected by", () => {
    const select = () => fieldSelector("spec.image=x", { kind: "Pod" });
    expect(select).toThrow("field label not supported: spec.image");
  });
});
