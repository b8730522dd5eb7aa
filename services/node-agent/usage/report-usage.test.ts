import { expect, test } from "vitest";
import { memoryBus } from "../../../libs/bus/memory.ts";
import { controlSubject } from "../../../libs/protocol/subjects.ts";
import {
  nodeUsage,
  type NodeUsage,
  usagePeriodMs,
  usagePodsMax,
} from "../../../libs/protocol/usage.ts";
import { createLog } from "../../../libs/telemetry/log.ts";
import { systemRandom } from "../../../libs/telemetry/random.ts";
import { virtualClock } from "../../../libs/telemetry/virtual-clock.ts";
import { hollowRuntime } from "../runtime/hollow.ts";
import { type ContainerSpec, type Observed, sandboxName } from "../runtime/runtime.ts";
import { reportUsage } from "./report-usage.ts";

const identity = (nth: number, container: string) => ({
  namespace: "default",
  pod: `web-${nth}`,
  uid: `u${nth}`,
  container,
  attempt: 0,
  failures: 0,
  specHash: "",
  address: undefined,
  hostPorts: [],
});

/** Each container uses half a CPU, but what has a name in `unknown`. */
async function agentWith(containers: readonly [nth: number, name: string][], unknown = "") {
  const stack = new AsyncDisposableStack();
  const clock = virtualClock();
  const bus = stack.use(memoryBus({ clock }));
  const runtime = hollowRuntime({
    clock,
    random: systemRandom,
    used: ({ container }: Observed) =>
      container === unknown
        ? undefined
        : { cpuNanoseconds: clock.monotonicMs() * 5e5, memoryBytes: 1_000 },
  });
  for (const [nth, container] of containers) {
    const spec: Partial<ContainerSpec> = { identity: identity(nth, container), image: "any" };
    await runtime.start(await runtime.create(spec as ContainerSpec)); // All that it reads.
  }
  const heard: NodeUsage[] = [];
  stack.use(
    await bus.subscribe(controlSubject("n1", "usage"), ({ data }) => {
      heard.push(nodeUsage.parse(JSON.parse(new TextDecoder().decode(data))));
    }),
  );
  const { signal } = new AbortController();
  const log = createLog("test", "silent");
  const options = { node: "n1", boot: "b1", runtime, clock, log, signal };
  return { stack, clock, bus, runtime, heard, options };
}

test("tells every round what containers use once there is a rate, sandboxes but in the whole", async () => {
  const { stack, clock, bus, heard, options } = await agentWith([
    [1, "web"],
    [1, sandboxName],
  ]);
  await using _all = stack;
  stack.use(reportUsage(bus, { ...options, machine: undefined }));
  await clock.advance(1);
  expect(heard).toEqual([]); // Nothing is known yet (N1).
  await clock.advance(usagePeriodMs);
  const used = { cpuNanoCores: 5e8, windowMs: usagePeriodMs, memoryBytes: 1_000 };
  expect(heard).toEqual([
    {
      node: "n1",
      boot: "b1",
      sequence: 1,
      whole: { ...used, cpuNanoCores: 1e9, memoryBytes: 2_000 },
      pods: [
        { namespace: "default", name: "web-1", uid: "u1", containers: [{ name: "web", ...used }] },
      ],
    },
  ]);
  await clock.advance(usagePeriodMs);
  expect(heard.map(({ sequence }) => sequence)).toEqual([1, 2]);
});

test("the whole is the machine's where the machine is one node", async () => {
  const { stack, clock, bus, heard, options } = await agentWith([]);
  await using _all = stack;
  const machine = async () => ({ cpuNanoseconds: clock.monotonicMs() * 1e6, memoryBytes: 9 });
  stack.use(reportUsage(bus, { ...options, machine }));
  await clock.advance(usagePeriodMs + 1);
  expect(heard).toMatchObject([{ whole: { cpuNanoCores: 1e9, memoryBytes: 9 }, pods: [] }]);
});

test("a container of which nothing is known is not told", async () => {
  const { stack, clock, bus, heard, options } = await agentWith(
    [
      [1, "web"],
      [1, "dark"],
    ],
    "dark",
  );
  await using _all = stack;
  stack.use(reportUsage(bus, { ...options, machine: undefined }));
  await clock.advance(usagePeriodMs + 1);
  expect(heard[0]?.pods[0]?.containers.map(({ name }) => name)).toEqual(["web"]);
});

test("many pods ride in several messages, of which one has the whole", async () => {
  const all = Array.from({ length: usagePodsMax + 1 }, (_, nth): [number, string] => [nth, "web"]);
  const { stack, clock, bus, heard, options } = await agentWith(all);
  await using _all = stack;
  stack.use(reportUsage(bus, { ...options, machine: undefined }));
  await clock.advance(usagePeriodMs + 1);
  expect(heard.map(({ pods }) => pods.length)).toEqual([usagePodsMax, 1]);
  expect(heard.map(({ whole }) => whole !== undefined)).toEqual([true, false]);
});
