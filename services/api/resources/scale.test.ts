import { expect, test } from "vitest";
import { scaleOf } from "./scale.ts";

test.each([
  ["a selector of labels", { matchLabels: { app: "web" } }, "app=web"],
  [
    "a selector of expressions",
    { matchExpressions: [{ key: "tier", operator: "In", values: ["a", "b"] }] },
    "tier in (a,b)",
  ],
  ["a ReplicationController's plain map", { tier: "b", app: "web" }, "app=web,tier=b"],
])("a Scale shows %s", (_name, selector, text) => {
  const one = {
    apiVersion: "v1",
    kind: "Any",
    metadata: { name: "web" },
    spec: { replicas: 2, selector },
    status: { replicas: 1 },
  };
  expect(scaleOf(one, {})).toMatchObject({
    spec: { replicas: 2 },
    status: { replicas: 1, selector: text },
  });
});
