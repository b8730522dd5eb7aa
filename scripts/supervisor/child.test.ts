import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { child, type Child } from "./child.ts";

describe("a supervised process", () => {
  let dir = "";
  let sleeper: Child;
  const restarted: string[] = [];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "berth-child-"));
    restarted.length = 0;
    const command = process.execPath;
    const args = ["-e", "setInterval(() => undefined, 1_000)"];
    const spec = { name: "sleeper", command, args, env: {}, logPath: join(dir, "log") };
    sleeper = child(spec, (name) => void restarted.push(name));
    sleeper.start();
  });
  afterEach(async () => {
    await sleeper.stop("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  });

  test("comes back when it is killed", async () => {
    const first = sleeper.pid();
    sleeper.kill();
    await vi.waitFor(() => expect(sleeper.restarts()).toBe(1), 10_000);
    await vi.waitFor(() => expect(sleeper.pid()).toBeTypeOf("number"), 10_000);
    expect(sleeper.pid()).not.toBe(first);
    expect(restarted).toEqual(["sleeper"]);
  });

  test.each(["SIGTERM", "SIGKILL"] as const)(
    "stays away once stopped by %s, until it is started",
    async (signal) => {
      await sleeper.stop(signal);
      expect(sleeper.pid()).toBeUndefined();
      expect(restarted).toEqual([]);
      sleeper.start();
      await vi.waitFor(() => expect(sleeper.pid()).toBeTypeOf("number"), 10_000);
      expect(restarted).toEqual([]);
    },
  );
});
