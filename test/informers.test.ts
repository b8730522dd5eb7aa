/** A part of `npm run informers`: real gateways, killed and restarted under the clients that watch. */
import { expect, test } from "vitest";
import { informers } from "./informers/informers.ts";
import { testRandom } from "./seed.ts";

test(
  "informers and watches are told every change, while gateways are killed and restarted",
  { timeout: 120_000 },
  async () => {
    const options = { changes: 1_000, gateways: 3, ends: 2 };
    const report = await informers(testRandom("informers"), options);
    console.log(JSON.stringify(report));
    expect(report).toMatchObject({ wrong: [], expired: 0, kills: 1, restarts: 1 });
    expect(report.changes).toBeGreaterThanOrEqual(1_000);
    expect(report.resumed).toBeGreaterThan(2);
    // Each informer lists once; a broken watch is resumed, not begun anew.
    expect(report.lists).toBeLessThanOrEqual(3);
  },
);
