import { mkdtempSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { healthMark } from "./health.ts";
import { createLog } from "./log.ts";

test("a health mark makes its file young again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "berth-health-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "healthy");
  const mark = healthMark(file, createLog("test", "silent"));

  mark();
  await vi.waitFor(() => expect(statSync(file).isFile()).toBe(true));
  utimesSync(file, 1, 1);
  mark();
  await vi.waitFor(() => expect(statSync(file).mtimeMs).toBeGreaterThan(1_000));
});
