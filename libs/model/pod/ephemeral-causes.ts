import { dequal } from "dequal";
import type { Cause } from "../errors.ts";
import { isStatic } from "./static-pod.ts";
import type { PodSpec } from "./spec.ts";

type Pod = {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> | undefined };
  readonly spec: PodSpec;
};

/** Ephemeral containers are added, and then stay as they are: a patch does not keep their order. */
export function ephemeralCauses(before: Pod, after: Pod): readonly Cause[] {
  const reason = "FieldValueForbidden";
  if (isStatic(before)) {
    const message = "Forbidden: static pods do not support ephemeral containers";
    return [{ reason, field: "", message }];
  }
  const named = new Map((after.spec.ephemeralContainers ?? []).map((one) => [one.name, one]));
  return (before.spec.ephemeralContainers ?? []).flatMap((one): readonly Cause[] => {
    const now = named.get(one.name);
    if (dequal(one, now)) return [];
    const what = now === undefined ? "removed" : "changed";
    const text = `existing ephemeral containers ${JSON.stringify(one.name)} may not be ${what}\n`;
    return [{ reason, field: "spec.ephemeralContainers", message: `Forbidden: ${text}` }];
  });
}
