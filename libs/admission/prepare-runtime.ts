/** Kubernetes' admission plugins RuntimeClass and DefaultIngressClass. */
import { dequal } from "dequal";
import type { ClusterView } from "../cluster/view.ts";
import { ingressClass } from "../model/kinds/ingressclass.ts";
import { runtimeClass } from "../model/kinds/runtimeclass.ts";
import { isDefaultIngressClass } from "../model/networking/ingress-class.ts";
import type { AdmissionContext, AnyObject } from "./context.ts";
import { forbidden } from "./forbidden.ts";

/**
 * A new pod with the overhead of its runtime, on the nodes that have it.
 *
 * @throws {ApiError} Forbidden: there is no such class, or the pod contradicts it
 */
export function withRuntime(pod: AnyObject, view: ClusterView): AnyObject {
  const spec = pod.spec ?? {};
  const name = spec["runtimeClassName"];
  if (typeof name !== "string" || name === "") return pod;
  const refuse = (why: string) =>
    forbidden({ group: "", resource: "pods" }, pod.metadata.name ?? "", why);
  const found = view.get(runtimeClass, undefined, name);
  if (found === undefined) throw refuse(`pod rejected: RuntimeClass "${name}" not found`);
  const { overhead, scheduling } = found;
  const own = spec["overhead"];
  const fixed = overhead?.podFixed;
  if (own !== undefined && fixed !== undefined && !dequal(own, fixed)) {
    throw refuse("pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  }
  const selector = (spec["nodeSelector"] ?? {}) as Readonly<Record<string, string>>; // Parsed as a Pod.
  const wanted = scheduling?.nodeSelector ?? {};
  const clash = Object.entries(wanted).find(
    ([key, value]) => Object.hasOwn(selector, key) && selector[key] !== value,
  );
  if (clash !== undefined) {
    throw refuse(
      "conflict: runtimeClass.scheduling.nodeSelector conflicts with pod.spec.nodeSelector",
    );
  }
  const tolerations = (spec["tolerations"] ?? []) as readonly unknown[]; // As above.
  const added = (scheduling?.tolerations ?? []).filter(
    (one) => !tolerations.some((other) => dequal(one, other)),
  );
  return {
    ...pod,
    spec: {
      ...spec,
      ...(fixed !== undefined && { overhead: fixed }),
      ...(Object.keys(wanted).length > 0 && { nodeSelector: { ...selector, ...wanted } }),
      ...(added.length > 0 && { tolerations: [...tolerations, ...added] }),
    },
  };
}

/** A new Ingress that names no class is of the default one: of several the newest, then the first by name. */
export function prepareIngress(
  one: AnyObject,
  before: AnyObject | undefined,
  { view }: AdmissionContext,
): AnyObject {
  const named =
    one.spec?.["ingressClassName"] !== undefined ||
    one.metadata.annotations?.["kubernetes.io/ingress.class"] !== undefined;
  if (before !== undefined || named) return one;
  const [first] = view
    .list(ingressClass)
    .filter(isDefaultIngressClass)
    .toSorted(({ metadata: a }, { metadata: b }) => {
      const [at = "", other = ""] = [a.creationTimestamp, b.creationTimestamp];
      if (at !== other) return at > other ? -1 : 1;
      return a.name < b.name ? -1 : 1;
    });
  if (first === undefined) return one;
  return { ...one, spec: { ...one.spec, ingressClassName: first.metadata.name } };
}
