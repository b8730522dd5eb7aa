/** Controllers and schedulers are killed every second under a churn; the record is judged after it. */
import { expect, test } from "vitest";
import { chaos } from "../chaos/chaos.ts";
import { testCluster } from "../cluster.ts";
import { fastest } from "../fastest.ts";
import { testRandom } from "../seed.ts";

const convergesWithinMs = 5_000;

test("20 s of kills break no invariant, and the cluster converges within 5 s of the last", async () => {
  const tookMs = await fastest("after the last kill converged in", convergesWithinMs, async () => {
    await using cluster = await testCluster({ nodes: 1, controllers: 3, schedulers: 2 });
    const report = await chaos(cluster, testRandom("chaos"), {
      seconds: 20,
      killEveryMs: 1_000,
      deployments: 8,
      actEveryMs: 700,
    });
    console.log(`chaos: ${JSON.stringify(report)}`);
    expect(report.broken).toEqual([]);
    expect(report.actions.made + report.actions.rolled).toBeGreaterThan(0);
    return report.convergedMs;
  });
  expect(tookMs).toBeLessThan(convergesWithinMs);
});
