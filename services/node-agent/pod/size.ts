/** What a container is given of its machine, and whether that is what its pod's assignment says. Pure. */
import { dequal } from "dequal";
import { quantityNumber, quantityValue, type ResourceList } from "../../../libs/model/quantity.ts";
import type { Size } from "../runtime/runtime.ts";
import type { ResizeTrial } from "./facts.ts";
import type { Container } from "./spec.ts";

type Resources = Container["resources"];

export function sizeOf({ resources }: Pick<Container, "resources">): Size {
  const { requests = {}, limits = {} } = resources;
  const cpu = quantityNumber(requests["cpu"] ?? limits["cpu"]);
  const cpuLimit = limits["cpu"];
  return {
    cpuShares: Math.max(2, Math.floor(cpu * 1_024)),
    cpuQuota:
      cpuLimit === undefined ? 0 : Math.max(1_000, Math.round(quantityNumber(cpuLimit) * 100_000)),
    memoryBytes: Math.floor(quantityNumber(limits["memory"])),
    memoryRequestBytes: quantityValue(requests["memory"] ?? limits["memory"] ?? "0"),
  };
}

export type Resize = {
  readonly size: Size;
  /** The container's policy says so of a resource that changes. */
  readonly restarts: boolean;
};

/** What a container that has `had` is to be given; undefined when that is what it has. */
export function resizeDue(container: Container, had: Size): Resize | undefined {
  const size = sizeOf(container);
  const cpu = size.cpuShares !== had.cpuShares || size.cpuQuota !== had.cpuQuota;
  const memory = size.memoryBytes !== had.memoryBytes;
  const noted = had.memoryRequestBytes ?? size.memoryRequestBytes;
  const restarts = (resourceName: string) =>
    container.resizePolicy.some(
      (one) => one.resourceName === resourceName && one.restartPolicy === "RestartContainer",
    );
  const isOfMemory = restarts("memory") && (memory || noted !== size.memoryRequestBytes);
  if (!cpu && !memory && !isOfMemory) return undefined;
  return { size, restarts: isOfMemory || (cpu && restarts("cpu")) };
}

/** The last try, if it was for that size. */
export const triedFor = (last: ResizeTrial | undefined, size: Size): ResizeTrial | undefined =>
  last !== undefined && dequal(last.size, size) ? last : undefined;

/** Of a container that has `had`: where that is what was asked for it is told in the same words. */
export function resourcesIn(container: Container, had: Size): Resources {
  const { requests, limits } = container.resources;
  const size = sizeOf(container);
  const cpu = {
    requests: `${Math.round((had.cpuShares * 1_000) / 1_024)}m`,
    limits: `${Math.round(had.cpuQuota / 100)}m`,
  };
  const told = (list: ResourceList | undefined, name: string, isSame: boolean, has: string) =>
    list?.[name] === undefined || isSame ? {} : { [name]: has };
  return {
    ...(requests && {
      requests: {
        ...requests,
        ...told(requests, "cpu", had.cpuShares === size.cpuShares, cpu.requests),
      },
    }),
    ...(limits && {
      limits: {
        ...without(limits, [
          ...(had.cpuQuota === 0 ? ["cpu"] : []),
          ...(had.memoryBytes === 0 ? ["memory"] : []),
        ]),
        ...(had.cpuQuota > 0 && told(limits, "cpu", had.cpuQuota === size.cpuQuota, cpu.limits)),
        ...(had.memoryBytes > 0 &&
          told(limits, "memory", had.memoryBytes === size.memoryBytes, String(had.memoryBytes))),
      },
    }),
  };
}

const without = (list: ResourceList, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(list).filter(([name]) => !names.includes(name)));
