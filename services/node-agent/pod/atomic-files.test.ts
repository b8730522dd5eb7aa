import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type VolumeFiles, writeAtomically } from "./atomic-files.ts";

const files = (texts: Readonly<Record<string, string>>, mode = 0o644): VolumeFiles =>
  new Map(
    Object.entries(texts).map(([path, text]) => [path, { data: Buffer.from(text), mode }] as const),
  );

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "berth-files-"));
  onTestFinished(() => rm(path, { recursive: true }));
  return join(path, "volume");
}

describe("files that change together", () => {
  test("are read by their names, with their modes", async () => {
    const place = await folder();
    await writeAtomically(place, files({ a: "1", "deep/b": "2" }, 0o400));
    expect(await readFile(join(place, "a"), "utf8")).toBe("1");
    expect(await readFile(join(place, "deep/b"), "utf8")).toBe("2");
    expect((await stat(join(place, "a"))).mode & 0o777).toBe(0o400);
    expect(await readlink(join(place, "a"))).toBe("..data/a");
  });

  test("change by one rename, and what is named no more is gone", async () => {
    const place = await folder();
    await writeAtomically(place, files({ a: "1", b: "1" }));
    const before = await readlink(join(place, "..data"));
    await writeAtomically(place, files({ a: "2", c: "2" }));
    expect(await readlink(join(place, "..data"))).not.toBe(before);
    expect(await readFile(join(place, "a"), "utf8")).toBe("2");
    const entries = (await readdir(place)).filter((name) => !name.startsWith(".."));
    expect(entries.toSorted()).toEqual(["a", "c"]);
    expect((await readdir(place)).filter((name) => name === before)).toEqual([]);
  });

  test("are left alone while they are the same", async () => {
    const place = await folder();
    await writeAtomically(place, files({ a: "1" }));
    const { ino } = await stat(join(place, "..data/a"));
    await writeAtomically(place, files({ a: "1" }));
    expect((await stat(join(place, "..data/a"))).ino).toBe(ino);
    await writeAtomically(place, files({ a: "1" }, 0o600));
    expect((await stat(join(place, "a"))).mode & 0o777).toBe(0o600);
  });

  test("are whole after a write that was broken off", async () => {
    const place = await folder();
    await writeAtomically(place, files({ a: "1" }));
    await writeAtomically(place, files({ a: "2" }));
    await writeFile(join(place, "..data_new"), "left behind");
    await chmod(place, 0o700);
    await writeAtomically(place, files({ a: "3" }));
    expect(await readFile(join(place, "a"), "utf8")).toBe("3");
    expect((await stat(place)).mode & 0o777).toBe(0o755);
  });

  test("are readable by the pod's group", async () => {
    const place = await folder();
    await writeAtomically(place, files({ a: "1" }, 0o400), 2_000);
    const { gid, mode } = await stat(join(place, "a"));
    expect({ gid, mode: mode & 0o777 }).toEqual({ gid: 2_000, mode: 0o440 });
  });
});
