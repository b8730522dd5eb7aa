/**
 * How much memory does a cluster with the demo take when it is idle? Each process's proportional
 * share (PSS: what processes share is counted once) and resident set, beside as many Node processes
 * that do nothing.
 *
 *     node bench/cluster/memory.ts [--idle-seconds 30] [--runs 1]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { natsBus } from "../../libs/bus/nats.ts";
import { systemClock } from "../../libs/telemetry/clock.ts";
import { createLog } from "../../libs/telemetry/log.ts";
import { systemRandom } from "../../libs/telemetry/random.ts";
import { runDemo } from "../../scripts/supervisor/demo.ts";
import { testCluster } from "../../test/cluster.ts";
import { median, type Result, report } from "../report.ts";

type Params = { readonly idleSeconds: number; readonly runs: number };
type Use = { readonly pssMiB: number; readonly rssMiB: number };

const demoMaxMs = 120_000;
/** On every machine of the cluster, beside the control plane. */
const onNodes = /^(node-|lb-)/;

/** Needs the images of `npm start`. */
export async function benchMemory({ idleSeconds, runs }: Params): Promise<readonly Result[]> {
  const [used, idle]: [Map<string, Use>[], Use[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    used.push(await measureCluster(idleSeconds));
    idle.push(await measureIdleNode((used[0]?.size ?? 1) - 1, idleSeconds));
  }
  const of = (isMeant: (name: string) => boolean, unit: keyof Use) =>
    used.map((one) => sum([...one].flatMap(([name, use]) => (isMeant(name) ? use[unit] : []))));
  const each = (isMeant: (name: string) => boolean, unit: keyof Use) =>
    Object.fromEntries(
      [...(used[0]?.keys() ?? [])]
        .filter(isMeant)
        .map((name) => [name, Math.round(median(of((other) => other === name, unit)))]),
    );
  const groups = [
    { bench: "cluster/memory", isMeant: () => true },
    { bench: "cluster/memory-control-plane", isMeant: (name: string) => !onNodes.test(name) },
    { bench: "cluster/memory-node", isMeant: (name: string) => onNodes.test(name) },
  ];
  const units = { pssMiB: "MiB PSS", rssMiB: "MiB RSS" } as const;
  return groups.flatMap(({ bench, isMeant }) =>
    (["pssMiB", "rssMiB"] as const).map((unit) => {
      const parts = each(isMeant, unit);
      const nodes = Object.keys(parts).filter((name) => name !== "nats").length;
      return {
        bench,
        params: { idleSeconds },
        unit: units[unit],
        measured: of(isMeant, unit),
        baseline: {
          name: `${nodes} Node processes that do nothing`,
          measured: idle.map((one) => one[unit] * nodes),
        },
        parts,
      };
    }),
  );
}

/** What each process uses, `idleSeconds` after the demo has answered. */
async function measureCluster(idleSeconds: number): Promise<Map<string, Use>> {
  const ports = { clock: systemClock, random: systemRandom, log: createLog("bench", "silent") };
  await using cluster = await testCluster();
  await using bus = await natsBus({ url: cluster.natsUrl, name: "bench", ...ports });
  await runDemo(bus, AbortSignal.timeout(demoMaxMs));
  await sleep(idleSeconds * 1_000);
  return new Map([...cluster.processes].map(([name, process]) => [name, useOf(process.pid())]));
}

/** The mean of `count` processes that share what they can. */
async function measureIdleNode(count: number, idleSeconds: number): Promise<Use> {
  const processes = Array.from({ length: count }, () =>
    spawn(process.execPath, ["-e", "setInterval(() => undefined, 1e6); console.log()"], {
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
  try {
    await Promise.all(processes.map(({ stdout }) => once(stdout, "data")));
    await sleep(idleSeconds * 1_000);
    const uses = processes.map(({ pid }) => useOf(pid));
    return {
      pssMiB: sum(uses.map(({ pssMiB }) => pssMiB)) / count,
      rssMiB: sum(uses.map(({ rssMiB }) => rssMiB)) / count,
    };
  } finally {
    for (const one of processes) one.kill("SIGKILL");
  }
}

/** @see https://docs.kernel.org/filesystems/proc.html */
function useOf(pid: number | undefined): Use {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const mib = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(text)?.[1]) / 1_024;
  return { pssMiB: mib("Pss"), rssMiB: mib("Rss") };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      "idle-seconds": { type: "string", default: "30" },
      runs: { type: "string", default: "1" },
    },
  });
  const idleSeconds = Number(values["idle-seconds"]);
  report(await benchMemory({ idleSeconds, runs: Number(values.runs) }));
}
