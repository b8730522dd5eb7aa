/** `npm start` as its user meets it: options, refusals, every way to stop it, and to kill it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../cluster.ts";
import {
  expectNothingLeft,
  place,
  type Place,
  processesOf,
  type Started,
  started,
} from "../start.ts";

const noEngine = { DOCKER_HOST: "unix:///nonexistent.sock" };
const withoutNodes = { BERTH_NODES: "0", ...noEngine };
const ready = /export KUBECONFIG=/;

async function aPlace(): Promise<Place> {
  const made = await place();
  onTestFinished(() => made[Symbol.dispose]());
  return made;
}

describe("npm start", () => {
  test("without nodes needs no engine, and keeps its ranges between starts", async () => {
    const where = await aPlace();
    {
      await using first = started(where, [], { env: withoutNodes });
      await first.says(ready);
      const kubectl = await where.kubectl();
      await eventually("the gateway answers", () => kubectl(["get", "namespace", "default"]));
      first.process.kill("SIGTERM");
      expect(await first.ended).toBe(0);
      await expectNothingLeft(where);
    }
    const id = where.id();
    {
      await using other = started(where, ["--pod-cidr", "10.1.0.0/16"], { env: withoutNodes });
      expect(await other.ended).toBe(1);
      expect(other.said()).toContain(`--pod-cidr ${where.env["BERTH_POD_CIDR"]}`);
    }
    {
      const unnamed = { ...withoutNodes, BERTH_POD_CIDR: "", BERTH_SERVICE_CIDR: "" };
      await using second = started(where, [], { env: unnamed });
      await second.says(ready);
      expect(where.id()).toBe(id);
    }
    await expectNothingLeft(where);
  });

  test("is refused where another cluster is in the way, by its name", async () => {
    const where = await aPlace();
    await using first = started(where, [], { env: withoutNodes });
    await first.says(ready);
    const elsewhere = await aPlace();
    const [network = ""] = (where.env["BERTH_POD_CIDR"] ?? "").split("/");
    const clashes = {
      folder: { ...elsewhere.env, BERTH_DIR: where.dir },
      port: { BERTH_PORT: where.env["BERTH_PORT"] ?? "" },
      "overlapping range": { BERTH_SERVICE_CIDR: `${network}/24` },
    };
    for (const [what, env] of Object.entries(clashes)) {
      const ranges = what === "folder" ? { BERTH_POD_CIDR: "", BERTH_SERVICE_CIDR: "" } : {};
      const all = { ...withoutNodes, ...env, ...ranges };
      await using second = started(elsewhere, [], { env: all });
      expect([what, await second.ended]).toEqual([what, 1]);
      expect(second.said()).toContain(`cluster ${where.id()} `);
    }
    expect(first.process.exitCode).toBeNull();
  });

  test("says which option is wrong", async () => {
    const where = await aPlace();
    await using wrong = started(where, ["--nodes", "many"]);
    expect(await wrong.ended).toBe(1);
    expect(wrong.said()).toMatch(/^\s*--nodes: [^\n]+\n$/);
  });

  test("stopped at any moment of its start, ends with 0 and leaves nothing", async () => {
    const where = await aPlace();
    const natsBegins = () =>
      eventually("nats-server is about to start", async () => {
        expect(existsSync(join(where.dir, "nats.conf"))).toBe(true);
      });
    const moments: readonly (readonly [object, (start: Started) => Promise<unknown>])[] = [
      [withoutNodes, natsBegins],
      [withoutNodes, (start) => start.says(/nats-server/)],
      [withoutNodes, (start) => start.says(ready)],
      [{ BERTH_NODES: "1" }, (start) => start.says(/ services /)], // The demo's pods are on their way.
    ];
    for (const [env, moment] of moments) {
      await using start = started(where, [], { env: { ...env } });
      await moment(start);
      start.process.kill("SIGTERM");
      expect([await start.ended, start.said()]).toEqual([0, expect.any(String)]);
      await expectNothingLeft(where);
    }
  });

  test("ends with 0 on a terminal's double Ctrl-C, and when npm alone is asked to end", async () => {
    const where = await aPlace();
    {
      await using start = started(where, [], { env: withoutNodes });
      await start.says(ready);
      start.process.kill("SIGINT");
      start.process.kill("SIGINT");
      expect(await start.ended).toBe(0);
      await expectNothingLeft(where);
    }
    await using npm = started(where, [], { command: ["npm", "start"], env: withoutNodes });
    await npm.says(ready);
    npm.process.kill("SIGTERM");
    expect(await npm.ended).toBe(0);
    await expectNothingLeft(where);
  });

  test("recovers the same cluster after everything of it was killed", async () => {
    const where = await aPlace();
    const before = await (async () => {
      await using killed = started(where);
      await killed.says(ready);
      const found = await deployment(where);
      const all = processesOf(where);
      killed.process.kill("SIGKILL");
      for (const pid of all) kill(pid);
      expect(await killed.ended).toBe("SIGKILL");
      return { ...found, id: where.id() };
    })();

    await using again = started(where);
    const [url = ""] = await again.says(/http:\/\/\S+/);
    await again.says(ready);
    expect({ ...(await deployment(where)), id: where.id() }).toEqual(before);
    const kubectl = await where.kubectl();
    await kubectl(["rollout", "status", "deployment/hello", "--timeout=60s"]);
    const reply = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    expect(await reply.json()).toMatchObject({ version: "v1" });
    again.process.kill("SIGTERM");
    expect(await again.ended).toBe(0);
    await expectNothingLeft(where);
  });
});

async function deployment(where: Place): Promise<{ readonly uid: string }> {
  const kubectl = await where.kubectl();
  return { uid: await kubectl(["get", "deployment", "hello", "-o", "jsonpath={.metadata.uid}"]) };
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended with its supervisor.
  }
}
