import { approvalRoutes } from "./auth/signing-requests.ts";
import { tokenRoute } from "./auth/token-request.ts";
import { issuerRoutes } from "./auth/issuer-routes.ts";
import { discoveryRoutes } from "./discovery/discovery-routes.ts";
import { openApiRoutes } from "./discovery/openapi-routes.ts";
import { healthRoutes } from "./http/health-routes.ts";
import { resourceRoutes } from "./http/resource-routes.ts";
import type { Kind } from "../../libs/model/kind.ts";
import type { Route } from "./http/server.ts";
import { metricsRoutes } from "./metrics/metrics-routes.ts";
import { podRoutes } from "./pods/pod-actions.ts";
import { proxyRoutes } from "./pods/proxy.ts";
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
    ...gateway.kinds.filter(isProxied).flatMap((kind) => proxyRoutes(gateway, kind)),
    ...metricsRoutes(gateway),
    ...reviewRoutes(gateway),
    tokenRoute(gateway),
    ...approvalRoutes(gateway),
    ...issuerRoutes(gateway.identity),
  ];
}

const isProxied = ({ group, kind }: Kind) =>
  group === "" && ["Pod", "Service", "Node"].includes(kind);
