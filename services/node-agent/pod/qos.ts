import { quantityNumber } from "../../../libs/model/quantity.ts";
import type { Container, PodSpec } from "./spec.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

/** @see https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/ */
export function qosOf({ containers, initContainers }: PodSpec): QosClass {
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
