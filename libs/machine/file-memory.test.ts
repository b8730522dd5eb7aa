import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fileMemory } from "./file-memory.ts";

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "berth-memory-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

test("a memory in a file gives what was kept last, and leaves nothing half-written", async () => {
  const within = await folder();
  const memory = fileMemory(join(within, "deep", "state.json"));
  expect(await memory.load()).toBeUndefined();
  await memory.save({ nth: 1 });
  await memory.save({ nth: 2 });
  expect(await memory.load()).toEqual({ nth: 2 });
  expect(await readdir(join(within, "deep"))).toEqual(["state.json"]);
});

test("a memory that was damaged is as none", async () => {
  const path = join(await folder(), "state.json");
  await writeFile(path, '{"nth":');
  expect(await fileMemory(path).load()).toBeUndefined();
});
