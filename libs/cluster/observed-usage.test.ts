import { expect, test } from "vitest";
import { memoryBus } from "../bus/memory.ts";
import { controlSubject } from "../protocol/subjects.ts";
import { usageMaxAgeMs } from "../protocol/usage.ts";
import { virtualClock } from "../telemetry/virtual-clock.ts";
import { listenToUsage, observeUsage } from "./observed-usage.ts";

const container = { name: "web", cpuNanoCores: 5, windowMs: 4_000, memoryBytes: 7 };
const pod = { namespace: "default", name: "web", uid: "u1", containers: [container] };
const whole = { cpuNanoCores: 9, windowMs: 4_000, memoryBytes: 8 };
const message = (sequence: number, more: object = {}) => ({
  node: "n1",
  boot: "b1",
  sequence,
  pods: [pod],
  ...more,
});

test("what was heard has its age, and is unknown once it is too old (N1)", async () => {
  const clock = virtualClock(0);
  const usage = observeUsage(clock);
  usage.hear("n1", message(1, { whole }));
  await clock.advance(usageMaxAgeMs);
  expect(usage.pod("n1", "u1")).toEqual({ ageMs: usageMaxAgeMs, containers: [container] });
  expect(usage.node("n1")).toEqual({ ...whole, ageMs: usageMaxAgeMs });
  await clock.advance(1);
  expect(usage.pod("n1", "u1")).toBeUndefined();
  expect(usage.node("n1")).toBeUndefined();
  expect(usage.pod("n2", "u1")).toBeUndefined();
});

test("an earlier message does not undo a later one, another boot's does", () => {
  const usage = observeUsage(virtualClock(0));
  const used = (cpuNanoCores: number) => ({
    pods: [{ ...pod, containers: [{ ...container, cpuNanoCores }] }],
  });
  const cpu = () => usage.pod("n1", "u1")?.containers[0]?.cpuNanoCores;
  usage.hear("n1", message(2, used(2)));
  usage.hear("n1", message(1, used(1)));
  expect(cpu()).toBe(2);
  usage.hear("n1", { ...message(1, used(3)), boot: "b2" });
  expect(cpu()).toBe(3);
});

test("a node speaks for itself, and for the pods that are its own", () => {
  const usage = observeUsage(virtualClock(0));
  usage.hear("n2", message(1));
  expect(usage.pod("n1", "u1")).toBeUndefined();
  usage.hear("n2", { ...message(1), node: "n2" });
  expect(usage.pod("n1", "u1")).toBeUndefined(); // The pod is bound to n1.
});

test("what cannot be read counts as not heard", async () => {
  const clock = virtualClock(0);
  await using bus = memoryBus({ clock });
  const usage = observeUsage(clock);
  await using _listening = await listenToUsage(bus, usage);
  const tell = (text: string) =>
    bus.publish(controlSubject("n1", "usage"), new TextEncoder().encode(text));
  tell("{");
  tell(
    JSON.stringify({
      ...message(1),
      pods: [{ ...pod, containers: [{ ...container, cpuNanoCores: -1 }] }],
    }),
  );
  tell(JSON.stringify(message(2)));
  await clock.advance(0);
  expect(usage.pod("n1", "u1")?.containers).toEqual([container]);
});
