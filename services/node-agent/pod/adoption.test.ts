import { describe, expect, test } from "vitest";
import { adoptionOf } from "./adoption.ts";
import { aContainer, aWork, now } from "./fixtures.ts";
import { beginProbes, type ProbeKind, tookProbe } from "./probe.ts";

const httpGet = { port: 80 };
const [probed] = aWork({
  containers: [
    { name: "main", startupProbe: { httpGet }, readinessProbe: { httpGet, failureThreshold: 2 } },
  ],
}).spec.containers;

/** Runs of a container's probes after these results. */
function runsAfter(...results: readonly (readonly [ProbeKind, boolean])[]) {
  if (probed === undefined) throw new Error("no container");
  return results.reduce(
    (runs, [kind, ok]) => tookProbe(runs, kind, ok, now),
    beginProbes(probed, now),
  );
}

describe("an adopted pod", () => {
  const running = aContainer("main");
  const started = ["startup", true] as const;

  test.each([
    { when: "before any probe", runs: runsAfter(), judging: true },
    { when: "once it has started", runs: runsAfter(started), judging: true },
    { when: "once it is ready", runs: runsAfter(started, ["readiness", true]), judging: false },
    { when: "after one failure", runs: runsAfter(started, ["readiness", false]), judging: true },
    {
      when: "after enough failures",
      runs: runsAfter(started, ["readiness", false], ["readiness", false]),
      judging: false,
    },
  ])("is being judged $when: $judging", ({ runs, judging }) => {
    expect(adoptionOf([running]).isJudging([running], [runs])).toBe(judging);
  });

  test("is told of as soon as something else happens to it, and from then on", () => {
    const adoption = adoptionOf([running]);
    const exited = { ...running, state: "exited" } as const;
    expect(adoption.isJudging([exited], [runsAfter()])).toBe(false);
    expect(adoption.isJudging([running], [runsAfter()])).toBe(false);
  });

  test("is none when nothing of it ran", () => {
    expect(adoptionOf([]).isJudging([running], [runsAfter()])).toBe(false);
  });
});
