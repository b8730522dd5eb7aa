import { dequal } from "dequal";
import type { Cause } from "../errors.ts";
import type { ResourceList } from "../quantity.ts";
import type { Container } from "./container.ts";
import { qosOf } from "./qos.ts";
import type { PodSpec } from "./spec.ts";
import { isStatic } from "./static-pod.ts";
import type { PodStatus } from "./status.ts";

type Pod = {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> | undefined };
  readonly spec: PodSpec;
  readonly status?: PodStatus | undefined;
};

const forbidden = (field: string, text: string): Cause => ({
  reason: "FieldValueForbidden",
  field,
  message: `Forbidden: ${text}`,
});

/** Of a pod that runs, cpu and memory of its containers and sidecars may change, within its QoS class. */
export function resizeCauses(before: Pod, after: Pod): readonly Cause[] {
  const never = unresizable(before) ?? unresizable(after);
  if (never !== undefined) return [forbidden("", never)];
  const causes: Cause[] = [];
  const [was, is] = [qosOf(before.spec), qosOf(after.spec)];
  if (was !== is) {
    const text = "Pod QOS Class may not change as a result of resizing";
    const message = `Invalid value: ${JSON.stringify(was)}: ${text}`;
    causes.push({ reason: "FieldValueInvalid", field: "spec", message });
  }
  if (!tellsResources(before)) {
    causes.push(forbidden("spec", "Pod running on node without support for resize"));
  }
  const order = lists.flatMap((list) => orderCauses(list, before.spec, after.spec));
  if (order.length > 0) return [...causes, ...order];
  return [...causes, ...lists.flatMap((list) => listCauses(list, before.spec, after.spec))];
}

const lists = ["initContainers", "containers"] as const;
type List = (typeof lists)[number];

function unresizable(pod: Pod): string | undefined {
  const { requests, limits } = pod.spec.resources ?? {};
  if (Object.keys({ ...requests, ...limits }).length > 0) {
    return "pods with pod-level resources cannot be resized";
  }
  if (isStatic(pod)) return "static pods cannot be resized";
  return pod.spec.os?.name === "windows" ? "windows pods cannot be resized" : undefined;
}

/** A node that resizes tells of what runs there how much it has. */
function tellsResources({ status }: Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

function orderCauses(list: List, before: PodSpec, after: PodSpec): readonly Cause[] {
  const [was, is] = [before[list] ?? [], after[list] ?? []];
  if (was.length !== is.length) {
    return [forbidden(`spec.${list}`, `${list} may not be added or removed on resize`)];
  }
  return was.flatMap(({ name }, at) =>
    is[at]?.name === name
      ? []
      : [
          forbidden(
            `spec.${list}[${at}].name`,
            `${list} may not be renamed or reordered on resize`,
          ),
        ],
  );
}

function listCauses(list: List, before: PodSpec, after: PodSpec): readonly Cause[] {
  return (before[list] ?? []).flatMap((was, at) => {
    const is = (after[list] ?? [])[at] ?? was;
    const isInit = list === "initContainers";
    if (isInit && was.restartPolicy !== "Always") {
      const text = "resources for non-sidecar init containers are immutable";
      return dequal(was, is) ? [] : [forbidden("spec", text)];
    }
    const path = `spec.${list}[${at}].resources`;
    const removed = (["requests", "limits"] as const).flatMap((part) =>
      isRemoved(was.resources[part], is.resources[part])
        ? [forbidden(`${path}.${part}`, `resource ${part} cannot be removed`)]
        : [],
    );
    if (dequal(otherThanSize(was), otherThanSize(is))) return removed;
    const what = isInit ? "resources for sidecar containers" : "resources";
    return [...removed, forbidden("spec", `only cpu and memory ${what} are mutable`)];
  });
}

const isRemoved = (was: ResourceList = {}, is: ResourceList = {}): boolean =>
  Object.keys(was).some((name) => is[name] === undefined);

function otherThanSize({ resources, ...rest }: Container): unknown {
  const others = (list: ResourceList = {}) =>
    Object.entries(list).filter(([name]) => name !== "cpu" && name !== "memory");
  return { ...rest, resources: [others(resources.requests), others(resources.limits)] };
}
