import { expect, test } from "vitest";
import { parse } from "../../../../libs/model/errors.ts";
import { pod as podKind } from "../../../../libs/model/kinds/pod.ts";
import { availableAtMs } from "./pod-state.ts";

const readyAt = "2026-01-01T00:00:57Z";
const aPod = parse(podKind, {
  metadata: { name: "web", namespace: "default" },
  spec: { containers: [{ name: "web", image: "web" }] },
  status: {
    phase: "Running",
    conditions: [{ type: "Ready", status: "True", lastTransitionTime: readyAt }],
  },
});
const onReadyNode = { pod: aPod, nodeReady: true };

test("a ready pod is available at once, whatever a clock says, unless it is to be ready for a time", () => {
  expect(availableAtMs(onReadyNode, 0)).toBe(0);
  expect(availableAtMs(onReadyNode, 10)).toBe(Date.parse(readyAt) + 10_000);
  expect(availableAtMs({ ...onReadyNode, nodeReady: false }, 0)).toBeUndefined();
});
