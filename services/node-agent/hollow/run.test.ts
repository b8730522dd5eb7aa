import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../../libs/telemetry/clock.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import type { HollowRuntime } from "../runtime/hollow.ts";
import { type ContainerSpec, sandboxName } from "../runtime/runtime.ts";
import { hollowFrom, hollowNodes } from "./options.ts";
import { runHollowNodes } from "./run.ts";

const zones = { BERTH_HOLLOW: "4", BERTH_HOLLOW_ZONES: "2" };

/** Hollow nodes whose agents do nothing but be there. */
async function hollow(env: Record<string, string>) {
  const dir = await mkdtemp(join(tmpdir(), "berth-hollow-"));
  const stop = new AbortController();
  const options = hollowFrom({ ...zones, ...env });
  const on = new Set<string>();
  const engines = new Map<string, string[]>();
  const runtimes: HollowRuntime[] = [];
  const running = runHollowNodes(
    hollowNodes("hollow", options),
    options,
    async ({ name }, runtime, signal) => {
      const { id } = await runtime.engine();
      engines.set(name, [...(engines.get(name) ?? []), id]);
      runtimes.push(runtime);
      on.add(name);
      await new Promise<void>((resolve) =>
        signal.addEventListener("abort", () => resolve(), { once: true }),
      );
      on.delete(name);
    },
    {
      offFile: join(dir, "off"),
      clock: systemClock,
      random: systemRandom,
      log: createLog("test", "silent"),
      signal: stop.signal,
    },
  );
  onTestFinished(async () => {
    stop.abort();
    await running;
    await rm(dir, { recursive: true, force: true });
  });
  const offFile = join(dir, "off");
  return { on, engines, runtimes, offFile, stop, running };
}

const isOn = (on: ReadonlySet<string>, ...names: readonly string[]) =>
  vi.waitFor(() => expect([...on].toSorted()).toEqual(names), 10_000);

describe("hollow nodes", () => {
  test("are cut off by name or by label, and come back as the same machines", async () => {
    const { on, engines, offFile } = await hollow({});
    await isOn(on, "hollow-1", "hollow-2", "hollow-3", "hollow-4");
    await writeFile(offFile, "hollow-3\n");
    await isOn(on, "hollow-1", "hollow-2", "hollow-4");
    await writeFile(offFile, "hollow-3\ntopology.kubernetes.io/zone=zone-2\n");
    await isOn(on, "hollow-1");
    await rm(offFile);
    await isOn(on, "hollow-1", "hollow-2", "hollow-3", "hollow-4");
    expect(engines.get("hollow-3")).toEqual(["hollow:hollow-3", "hollow:hollow-3"]);
  });

  test("fail to start as many containers as they are programmed to, and no sandbox", async () => {
    const { runtimes, on } = await hollow({ BERTH_HOLLOW_FAIL_PERCENT: "100" });
    await isOn(on, "hollow-1", "hollow-2", "hollow-3", "hollow-4");
    const runtime = runtimes[0] ?? expect.unreachable();
    const starting = async (container: string) => {
      const identity = { uid: "u1", container, attempt: 0 };
      const spec = { identity, image: "any" } as ContainerSpec; // All that it reads.
      await runtime.start(await runtime.create(spec));
    };
    await expect(starting("main")).rejects.toThrow("--hollow-fail-percent");
    await starting(sandboxName);
  });

  test("end also while some of them are off", async () => {
    const { on, offFile, stop, running } = await hollow({});
    await isOn(on, "hollow-1", "hollow-2", "hollow-3", "hollow-4");
    await writeFile(offFile, "hollow-1\n");
    await isOn(on, "hollow-2", "hollow-3", "hollow-4");
    stop.abort();
    await running;
    expect(on.size).toBe(0);
  });
});
