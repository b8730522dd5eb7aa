import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aWork, now } from "./fixtures.ts";
import { beginProbes, dueProbes, tookProbe, verdictOf } from "./probe.ts";

const httpGet = { port: 80 };
const begun = (probes: object) => {
  const container = aWork({ containers: [{ name: "main", ...probes }] }).spec.containers[0];
  if (container === undefined) throw new Error("no container");
  return beginProbes(container, now);
};

describe("probes", () => {
  test("a container without probes is started and ready", () => {
    expect(verdictOf(begun({}), "main")).toEqual({ started: true, ready: true, failed: undefined });
  });

  test("wait for their initial delay", () => {
    const runs = begun({ readinessProbe: { httpGet, initialDelaySeconds: 5 } });
    expect(dueProbes(runs, now)).toEqual({ due: [], nextAt: now + 5_000 });
    expect(dueProbes(runs, now + 5_000).due).toEqual(["readiness"]);
  });

  test("the startup probe holds the others off, then they are due", () => {
    const runs = begun({
      startupProbe: { httpGet },
      livenessProbe: { httpGet },
      readinessProbe: { httpGet },
    });
    expect(dueProbes(runs, now).due).toEqual(["startup"]);
    expect(verdictOf(runs, "main")).toMatchObject({ started: false, ready: false });
    const started = tookProbe(runs, "startup", true, now + 10);
    expect(dueProbes(started, now + 10).due).toEqual(["liveness", "readiness"]);
    expect(verdictOf(started, "main")).toMatchObject({ started: true, ready: false });
  });

  test("a container leaves after failureThreshold failures in a row, and returns after successThreshold", () => {
    let runs = begun({ readinessProbe: { httpGet, failureThreshold: 2, successThreshold: 2 } });
    const ready = (ok: boolean) => {
      runs = tookProbe(runs, "readiness", ok, now);
      return verdictOf(runs, "main").ready;
    };
    expect([true, true, false, true, false, false, true, true].map(ready)).toEqual([
      false,
      true,
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  test("only the liveness and the startup probe end a container", () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 20 }),
        fc.integer({ min: 1, max: 4 }),
        (results, failureThreshold) => {
          for (const kind of ["liveness", "readiness", "startup"] as const) {
            const runs = results.reduce(
              (runs, ok) => tookProbe(runs, kind, ok, now),
              begun({ [`${kind}Probe`]: { httpGet, failureThreshold } }),
            );
            const row = /0+$/.exec(results.map((ok) => (ok ? "1" : "0")).join(""))?.[0].length ?? 0;
            const { failed } = verdictOf(runs, "main");
            expect(failed !== undefined).toBe(kind !== "readiness" && row >= failureThreshold);
          }
        },
      ),
    );
  });
});
