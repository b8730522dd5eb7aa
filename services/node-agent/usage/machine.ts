import { readFile } from "node:fs/promises";

/** Ticks of `/proc/stat` a second: fixed in what Linux shows to programs. */
const tickNanoseconds = 1e9 / 100;

/** CPU time that the machine has used since its start, and memory in use. @throws for other text */
export function machineUsage(stat: string, meminfo: string) {
  const [user, nice, system, _idle, _ioWait, irq, softIrq, steal] = (
    /^cpu +(.*)$/m.exec(stat)?.[1] ?? ""
  )
    .split(" ")
    .map(Number);
  const busy = [user, nice, system, irq, softIrq, steal].reduce<number>(
    (sum, ticks) => sum + (ticks ?? Number.NaN),
    0,
  );
  const kilobytes = (name: string) =>
    Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(meminfo)?.[1] ?? Number.NaN);
  const memoryBytes = (kilobytes("MemTotal") - kilobytes("MemAvailable")) * 1_024;
  if (!Number.isFinite(busy) || !Number.isFinite(memoryBytes)) {
    throw new TypeError("/proc says nothing of the machine's use");
  }
  return { cpuNanoseconds: busy * tickNanoseconds, memoryBytes };
}

export async function readMachineUsage() {
  const [stat, meminfo] = await Promise.all(
    ["/proc/stat", "/proc/meminfo"].map((path) => readFile(path, "utf8")),
  );
  return machineUsage(stat ?? "", meminfo ?? "");
}
