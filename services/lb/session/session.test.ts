import { describe, expect, test } from "vitest";
import { memoryBus, memoryNetwork } from "../../../libs/bus/memory.ts";
import { lbHeartbeat, type LbHeartbeat, type LbHeartbeatReply } from "../../../libs/protocol/lb.ts";
import { serviceDigest } from "../../../libs/protocol/service-digest.ts";
import { controlSubjects, hintSubject } from "../../../libs/protocol/subjects.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { rawService } from "../fixtures.ts";
import type { KnownNow } from "./known.ts";
import type { Memory } from "../../../libs/machine/file-memory.ts";
import { runSession } from "./session.ts";

const cluster = {
  clusterId: "c1",
  podCIDR: "10.244.0.0/16",
  serviceCIDR: "10.96.0.0/16",
  dnsAddress: "10.96.0.10",
  domain: "cluster.local",
};
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const decode = (data: Uint8Array) => JSON.parse(new TextDecoder().decode(data)) as unknown;

/** An lb and the controllers that it talks with, on one clock that the test moves. */
function stage(memory: Memory = { load: async () => undefined, save: async () => undefined }) {
  const clock = virtualClock();
  const network = memoryNetwork();
  const stop = new AbortController();
  const applied: KnownNow[] = [];
  const heard: LbHeartbeat[] = [];
  const held = new Map<string, number>();
  const control = {
    revision: 10,
    snapshots: 0,
    lag: 0,
    mute: false,
    works: 0,
    apply: async () => undefined as void,
  };
  const wire = network.connect(clock);
  const nameOf = (key: string) => key.split(".")[2] ?? "";
  const digestNow = () => {
    const digest = serviceDigest();
    for (const [key, revision] of held) digest.toggle(key, revision);
    return digest.text();
  };

  const session = runSession({
    machine: "m1",
    connect: async () => memoryBus({ network, clock }),
    memory,
    async apply(state) {
      await control.apply();
      applied.push(state);
    },
    repair: async () => undefined,
    onWorking: () => void (control.works += 1),
    clock,
    random: systemRandom,
    log: createLog("lb", "silent"),
    signal: stop.signal,
  });

  return {
    clock,
    applied,
    heard,
    control,
    names: () =>
      (applied.at(-1)?.services ?? []).map(({ metadata }) => metadata.name).toSorted(byText),
    acknowledged: () => heard.at(-1)?.applied,
    async controllers() {
      const bus = memoryBus({ network, clock });
      await bus.serve(controlSubjects("heartbeat"), async ({ data }) => {
        const heartbeat = lbHeartbeat.parse(decode(data));
        heard.push(heartbeat);
        const isSame = heartbeat.applied === 0 || heartbeat.digest === digestNow();
        return encode({
          lastRevision: control.revision,
          differs: heartbeat.applied >= control.revision && !isSame,
          cluster,
        } satisfies LbHeartbeatReply);
      });
      await bus.serve(controlSubjects("snapshot"), async () => {
        control.snapshots += 1;
        if (control.mute) return undefined;
        return encode({
          cut: control.revision - control.lag,
          services: [...held].map(([key, revision]) => ({
            revision,
            object: rawService(nameOf(key)),
          })),
          slices: [],
          nodes: [],
        });
      });
    },
    write(name: string, { deleted = false, lost = false } = {}) {
      const key = `services.default.${name}`;
      control.revision += 1;
      if (deleted) held.delete(key);
      else held.set(key, control.revision);
      const headers = {
        "Nats-Sequence": String(control.revision),
        ...(deleted && { "Nats-Rollup": "sub" }),
      };
      if (!lost) wire.publish(hintSubject(key), encode(rawService(name)), { headers });
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await session;
    },
  };
}
const byText = (one: string, other: string) => one.localeCompare(other);

describe("an lb's session", () => {
  test("asks for the whole, applies it, and says so", async () => {
    await using lb = stage();
    await lb.controllers();
    lb.write("web", { lost: true });
    await lb.clock.advance(100);
    expect(lb.names()).toEqual(["web"]);
    expect(lb.heard[0]).toMatchObject({ machine: "m1", applied: 0 });
    expect(lb.acknowledged()).toBe(11);
  });

  test("acknowledges a hint at once when it has applied it, deletions too", async () => {
    await using lb = stage();
    await lb.controllers();
    await lb.clock.advance(100);
    lb.write("web");
    await lb.clock.advance(2);
    expect([lb.names(), lb.acknowledged()]).toEqual([["web"], 11]);
    lb.write("web", { deleted: true });
    await lb.clock.advance(2);
    expect([lb.names(), lb.acknowledged()]).toEqual([[], 12]);
    expect(lb.control.snapshots).toBe(1);
  });

  test("asks for the whole when a hint was lost, be it the last or not", async () => {
    await using lb = stage();
    await lb.controllers();
    await lb.clock.advance(100);
    lb.write("lost", { lost: true });
    lb.write("web");
    await lb.clock.advance(1_200);
    expect([lb.names(), lb.control.snapshots]).toEqual([["lost", "web"], 2]);
    lb.write("last", { lost: true });
    await lb.clock.advance(2_000);
    expect([lb.names(), lb.control.snapshots]).toEqual([["last", "lost", "web"], 3]);
  });

  test("goes on beating while its snapshot is not answered: it is alive, and counts (N6)", async () => {
    await using lb = stage();
    await lb.controllers();
    await lb.clock.advance(100);
    lb.control.mute = true;
    lb.write("lost", { lost: true });
    await lb.clock.advance(1_500);
    const [before, asked] = [lb.heard.length, lb.control.snapshots];
    await lb.clock.advance(3_000);
    expect(lb.heard.length - before).toBeGreaterThanOrEqual(3);
    expect(lb.control.snapshots).toBe(asked); // One question at a time.
    lb.control.mute = false;
    await lb.clock.advance(5_000);
    expect(lb.names()).toEqual(["lost"]);
  });

  test("works while the controllers take its heartbeats and its rules can be applied", async () => {
    await using lb = stage();
    await lb.clock.advance(5_000);
    expect(lb.control.works).toBe(0);
    await lb.controllers();
    await lb.clock.advance(5_000);
    const before = lb.control.works;
    expect(before).toBeGreaterThan(0);

    lb.control.apply = () => Promise.reject(new Error("nft is gone"));
    lb.write("web");
    await lb.clock.advance(10);
    const failing = lb.control.works;
    await lb.clock.advance(5_000);
    expect(lb.control.works).toBe(failing);

    lb.control.apply = async () => undefined;
    await lb.clock.advance(5_000);
    expect(lb.control.works).toBeGreaterThan(failing);
  });

  test("applies updates that wait as one, and acknowledges none before it is applied", async () => {
    await using lb = stage();
    await lb.controllers();
    await lb.clock.advance(100);
    const gate = Promise.withResolvers<void>();
    lb.control.apply = () => gate.promise;
    for (const name of ["a", "b", "c"]) lb.write(name);
    await lb.clock.advance(1_000);
    for (const name of ["d", "e"]) lb.write(name);
    await lb.clock.advance(1_000);
    expect(lb.acknowledged()).toBe(10);
    const before = lb.applied.length;
    gate.resolve();
    await lb.clock.advance(10);
    expect(lb.applied.length - before).toBe(2);
    expect([lb.names(), lb.acknowledged()]).toEqual([["a", "b", "c", "d", "e"], 15]);
  });

  test("tries again when the machine refuses, and acknowledges nothing meanwhile", async () => {
    await using lb = stage();
    await lb.controllers();
    await lb.clock.advance(100);
    lb.control.apply = () => Promise.reject(new Error("refused"));
    lb.write("web");
    await lb.clock.advance(1_100);
    expect(lb.acknowledged()).toBe(10);
    lb.control.apply = async () => undefined;
    await lb.clock.advance(600);
    expect([lb.names(), lb.acknowledged()]).toEqual([["web"], 11]);
  });

  test("ignores a snapshot that is older than what it has applied (N3)", async () => {
    await using lb = stage();
    await lb.controllers();
    await lb.clock.advance(100);
    lb.write("web");
    await lb.clock.advance(10);
    lb.control.lag = 5;
    lb.write("more", { lost: true });
    await lb.clock.advance(1_500);
    expect(lb.control.snapshots).toBeGreaterThan(1);
    expect([lb.names(), lb.acknowledged()]).toEqual([["web"], 11]);
    lb.control.lag = 0;
    await lb.clock.advance(1_500);
    expect(lb.names()).toEqual(["more", "web"]);
  });

  test("routes as last known while nobody answers, and acknowledges only after a sync", async () => {
    const saved = {
      cluster,
      snapshot: {
        cut: 9,
        services: [{ revision: 3, object: rawService("old") }],
        slices: [],
        nodes: [],
      },
    };
    await using lb = stage({ load: async () => saved, save: async () => undefined });
    await lb.clock.advance(2_500);
    expect(lb.names()).toEqual(["old"]);
    await lb.controllers();
    lb.write("new", { lost: true });
    await lb.clock.advance(2_000);
    expect(lb.heard[0]?.applied).toBe(0);
    expect([lb.names(), lb.acknowledged()]).toEqual([["new"], 11]);
  });

  test("keeps what it knows on disk", async () => {
    const saved: unknown[] = [];
    const memory = {
      load: async () => undefined,
      save: async (state: unknown) => void saved.push(state),
    };
    await using lb = stage(memory);
    await lb.controllers();
    lb.write("web", { lost: true });
    await lb.clock.advance(2_000);
    expect(saved.at(-1)).toMatchObject({
      cluster,
      snapshot: { cut: 11, services: [{ revision: 11 }] },
    });
  });
});
