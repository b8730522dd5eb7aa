import { describe, expect, test } from "vitest";
import { isLive, isTerminal, readySinceMs } from "./state.ts";

const ready = (status: string, lastTransitionTime?: string) => ({
  status: { conditions: [{ type: "Ready", status, lastTransitionTime }] },
});

describe("a pod", () => {
  test.each([
    { phase: "Pending", terminal: false },
    { phase: "Running", terminal: false },
    { phase: "Unknown", terminal: false },
    { phase: "Succeeded", terminal: true },
    { phase: "Failed", terminal: true },
  ])("that is $phase has ended: $terminal", ({ phase, terminal }) => {
    expect(isTerminal({ status: { phase } })).toBe(terminal);
    expect(isLive({ metadata: {}, status: { phase } })).toBe(!terminal);
  });

  test("that is being deleted does not count", () => {
    expect(isLive({ metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } })).toBe(false);
    expect(isLive({ metadata: {} })).toBe(true);
  });

  test("is ready since its condition turned", () => {
    expect(readySinceMs(ready("True", "1970-01-01T00:00:02Z"))).toBe(2_000);
    expect(readySinceMs(ready("True"))).toBe(0);
    expect(readySinceMs(ready("False", "1970-01-01T00:00:02Z"))).toBeUndefined();
    expect(readySinceMs({})).toBeUndefined();
  });
});
