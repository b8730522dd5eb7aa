/** The benchmarks of the gateway, run small so that they cannot rot. */
import { expect, test } from "vitest";
import { benchLists } from "../bench/api/lists.ts";
import { benchRequests } from "../bench/api/requests.ts";
import { benchWatches } from "../bench/api/watches.ts";
import type { Result } from "../bench/report.ts";

const names = (results: readonly Result[]): readonly string[] => {
  const whole = results.filter(
    ({ measured, baseline }) =>
      Number.isFinite(measured[0]) && Number.isFinite(baseline.measured[0]),
  );
  return whole.map(({ bench }) => bench);
};

test("the benchmark of single requests runs", async () => {
  const results = await benchRequests({ count: 5, clients: 4, runs: 1 });
  expect(names(results)).toEqual(["api/create", "api/get", "api/creates"]);
});

test("the benchmark of lists runs", async () => {
  const results = await benchLists({ pods: 20, objects: 600, runs: 1 });
  expect(names(results)).toEqual([
    "api/list-json",
    "api/list-table",
    "api/list-protobuf",
    "api/list-chunks",
    "api/start",
    "api/memory",
  ]);
});

test("the benchmark of watches runs", async () => {
  const results = await benchWatches({ watchers: [5], changes: 3 });
  expect(names(results)).toEqual(["api/fan-out-p50", "api/fan-out-p99", "api/watch-memory"]);
});
