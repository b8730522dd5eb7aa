import { discoveryRoutes } from "./discovery/discovery-routes.ts";
import { openApiRoutes } from "./discovery/openapi-routes.ts";
import { healthRoutes } from "./http/health-routes.ts";
import { resourceRoutes } from "./http/resource-routes.ts";
import type { Route } from "./http/server.ts";
import { metricsRoutes } from "./metrics/metrics-routes.ts";
import { podRoutes } from "./pods/pod-actions.ts";
import type { Gateway } from "./resources/gateway.ts";
import { reviewRoutes } from "./reviews/review-routes.ts";

/** Everything that the gateway serves over HTTPS. */
export function routesOf(gateway: Gateway): readonly Route[] {
  const pod = gateway.kinds.find(({ group, kind }) => group === "" && kind === "Pod");
  return [
    ...discoveryRoutes(gateway.kinds),
    ...healthRoutes(gateway),
    ...openApiRoutes(gateway.kinds),
    ...gateway.kinds.flatMap((kind) => resourceRoutes(gateway, kind)),
    ...(pod === undefined ? [] : podRoutes(gateway, pod)),
    ...metricsRoutes(gateway),
    ...reviewRoutes,
  ];
}
