/** What a LimitRange does not allow, in Kubernetes' words. */
import type { LimitRange, LimitRangeItem } from "../../model/kinds/limitrange.ts";
import type { PersistentVolumeClaim } from "../../model/kinds/persistentvolumeclaim.ts";
import type { Pod } from "../../model/kinds/pod.ts";
import { effective } from "../../model/pod/effective.ts";
import { compareQuantities, quantityMilli, type ResourceList } from "../../model/quantity.ts";
import { resourceSums } from "../quota/usage.ts";

/** What is asked for: of a container, or of a pod as a whole. */
type Asked = { readonly requests: ResourceList; readonly limits: ResourceList };

/** @returns why the pod may not be, each reason once */
export function podFaults({ spec }: Pick<LimitRange, "spec">, pod: Pod): readonly string[] {
  const { containers, initContainers = [] } = pod.spec;
  const each = [...containers, ...initContainers].map(({ resources }): Asked => ({
    requests: resources.requests ?? {},
    limits: resources.limits ?? {},
  }));
  const sumOf = (list: "requests" | "limits") =>
    effective(pod.spec, ({ resources }) => resources[list] ?? {}, resourceSums);
  const faults = spec.limits.flatMap((item) => {
    if (item.type === "Container") return each.flatMap((asked) => faultsOf(item, asked));
    if (item.type !== "Pod") return [];
    return faultsOf(item, { requests: sumOf("requests"), limits: sumOf("limits") });
  });
  return [...new Set(faults)];
}

/** @returns why the claim may not be; only what it requests counts */
export function claimFaults(
  { spec }: Pick<LimitRange, "spec">,
  claim: PersistentVolumeClaim,
): readonly string[] {
  const { requests } = claim.spec.resources;
  const faults = spec.limits
    .filter(({ type }) => type === "PersistentVolumeClaim")
    .flatMap((item) => [
      ...eachOf(item, "min", (name, least) =>
        belowLeast(item, name, least, { requests, limits: {} }),
      ),
      ...eachOf(item, "max", (name, most) => {
        const told = `maximum ${name} usage per ${item.type} is ${most}`;
        const request = requests[name];
        if (request === undefined) return `${told}.  No request is specified`;
        return isMore(request, most) ? `${told}, but request is ${request}` : undefined;
      }),
    ]);
  return [...new Set(faults)];
}

const faultsOf = (item: LimitRangeItem, asked: Asked): readonly string[] => [
  ...eachOf(item, "min", (name, least) => belowLeast(item, name, least, asked)),
  ...eachOf(item, "max", (name, most) => aboveMost(item, name, most, asked)),
  ...eachOf(item, "maxLimitRequestRatio", (name, ratio) => aboveRatio(item, name, ratio, asked)),
];

type Judge = (name: string, amount: string) => string | undefined;

const eachOf = (
  item: LimitRangeItem,
  list: "min" | "max" | "maxLimitRequestRatio",
  judge: Judge,
): readonly string[] =>
  Object.entries(item[list] ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, amount]) => judge(name, amount) ?? []);

const isMore = (a: string, b: string) => compareQuantities(a, b) > 0;

function belowLeast(
  { type }: LimitRangeItem,
  name: string,
  least: string,
  { requests, limits }: Asked,
): string | undefined {
  const told = `minimum ${name} usage per ${type} is ${least}`;
  const [request, limit] = [requests[name], limits[name]];
  if (request === undefined) return `${told}.  No request is specified`;
  if (isMore(least, request)) return `${told}, but request is ${request}`;
  return limit !== undefined && isMore(least, limit) ? `${told}, but limit is ${limit}` : undefined;
}

function aboveMost(
  { type }: LimitRangeItem,
  name: string,
  most: string,
  { requests, limits }: Asked,
): string | undefined {
  const told = `maximum ${name} usage per ${type} is ${most}`;
  const [request, limit] = [requests[name], limits[name]];
  if (limit === undefined) return `${told}.  No limit is specified`;
  if (isMore(limit, most)) return `${told}, but limit is ${limit}`;
  return request !== undefined && isMore(request, most)
    ? `${told}, but request is ${request}`
    : undefined;
}

function aboveRatio(
  { type }: LimitRangeItem,
  name: string,
  most: string,
  asked: Asked,
): string | undefined {
  const told = `${name} max limit to request ratio per ${type} is ${most}`;
  const request = quantityMilli(asked.requests[name] ?? "0");
  const limit = quantityMilli(asked.limits[name] ?? "0");
  if (request === 0) return `${told}, but no request is specified or request is 0`;
  if (limit === 0) return `${told}, but no limit is specified or limit is 0`;
  // In whole numbers: 0.3 / 0.1 is not 3.
  if (limit * 1_000 <= request * quantityMilli(most)) return undefined;
  return `${told}, but provided ratio is ${(limit / request).toFixed(6)}`;
}
