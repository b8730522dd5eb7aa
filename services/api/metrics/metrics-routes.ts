/** `metrics.k8s.io/v1beta1`, for `kubectl top` and whoever else reads it: get and list. */
import type { AnyObject } from "../../../libs/admission/context.ts";
import type { ObservedUsage } from "../../../libs/cluster/observed-usage.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { node as nodeKind } from "../../../libs/model/kinds/node.ts";
import { pod as podKind } from "../../../libs/model/kinds/pod.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";
import { rootsOf, shownFor } from "../http/resource-routes.ts";
import { selectsOf } from "../http/query.ts";
import { type Reply, shownReply } from "../http/reply.ts";
import type { Exchange, Route } from "../http/server.ts";
import { resourceName } from "../resources/backend.ts";
import type { Gateway } from "../resources/gateway.ts";
import { shownList, shownObject } from "../resources/show.ts";
import { metricsOfNode, metricsOfPod } from "./metrics.ts";
import { nodeMetrics, podMetrics } from "./metrics-kinds.ts";

/** How the objects of one kind are shown as what is known of them. */
type Measure = {
  readonly kind: Kind;
  /** What is measured. */
  readonly of: Kind;
  readonly metrics: (object: never, usage: ObservedUsage, now: EpochMs) => AnyObject | undefined;
};

/** Each takes objects of the kind that it is of. */
const measures: readonly Measure[] = [
  { kind: nodeMetrics, of: nodeKind, metrics: metricsOfNode },
  { kind: podMetrics, of: podKind, metrics: metricsOfPod },
];

export function metricsRoutes(gateway: Gateway): readonly Route[] {
  return measures.flatMap((measure) => {
    const { all, own } = rootsOf(measure.kind);
    const listed = (exchange: Exchange) => list(gateway, measure, exchange);
    return [
      ...(all === own ? [] : [{ method: "GET", path: all, handle: listed } as const]),
      { method: "GET", path: own, handle: listed },
      {
        method: "GET",
        path: `${own}/:name`,
        handle: (exchange: Exchange) => read(gateway, measure, exchange),
      },
    ] as const;
  });
}

/** The selectors are of the metrics; what is selected has the measured objects' names and labels. */
function list(gateway: Gateway, { kind, of, metrics }: Measure, exchange: Exchange): Reply {
  const { query, params, request } = exchange;
  const shown = shownFor(gateway, kind, request.headers.accept, query);
  const selects = selectsOf(query, kind);
  const { view } = gateway.backendFor(of);
  const namespace = params["namespace"];
  const found = view
    .list(of, { ...(namespace !== undefined && { namespace }) })
    .flatMap((object) => metrics(object as never, gateway.usage, shown.now) ?? []) // See `measures`.
    .filter(selects);
  return shownReply(shownList(found, { resourceVersion: "" }, shown), shown);
}

function read(gateway: Gateway, { kind, of, metrics }: Measure, exchange: Exchange): Reply {
  const { query, params, request } = exchange;
  const shown = shownFor(gateway, kind, request.headers.accept, query);
  const name = params["name"] ?? "";
  const object: unknown = gateway.backendFor(of).view.get(of, params["namespace"], name);
  const found =
    object === undefined ? undefined : metrics(object as never, gateway.usage, shown.now); // As above.
  if (found !== undefined) return shownReply(shownObject(found, shown), shown);
  const subject = of === nodeKind ? `nodemetrics.${kind.group}` : `podmetrics.${kind.group}`;
  const details = { name, group: kind.group, kind: resourceName(kind) };
  throw new ApiError("NotFound", `${subject} "${name}" not found`, details);
}
