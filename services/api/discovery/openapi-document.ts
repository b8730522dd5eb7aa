/**
 * OpenAPI v3 of one group and version, derived from the kinds' schemas: what `kubectl explain` prints,
 * what client-side apply merges by, and which parameters a write takes.
 */
import { apiVersionOf, type Kind } from "../../../libs/model/kind.ts";
import type { Resource } from "./discovery.ts";
import { pathsOf } from "./openapi-paths.ts";
import type { Components, Json } from "./openapi-schemas.ts";

/**
 * @param resources of one group and version
 * @param kinds whose schemas may be needed
 */
export function openApiDocument(resources: readonly Resource[], kinds: readonly Kind[]): Json {
  const components: Components = new Map();
  const kindOf = ({ group, version, kind }: Pick<Kind, "group" | "version" | "kind">) =>
    kinds.find((one) => one.kind === kind && one.group === group && one.version === version);
  const paths = Object.fromEntries(
    resources.flatMap((resource) => pathsOf(resource, { components, kindOf })),
  );
  const schemas = Object.fromEntries([...components].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: "v1.36.0" },
    paths,
    components: {
      schemas,
      securitySchemes: { BearerToken: { type: "apiKey", name: "authorization", in: "header" } },
    },
  };
}

/** Where a group and version's document is, below `/openapi/v3/`. */
export const openApiPath = (kind: Pick<Kind, "group" | "version">): string =>
  kind.group === "" ? `api/${kind.version}` : `apis/${apiVersionOf(kind)}`;
