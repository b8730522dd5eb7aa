import { expect, test } from "vitest";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { seededRandom } from "../../../libs/telemetry/seeded-random.ts";
import { hollowRuntime } from "../runtime/hollow.ts";
import { RuntimeFailure } from "../runtime/runtime.ts";
import { containerSpec } from "./container-spec.ts";
import { aWork, theHands } from "./fixtures.ts";
import { resizing } from "./resizing.ts";
import { sizeOf } from "./size.ts";

const small = sizeOf({ resources: { limits: { memory: "64Mi" } } });
const action = (id: string, size = small) =>
  ({ do: "resize", id, container: "main", size }) as const;

/** A container that runs and uses 100 MiB. */
async function running(refuses = false) {
  const clock = virtualClock();
  const random = seededRandom(1);
  const used = () => ({ cpuNanoseconds: 0, memoryBytes: 100 * 2 ** 20 });
  const hollow = hollowRuntime({ clock, random, used });
  const runtime = {
    ...hollow,
    async resize(id: string, size: typeof small) {
      if (refuses) throw new RuntimeFailure("the engine is out of order");
      await hollow.resize(id, size);
    },
  };
  const work = aWork();
  const [main] = work.spec.containers;
  const placed = { work, address: undefined, network: "", sandboxId: undefined };
  const more = { attempt: 0, failures: 0, nodeMemoryBytes: 0 };
  const spec = containerSpec(main ?? expect.unreachable(), { ...placed, ...more }, new Map(), []);
  const id = await runtime.create(spec);
  await runtime.start(id);
  const events: string[] = [];
  const event = (_type: string, reason: string) => void events.push(reason);
  const sizes = resizing(theHands({ clock, runtime, event }));
  const size = () => runtime.containers("u1")[0]?.size;
  return { clock, runtime, id, events, sizes, size };
}

test("a container is given another size, and that is told", async () => {
  const { id, sizes, size, events } = await running();
  const large = sizeOf({ resources: { limits: { memory: "128Mi", cpu: "2" } } });
  await sizes.resize(action(id, large));
  expect(size()).toMatchObject({ cpuQuota: 200_000, memoryBytes: 2 ** 27 });
  expect(sizes.trials().get(id)).toEqual({ size: large, failed: undefined });
  expect(events).toEqual(["ResizeCompleted"]);
});

test("a limit below what a container uses is not set, and is tried again later and later", async () => {
  const { id, sizes, size, events, clock } = await running();
  await sizes.resize(action(id));
  const first = sizes.trials().get(id)?.failed;
  expect(first?.message).toBe(
    "attempting to set container memory limit (67108864) below current usage (104857600)",
  );
  expect(size()?.memoryBytes).toBe(0);
  await sizes.resize(action(id));
  const second = sizes.trials().get(id)?.failed;
  expect(second?.retryAt).toBeGreaterThan(first?.retryAt ?? Infinity);
  expect(first?.retryAt).toBeGreaterThan(clock.now());
  expect(events).toEqual(["ResizeError"]);
});

test("what an engine refuses is kept until the container is gone", async () => {
  const { id, sizes, runtime } = await running(true);
  const large = sizeOf({ resources: { limits: { memory: "128Mi" } } });
  await sizes.resize(action(id, large));
  expect(sizes.trials().get(id)?.failed?.message).toBe("the engine is out of order");
  await runtime.remove(id);
  expect(sizes.trials().size).toBe(0);
});
