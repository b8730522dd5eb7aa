import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { mediaTypes, negotiate } from "../http/accept.ts";
import { type Tagged, tagged, taggedReply } from "../http/etag.ts";
import type { Reply } from "../http/reply.ts";
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

/** What there is, and which version it speaks. */
export function discoveryRoutes(kinds: readonly Kind[]): readonly Route[] {
  const resources = resourcesOf(kinds);
  const groups = groupsOf(resources);
  const json = (path: string, value: unknown): Route => {
    const made = tagged(value);
    return get(path, ({ request }) => taggedReply(made, request));
  };
  const versions = {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [],
  };
  const inAllShapes = (plain: unknown, of: readonly string[]) => ({
    plain: tagged(plain),
    v2: tagged(aggregated(resources, of, "v2")),
    v2beta1: tagged(aggregated(resources, of, "v2beta1")),
  });
  return [
    get("/api", discover(inAllShapes(versions, [""]))),
    get("/apis", discover(inAllShapes(groupList(resources), groups))),
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
  ];
}

const get = (path: string, handle: Route["handle"]): Route => ({ method: "GET", path, handle });

const aggregates = ["APIGroupDiscoveryList.v2", "APIGroupDiscoveryList.v2beta1"];

/** Aggregated where the client can read that, by the media type that it asked for; else the old shape. */
function discover({ plain, v2, v2beta1 }: Readonly<Record<"plain" | "v2" | "v2beta1", Tagged>>) {
  return ({ request }: Exchange): Reply => {
    const format = negotiate(request.headers.accept, { as: aggregates, protobuf: true });
    if (format === undefined) {
      const known = Object.values(mediaTypes).join(", ");
      throw new ApiError("NotAcceptable", `only the following media types are accepted: ${known}`);
    }
    if (format.as === undefined) return taggedReply(plain, request);
    const version = format.version === "v2" ? "v2" : "v2beta1";
    const parameters = `;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    return taggedReply(version === "v2" ? v2 : v2beta1, request, parameters);
  };
}
