import type { MetricSpec } from "./metric-spec.ts";
import type { MetricStatus } from "./metric-status.ts";
import type { MetricTarget, MetricValue } from "./metric-target.ts";

const shownMax = 2;

/** `cpu: 12%/50%, 3/10 (avg) + 1 more...`, as kubectl shows what an autoscaler goes by. */
export function targetsText(
  specs: readonly MetricSpec[],
  statuses: readonly MetricStatus[] = [],
): string {
  if (specs.length === 0) return "<none>";
  const texts = specs.map((spec, nth) => metricText(spec, statuses[nth]));
  const shown = texts.slice(0, shownMax).join(", ");
  return texts.length > shownMax ? `${shown} + ${texts.length - shownMax} more...` : shown;
}

function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  switch (spec.type) {
    case "External":
      return wholeText(spec.external?.target, status?.external?.current);
    case "Object":
      return wholeText(spec.object?.target, status?.object?.current);
    case "Pods":
      return `${status?.pods?.current.averageValue ?? unknown}/${spec.pods?.target.averageValue}`;
    case "Resource":
      return resourceText(spec.resource, status?.resource?.current);
    case "ContainerResource":
      return resourceText(spec.containerResource, status?.containerResource?.current);
    default:
      return spec.type satisfies never;
  }
}

const unknown = "<unknown>";
const percent = (number: number | undefined, otherwise: string) =>
  number === undefined ? otherwise : `${number}%`;

function wholeText(target: MetricTarget | undefined, current: MetricValue | undefined): string {
  if (target?.averageValue !== undefined) {
    return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
  }
  return `${current?.value ?? unknown}/${target?.value}`;
}

function resourceText(
  source: { readonly name: string; readonly target: MetricTarget } | undefined,
  current: MetricValue | undefined,
): string {
  const { name = "", target } = source ?? {};
  if (target?.averageValue !== undefined) {
    return `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`;
  }
  const now = percent(current?.averageUtilization, unknown);
  return `${name}: ${now}/${percent(target?.averageUtilization, "<auto>")}`;
}
