import { customRoutes } from "./custom/custom-routes.ts";
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

/** What is served over HTTPS whatever kinds users add: kinds' objects, and actions. */
export function routesOf(gateway: Gateway): readonly Route[] {
  const { builtIn } = gateway.catalogue;
  const pod = builtIn.find(({ group, kind }) => group === "" && kind === "Pod");
  return [
    ...healthRoutes(gateway),
    ...builtIn.flatMap((kind) => resourceRoutes(gateway, kind)),
    ...customRoutes(gateway, gateway.catalogue),
    ...(pod === undefined ? [] : podRoutes(gateway, pod)),
    ...builtIn.filter(isProxied).flatMap((kind) => proxyRoutes(gateway, kind)),
    ...metricsRoutes(gateway),
    ...reviewRoutes(gateway),
    tokenRoute(gateway),
    ...approvalRoutes(gateway),
    ...issuerRoutes(gateway.identity),
  ];
}

/** What tells of the kinds that are served now; the same list as long as none comes or goes. */
export function routesNow(gateway: Gateway): () => readonly Route[] {
  let of: readonly Kind[] | undefined;
  let routes: readonly Route[] = [];
  return () => {
    const { kinds } = gateway;
    if (kinds !== of) {
      of = kinds;
      routes = [...discoveryRoutes(kinds), ...openApiRoutes(kinds)];
    }
    return routes;
  };
}

const isProxied = ({ group, kind }: Kind) =>
  group === "" && ["Pod", "Service", "Node"].includes(kind);
