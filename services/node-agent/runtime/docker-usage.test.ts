import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Docker from "dockerode";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { usageReader } from "./docker-usage.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-usage-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** An engine that answers so, and in which all but `gone` is. */
function engine(answer: unknown) {
  const asked: string[] = [];
  const docker = {
    getContainer: (id: string) => ({
      stats: async () => {
        asked.push(id);
        if (id === "gone") throw new Error("no such container");
        return answer;
      },
    }),
  };
  // Of an engine it is asked for no more than that.
  const read = usageReader(docker as unknown as Docker, systemClock, {
    proc: join(folder, "proc"),
    cgroup: join(folder, "cgroup"),
  });
  return { read, asked };
}

const stats = {
  cpu_stats: { cpu_usage: { total_usage: 7 } },
  memory_stats: { usage: 100, stats: { total_inactive_file: 40 } },
};

test("what is in sight is read from files, the rest asked of the engine, and what is gone left out", async () => {
  const path = join(folder, "cgroup/docker/near");
  await mkdir(join(folder, "proc/1"), { recursive: true });
  await mkdir(path, { recursive: true });
  await writeFile(join(folder, "proc/1/cgroup"), "0::/docker/near\n");
  await writeFile(join(path, "cpu.stat"), "usage_usec 5\n");
  await writeFile(join(path, "memory.current"), "9\n");
  await writeFile(join(path, "memory.stat"), "inactive_file 4\n");
  const { read, asked } = engine(stats);
  const used = await read([
    { id: "near", pid: 1 },
    { id: "far", pid: 2 },
    { id: "gone", pid: 3 },
  ]);
  expect(used).toMatchObject([
    { id: "near", cpuNanoseconds: 5_000, memoryBytes: 5 },
    { id: "far", cpuNanoseconds: 7, memoryBytes: 60 },
  ]);
  expect(asked.toSorted()).toEqual(["far", "gone"]);
});

test("an engine's answer without numbers is no use of 0", async () => {
  const { read } = engine({ cpu_stats: {}, memory_stats: {} });
  expect(await read([{ id: "far", pid: 2 }])).toEqual([]);
});

test("what is out of sight is asked of the engine each time", async () => {
  const { read, asked } = engine(stats);
  const running = [{ id: "far", pid: 2 }];
  await read(running);
  await read([]);
  await read(running);
  expect(asked).toEqual(["far", "far"]);
});
