/** What an object uses of a quota's resources. @see https://kubernetes.io/docs/concepts/policy/resource-quotas/ */
import { effective, type Sums } from "../../model/pod/effective.ts";
import { isTerminal } from "../../model/pod/state.ts";
import type { Pod } from "../../model/kinds/pod.ts";
import type { PersistentVolumeClaim } from "../../model/kinds/persistentvolumeclaim.ts";
import type { Service } from "../../model/kinds/service.ts";
import { addQuantities, compareQuantities } from "../../model/quantity.ts";

/** Resource name, as a quota names it, to quantity. */
export type Usage = Readonly<Record<string, string>>;

/** An object and where it lies: `resource` is its plural, `group` empty for the core's. */
export type Counted = {
  readonly group: string;
  readonly resource: string;
  readonly object: unknown;
};

/** Everything it uses, whatever a quota asks of it. */
export function usageOf({ group, resource, object }: Counted): Usage {
  const counted = { [group === "" ? `count/${resource}` : `count/${resource}.${group}`]: "1" };
  if (group !== "") return counted;
  // What lies under a kind's key was admitted as that kind.
  if (resource === "pods") return { ...counted, ...podUsage(object as Pod) };
  if (resource === "services") return { ...counted, ...serviceUsage(object as Service) };
  if (resource === "persistentvolumeclaims") {
    return { ...counted, ...claimUsage(object as PersistentVolumeClaim) };
  }
  return plainly.has(resource) ? { ...counted, [resource]: "1" } : counted;
}

/** Core resources that a quota may name without `count/`. */
const plainly = new Set(["configmaps", "secrets", "replicationcontrollers", "resourcequotas"]);

/** One that has ended uses nothing but its name. */
function podUsage(pod: Pod): Usage {
  if (isTerminal(pod)) return {};
  const [requests, limits] = (["requests", "limits"] as const).map((part) =>
    plusUsage(
      effective(pod.spec, ({ resources }) => resources?.[part] ?? {}, resourceSums),
      pod.spec.overhead ?? {},
    ),
  );
  const named = (prefix: string, usage: Usage = {}) =>
    Object.entries(usage).map(([name, amount]) => [`${prefix}${name}`, amount] as const);
  // `cpu` is another name of `requests.cpu`; extended resources have no other.
  const short = named("", requests).filter(([name]) => native.has(name));
  return Object.fromEntries([
    ["pods", "1"],
    ...short,
    ...named("requests.", requests),
    ...named("limits.", limits),
  ]);
}

const native = new Set(["cpu", "memory", "ephemeral-storage"]);

function serviceUsage({ spec }: Service): Usage {
  const ports = String(spec.ports?.length ?? 0);
  const balanced = spec.type === "LoadBalancer";
  return {
    services: "1",
    ...((balanced || spec.type === "NodePort") && { "services.nodeports": ports }),
    ...(balanced && { "services.loadbalancers": "1" }),
  };
}

function claimUsage({ spec }: PersistentVolumeClaim): Usage {
  const asked = spec.resources?.requests?.["storage"] ?? "0";
  const own = { persistentvolumeclaims: "1", "requests.storage": asked };
  const prefix = `${spec.storageClassName ?? ""}.storageclass.storage.k8s.io/`;
  if ((spec.storageClassName ?? "") === "") return own;
  const ofClass = Object.entries(own).map(([name, amount]) => [`${prefix}${name}`, amount]);
  return { ...own, ...Object.fromEntries(ofClass) };
}

export const plusUsage = (a: Usage, b: Usage): Usage => merged(a, b, addQuantities);

/** Of resource lists. */
export const resourceSums: Sums<Usage> = {
  none: {},
  plus: plusUsage,
  most: (a, b) => merged(a, b, (x, y) => (compareQuantities(x, y) < 0 ? y : x)),
};

function merged(a: Usage, b: Usage, merge: (x: string, y: string) => string): Usage {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries(
    [...names].map((name) => [name, merge(a[name] ?? "0", b[name] ?? "0")]),
  );
}
