/**
 * Routes of the kinds that users have added. They are found when a request comes: the paths name a group,
 * a version and a plural, whatever these are, and the catalogue says whether there is such a kind.
 */
import type { Kind } from "../../../libs/model/kind.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { resourceRoutes } from "../http/resource-routes.ts";
import type { Reply } from "../http/reply.ts";
import type { Exchange, Route } from "../http/server.ts";
import type { Gateway } from "../resources/gateway.ts";
import type { Catalogue } from "./catalogue.ts";

const roots = [
  "/apis/:group/:version/:plural",
  "/apis/:group/:version/namespaces/:namespace/:plural",
] as const;
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

export function customRoutes(gateway: Gateway, catalogue: Catalogue): readonly Route[] {
  const finder = routeFinder(gateway, catalogue);
  const patterns = roots.flatMap((root) => [root, `${root}/:name`, `${root}/:name/:subresource`]);
  return patterns.flatMap((path) =>
    methods.map((method): Route => ({
      method,
      path,
      fallback: true,
      handle: (exchange) => answer(finder(), path, exchange),
    })),
  );
}

/** A kind's routes by method and path, its path's own words filled in. */
type Served = { readonly kind: Kind; readonly routes: ReadonlyMap<string, Route> };
type Find = (group: string, version: string, plural: string) => Served | undefined;

function routeFinder(gateway: Gateway, catalogue: Catalogue): () => Find {
  const made = new WeakMap<Kind, Served>();
  let of: readonly Kind[] | undefined;
  let byPath: ReadonlyMap<string, Kind> = new Map();
  const routesOf = (kind: Kind): Served => {
    const known = made.get(kind) ?? {
      kind,
      routes: new Map(
        resourceRoutes(gateway, kind).map((one) => [`${one.method} ${one.path}`, one]),
      ),
    };
    made.set(kind, known);
    return known;
  };
  return () => {
    const kinds = catalogue.custom;
    if (kinds !== of) {
      of = kinds;
      byPath = new Map(
        kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind] as const),
      );
    }
    return (group, version, plural) => {
      const kind = byPath.get(`${group}/${version}/${plural}`);
      return kind && routesOf(kind);
    };
  };
}

async function answer(find: Find, pattern: string, exchange: Exchange): Promise<Reply> {
  const { group = "", version = "", plural = "", subresource = "" } = exchange.params;
  const served = find(group, version, plural);
  const path = pattern
    .replace(":group", group)
    .replace(":version", version)
    .replace(":plural", plural)
    .replace(":subresource", subresource);
  const route = served?.routes.get(`${exchange.method} ${path}`);
  if (served === undefined || route === undefined) throw missing(served, path);
  return route.handle(exchange);
}

function missing(served: Served | undefined, path: string): ApiError {
  const others = methods.some((method) => served?.routes.has(`${method} ${path}`) === true);
  return others
    ? new ApiError(
        "MethodNotAllowed",
        "the server does not allow this method on the requested resource",
      )
    : new ApiError("NotFound", "the server could not find the requested resource");
}
