import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cgroupPaths, type CgroupRoots, locateCgroup, readCgroup } from "./cgroup.ts";

const id = "c".repeat(64);
const one = { id, pid: 7 };
let folder = "";
let roots: CgroupRoots;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-cgroup-"));
  roots = { proc: join(folder, "proc"), cgroup: join(folder, "cgroup") };
});
afterEach(() => rm(folder, { recursive: true }));

async function files(texts: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

async function read() {
  const located = await locateCgroup(one, roots);
  return located === undefined ? undefined : readCgroup(located);
}

describe("a container's use is read from", () => {
  test("version 1, each controller on its own", async () => {
    await files({
      "proc/7/cgroup": `4:memory:/docker/${id}\n2:cpuacct:/docker/${id}\n0::/\n`,
      [`cgroup/cpuacct/docker/${id}/cpuacct.usage`]: "1500000000\n",
      [`cgroup/memory/docker/${id}/memory.usage_in_bytes`]: "5000\n",
      [`cgroup/memory/docker/${id}/memory.stat`]: "inactive_file 1\ntotal_inactive_file 2000\n",
    });
    expect(await read()).toEqual({ cpuNanoseconds: 1.5e9, memoryBytes: 3_000 });
  });

  test("version 1, controllers mounted together", async () => {
    await files({
      "proc/7/cgroup": `3:cpu,cpuacct:/docker/${id}\n2:memory:/docker/${id}\n`,
      [`cgroup/cpu,cpuacct/docker/${id}/cpuacct.usage`]: "7\n",
      [`cgroup/memory/docker/${id}/memory.usage_in_bytes`]: "10\n",
      [`cgroup/memory/docker/${id}/memory.stat`]: "total_inactive_file 50\n",
    });
    expect(await read()).toEqual({ cpuNanoseconds: 7, memoryBytes: 0 });
  });

  test("version 2, under systemd", async () => {
    const path = `system.slice/docker-${id}.scope`;
    await files({
      "proc/7/cgroup": `0::/${path}\n`,
      [`cgroup/${path}/cpu.stat`]: "usage_usec 2500\nuser_usec 2000\n",
      [`cgroup/${path}/memory.current`]: "4096\n",
      [`cgroup/${path}/memory.stat`]: "anon 1\ninactive_file 96\n",
    });
    expect(await read()).toEqual({ cpuNanoseconds: 2_500_000, memoryBytes: 4_000 });
  });
});

test.each([
  ["its process is another's by now", "2:cpuacct:/docker/other\n4:memory:/docker/other\n0::/\n"],
  ["only the root of its own view is seen", "0::/\n"],
  ["nothing is said", ""],
])("nothing is read where %s", async (_name, text) => {
  await files({ "proc/7/cgroup": text });
  expect(await read()).toBeUndefined();
});

test("a file without a number is no use of 0", async () => {
  await files({
    "proc/7/cgroup": `0::/docker/${id}\n`,
    [`cgroup/docker/${id}/cpu.stat`]: "user_usec 1\n",
    [`cgroup/docker/${id}/memory.current`]: "\n",
    [`cgroup/docker/${id}/memory.stat`]: "anon 1\n",
  });
  await expect(read()).rejects.toThrow(TypeError);
});

test("paths may hold colons", () => {
  expect(cgroupPaths("0::/a:b\n").get("")).toBe("/a:b");
});
