import { expect, test } from "vitest";
import { memoryBus, memoryNetwork } from "../../../libs/bus/memory.ts";
import { clusterOn } from "../../../libs/cluster/open.ts";
import { settingsFromEnvironment } from "../../../libs/cluster/settings.ts";
import { nodeSnapshot } from "../../../libs/protocol/node.ts";
import { controlSubject } from "../../../libs/protocol/subjects.ts";
import { memoryBucket } from "../../../libs/store/memory-bucket.ts";
import type { MemoryFaults } from "../../../libs/store/memory-faults.ts";
import { memoryStore } from "../../../libs/store/memory.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { listen } from "./hearing.ts";
import { serveNodes } from "./node-sessions.ts";
import { observeNodes } from "./observed-nodes.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const assigned = (name: string) => ({
  namespace: "default",
  name,
  uid: `uid-${name}`,
  labels: {},
  annotations: {},
  spec: {},
});

/** An instance whose replica hears nothing while `held.up`, and a writer that does not lag. */
async function stage() {
  const clock = virtualClock();
  const network = memoryNetwork();
  const stop = new AbortController();
  const ports = {
    clock,
    random: systemRandom,
    log: createLog("test", "silent"),
    signal: stop.signal,
  };
  const bucket = memoryBucket({ clock });
  const held = { up: false };
  const faults: MemoryFaults = {
    append: () => "pass",
    lag: () => 0,
    deliver: () => (held.up ? "pause" : "pass"),
    delayMs: () => 1_000,
    isDown: () => false,
  };
  const writer = memoryStore({ bucket, ...ports });
  const opening = clusterOn(
    memoryStore({ bucket, faults, ...ports }),
    settingsFromEnvironment.parse({}),
    ports,
  );
  await clock.advance(1_000);
  const cluster = await opening;
  const stack = new AsyncDisposableStack();
  stack.use(cluster);
  const bus = stack.use(memoryBus({ network, clock }));
  const agent = stack.use(memoryBus({ network, clock }));
  const hearing = stack.use(listen(clock, () => bus.healthySinceMs()));
  const observed = observeNodes(clock, hearing);
  const sessions = { ...ports, ...cluster, bus, tell: () => undefined };
  const placement = { owns: () => true };
  stack.use(await serveNodes({ ...sessions, placement }, observed, () => undefined));
  stack.defer(() => stop.abort());
  return {
    clock,
    held,
    async assign(name: string): Promise<number> {
      const key = `assign.n1.default.${name}`;
      const value = encode(assigned(name));
      const outcome = await writer.commit([{ op: "put", key, expect: "absent", value }]);
      return outcome.ok ? outcome.revision : expect.unreachable();
    },
    async snapshot(applied: number, first: boolean) {
      const asked = agent
        .request(controlSubject("n1", "snapshot"), encode({ node: "n1", applied, first }), {
          timeoutMs: 3_000,
        })
        .then((data) => nodeSnapshot.parse(JSON.parse(new TextDecoder().decode(data))));
      const over = { names: [] as string[], done: false };
      asked.then(
        ({ assignments }) => {
          over.names = assignments.map(({ assignment }) => assignment.name);
          over.done = true;
        },
        () => undefined,
      );
      await clock.advance(200);
      return over;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test("an agent's first snapshot shows all that is assigned, whoever lags (N3, S5)", async () => {
  await using at = await stage();
  const before = await at.assign("old");
  await at.clock.advance(200);
  at.held.up = true;
  await at.assign("new");
  const again = await at.snapshot(before, false);
  expect(again).toMatchObject({ done: true, names: ["old"] }); // It lags, and no more was asked for.
  const first = await at.snapshot(0, true);
  expect(first.done).toBe(false);
  at.held.up = false;
  await at.clock.advance(2_000);
  expect(first).toMatchObject({ done: true, names: ["old", "new"] });
});
