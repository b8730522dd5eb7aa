import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { negotiate } from "../http/accept.ts";
import { type Reply, textReply, valueReply } from "../http/reply.ts";
import type { Exchange, Route } from "../http/server.ts";
import {
  aggregated,
  groupEntry,
  groupList,
  groupsOf,
  resourceList,
  resourcesOf,
  versionsOf,
} from "./discovery.ts";

/** The Kubernetes whose API this is; clients judge by it what they may ask. */
const version = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.0+berth",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: "linux/amd64",
};

/**
 * What there is, which version it speaks, and whether it serves. The server listens only once its
 * caches are loaded: who reaches it finds it ready.
 */
export function discoveryRoutes(kinds: readonly Kind[]): readonly Route[] {
  const resources = resourcesOf(kinds);
  const groups = groupsOf(resources);
  const json = (path: string, value: unknown): Route =>
    get(path, () => valueReply(value, { language: "json" }));
  const health = (path: string): Route => ({ ...get(path, () => textReply("ok")), open: true });
  const versions = {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [],
  };
  return [
    get("/api", (exchange) =>
      discover(exchange, versions, (as) => aggregated(resources, [""], as)),
    ),
    get("/apis", (exchange) =>
      discover(exchange, groupList(resources), (as) => aggregated(resources, groups, as)),
    ),
    json("/api/v1", resourceList(resources, "", "v1")),
    ...groups.flatMap((group) => [
      json(`/apis/${group}`, {
        kind: "APIGroup",
        apiVersion: "v1",
        ...groupEntry(resources, group),
      }),
      ...versionsOf(resources, group).map((one) =>
        json(`/apis/${group}/${one}`, resourceList(resources, group, one)),
      ),
    ]),
    { ...json("/version", version), open: true },
    ...["/livez", "/healthz", "/readyz"].map(health),
  ];
}

const get = (path: string, handle: Route["handle"]): Route => ({ method: "GET", path, handle });

/** Aggregated where the client can read that, by the media type that it asked for; else the old shape. */
function discover(
  { request }: Exchange,
  plain: unknown,
  make: (as: "v2" | "v2beta1") => unknown,
): Reply {
  const offers = ["APIGroupDiscoveryList.v2", "APIGroupDiscoveryList.v2beta1"];
  const format = negotiate(request.headers.accept, offers);
  if (format === undefined) {
    throw new ApiError(
      "NotAcceptable",
      "only the following media types are accepted: application/json",
    );
  }
  if (format.as === undefined) return valueReply(plain, { language: "json" });
  const as = format.version === "v2" ? "v2" : "v2beta1";
  const reply = valueReply(make(as), { language: "json" });
  const contentType = `application/json;g=apidiscovery.k8s.io;v=${as};as=APIGroupDiscoveryList`;
  return { ...reply, contentType };
}
