import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { identityIn, recordOf } from "./identity.ts";

const ranges = { podCIDR: "10.1.0.0/16", serviceCIDR: "10.2.0.0/16" };

async function inFolder<T>(run: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), "berth-identity-"));
  try {
    return await run(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test("a cluster is the same one after a restart, and keeps what its state was made with", () =>
  inFolder(async (dir) => {
    const made = await identityIn(dir);
    expect(made.natsServers).toBeUndefined();
    await recordOf(dir, { ...ranges, natsServers: 3 });
    expect(await identityIn(dir)).toEqual({ ...made, ...ranges, natsServers: 3 });
  }));

test("a cluster that was made before there could be several servers has one", () =>
  inFolder(async (dir) => {
    const old = { id: "abc123", natsPort: 4222, ...ranges };
    writeFileSync(join(dir, "cluster.json"), JSON.stringify(old));
    expect(await identityIn(dir)).toEqual({ ...old, natsServers: 1 });
  }));
