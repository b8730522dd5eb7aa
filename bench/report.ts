/** What every benchmark prints: one JSON line a result, beside the baseline of the same run. */
import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { root } from "../scripts/tools/paths.ts";

export type Result = {
  readonly bench: string;
  readonly params: Readonly<Record<string, number | string>>;
  readonly unit: string;
  /** One a run. */
  readonly measured: readonly number[];
  readonly baseline: { readonly name: string; readonly measured: readonly number[] };
  /** Further facts of the runs, in the same unit. */
  readonly parts?: Readonly<Record<string, number>>;
};

export function report(results: readonly Result[]): void {
  for (const result of results) process.stdout.write(`${JSON.stringify(lineOf(result))}\n`);
}

function lineOf({ bench, params, unit, measured, baseline, parts }: Result) {
  const p50 = median(measured);
  const base = median(baseline.measured);
  return {
    bench,
    params,
    runs: measured.length,
    unit,
    p50: rounded(p50),
    min: rounded(Math.min(...measured)),
    baseline: { name: baseline.name, p50: rounded(base) },
    ratio: Number(median(ratios(measured, baseline.measured)).toFixed(2)),
    ...(parts !== undefined && { parts }),
    machine: `${cpus().length} vCPU, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.versions.node,
    commit: execFileSync("git", ["-C", root, "rev-parse", "--short", "HEAD"], {
      encoding: "utf8",
    }).trim(),
  };
}

/** Run by run: each beside the baseline's of about the same time. */
const ratios = (values: readonly number[], bases: readonly number[]): number[] =>
  values.map((value, run) => value / (bases[run] ?? Number.NaN));

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const rounded = (value: number) => (value < 10 ? Number(value.toFixed(2)) : Math.round(value));
