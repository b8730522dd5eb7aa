/** Kubernetes' admission plugin Priority: what a pod's PriorityClass means for it. */
import type { ClusterView } from "../cluster/view.ts";
import { priorityClass } from "../model/kinds/priorityclass.ts";
import { systemClasses } from "../model/pod/priority.ts";
import type { AnyObject } from "./context.ts";
import { forbidden } from "./forbidden.ts";

type Policy = "Never" | "PreemptLowerPriority";
type Class = {
  readonly name: string | undefined;
  readonly value: number;
  readonly preemptionPolicy: Policy;
};

/** A pod of no class, in a cluster without a default one. */
const none: Class = { name: undefined, value: 0, preemptionPolicy: "PreemptLowerPriority" };

/**
 * A new pod with its class, priority and preemption policy.
 *
 * @throws {ApiError} Forbidden: there is no such class, or the pod says otherwise than its class
 */
export function withPriority(pod: AnyObject, view: ClusterView): AnyObject {
  const spec = pod.spec ?? {};
  const asked = typeof spec["priorityClassName"] === "string" ? spec["priorityClassName"] : "";
  const { name, value, preemptionPolicy } =
    asked === "" ? defaultClass(view) : classNamed(asked, pod, view);
  const { priority, preemptionPolicy: policy } = spec;
  if (priority !== undefined && priority !== value) {
    refuse(pod, `the integer value of priority (${String(priority)}) ${because(value)}`);
  }
  if (policy !== undefined && policy !== preemptionPolicy) {
    const said = `the string value of PreemptionPolicy (${String(policy)})`;
    refuse(pod, `${said} ${because(preemptionPolicy)}`);
  }
  return {
    ...pod,
    spec: {
      ...spec,
      ...(name !== undefined && { priorityClassName: name }),
      priority: value,
      preemptionPolicy,
    },
  };
}

const because = (computed: number | string) =>
  `must not be provided in pod spec; priority admission controller computed ${computed} from the given PriorityClass name`;

function classNamed(name: string, pod: AnyObject, view: ClusterView): Class {
  const found = view.get(priorityClass, undefined, name);
  if (found !== undefined) return classOf(found);
  const system = systemClasses.find((one) => one.name === name); // It is about to be made.
  if (system !== undefined) return { ...none, name, value: system.value };
  return refuse(pod, `no PriorityClass with name ${name} was found`);
}

/** Of several the one of the lowest value. */
function defaultClass(view: ClusterView): Class {
  const marked = view.list(priorityClass).filter(({ globalDefault }) => globalDefault === true);
  const [first] = marked.toSorted((a, b) => a.value - b.value);
  return first === undefined ? none : classOf(first);
}

const classOf = (found: {
  readonly metadata: { readonly name: string };
  readonly value: number;
  readonly preemptionPolicy: Policy;
}): Class => ({
  name: found.metadata.name,
  value: found.value,
  preemptionPolicy: found.preemptionPolicy,
});

function refuse({ metadata }: AnyObject, why: string): never {
  throw forbidden({ group: "", resource: "pods" }, metadata.name ?? "", why);
}

/** @throws {ApiError} Forbidden: another class is the default already */
export function prepareClass(
  one: AnyObject,
  _before: AnyObject | undefined,
  { view }: { readonly view: ClusterView },
): AnyObject {
  if ((one as { readonly globalDefault?: boolean }).globalDefault !== true) return one; // Parsed as a PriorityClass.
  const other = view
    .list(priorityClass)
    .find(
      ({ globalDefault, metadata }) =>
        globalDefault === true && metadata.name !== one.metadata.name,
    );
  if (other === undefined) return one;
  const why = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`;
  const resource = { group: "scheduling.k8s.io", resource: "priorityclasses" };
  throw forbidden(resource, one.metadata.name ?? "", why);
}
