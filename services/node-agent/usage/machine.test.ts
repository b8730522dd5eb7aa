import { expect, test } from "vitest";
import { machineUsage } from "./machine.ts";

const stat = "cpu  100 1 20 900 30 4 5 6 0 0\ncpu0 1 1 1 1\n";
const meminfo = "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    600 kB\n";

test("a machine uses what is neither idle nor waiting, and what is not available", () => {
  expect(machineUsage(stat, meminfo)).toEqual({
    cpuNanoseconds: (100 + 1 + 20 + 4 + 5 + 6) * 1e7,
    memoryBytes: 400 * 1_024,
  });
});

test.each([
  ["", meminfo],
  ["cpu  1 2\n", meminfo],
  [stat, "MemTotal: 1 kB\n"],
])("%j and %j say nothing", (text, memory) => {
  expect(() => machineUsage(text, memory)).toThrow(TypeError);
});
