import { quantityNumber } from "../quantity.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

type Quantities = Readonly<Record<string, string>>;
type Container = {
  readonly resources: {
    readonly requests?: Quantities | undefined;
    readonly limits?: Quantities | undefined;
  };
};
type Spec = {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[] | undefined;
};

/** @see https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export function qosOf({ containers, initContainers = [] }: Spec): QosClass {
  const all = [...initContainers, ...containers];
  const named = all.some(({ resources: { requests = {}, limits = {} } }) =>
    ["cpu", "memory"].some(
      (name) => quantityNumber(requests[name]) > 0 || quantityNumber(limits[name]) > 0,
    ),
  );
  if (!named) return "BestEffort";
  return all.every(isGuaranteed) ? "Guaranteed" : "Burstable";
}

function isGuaranteed({ resources: { requests = {}, limits = {} } }: Container): boolean {
  return ["cpu", "memory"].every((name) => {
    const limit = quantityNumber(limits[name]);
    return limit > 0 && quantityNumber(requests[name] ?? limits[name]) === limit;
  });
}
