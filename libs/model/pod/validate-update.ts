import { dequal } from "dequal";
import type { Cause } from "../errors.ts";
import type { Container } from "./container.ts";
import type { PodSpec } from "./spec.ts";

const message =
  "Forbidden: pod updates may not change fields other than `spec.containers[*].image`," +
  "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to " +
  "existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was " +
  "previously negative)";

/** A pod's spec stays, but for images, a shorter deadline, more tolerations and fewer gates. */
export function podUpdateCauses(
  { spec: before }: { readonly spec: PodSpec },
  { spec: after }: { readonly spec: PodSpec },
): readonly Cause[] {
  const causes: Cause[] = [];
  const refuse = (field: string, text: string) =>
    causes.push({ reason: "FieldValueForbidden", field, message: text });
  if (!dequal(fixedPart(before), fixedPart(after))) refuse("spec", message);
  if (!isWithinDeadline(before, after)) {
    refuse("spec.activeDeadlineSeconds", "Forbidden: must be less than or equal to previous value");
  }
  const had = before.tolerations ?? [];
  if (!had.every((one) => (after.tolerations ?? []).some((other) => sameToleration(one, other)))) {
    refuse(
      "spec.tolerations",
      "Forbidden: existing toleration can not be modified except its tolerationSeconds",
    );
  }
  const gates = (before.schedulingGates ?? []).map(({ name }) => name);
  if (!(after.schedulingGates ?? []).every(({ name }) => gates.includes(name))) {
    refuse("spec.schedulingGates", "Forbidden: only deletion is allowed");
  }
  return causes;
}

function fixedPart(spec: PodSpec): unknown {
  const { activeDeadlineSeconds: _a, tolerations: _t, schedulingGates: _g, ...rest } = spec;
  const { containers, initContainers = [] } = spec;
  return {
    ...rest,
    containers: containers.map(withoutImage),
    initContainers: initContainers.map(withoutImage),
  };
}

const withoutImage = ({ image: _image, ...rest }: Container) => rest;

function isWithinDeadline(before: PodSpec, after: PodSpec): boolean {
  if (before.activeDeadlineSeconds === undefined) return true;
  return (
    after.activeDeadlineSeconds !== undefined &&
    after.activeDeadlineSeconds <= before.activeDeadlineSeconds
  );
}

type Toleration = NonNullable<PodSpec["tolerations"]>[number];

const sameToleration = (
  { tolerationSeconds: _a, ...one }: Toleration,
  { tolerationSeconds: _b, ...other }: Toleration,
): boolean => dequal(one, other);
