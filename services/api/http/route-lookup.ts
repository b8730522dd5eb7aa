import findMyWay, { type HTTPMethod } from "find-my-way";
import type { Exchange, Route, ServerOptions } from "./server.ts";

type Found = { readonly route: Route | undefined; readonly params: Exchange["params"] };

/** Finds the route of a request, among those that stay and those that are served now. */
export function routeLookup({
  routes,
  routesNow,
}: Pick<ServerOptions, "routes" | "routesNow">): (method: string, path: string) => Found {
  const fixed = routerOf(routes);
  let of = routesNow();
  let changing = routerOf(of);
  return (method, path) => {
    const now = routesNow();
    if (now !== of) [of, changing] = [now, routerOf(now)];
    const verb = method as HTTPMethod; // Unknown ones find nothing.
    const found = changing.find(verb, path) ?? fixed.find(verb, path);
    // As `routerOf` put it there.
    return { route: found?.store as Route | undefined, params: found?.params ?? {} };
  };
}

function routerOf(routes: readonly Route[]) {
  const router = findMyWay({ maxParamLength: 1_000, ignoreTrailingSlash: true });
  for (const route of routes) router.on(route.method, route.path, () => undefined, route);
  return router;
}
