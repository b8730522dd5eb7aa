/** What a request is about, as Kubernetes' own metrics tell it. */
export type Asked = {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
};

const nothing = { group: "", version: "", resource: "", subresource: "" };

/** `/apis/<group>/<version>[/namespaces/<namespace>]/<resource>[/<name>[/<subresource>]]` */
export function askedOf(method: string, path: string, isWatch: boolean): Asked {
  const [root, ...steps] = path.split("/").filter((step) => step !== "");
  const named = root === "apis" ? steps : ["", ...steps];
  const [group = "", version = "", ...rest] = named;
  if ((root !== "api" && root !== "apis") || rest.length === 0) {
    return { verb: verbs[method] ?? "OTHER", ...nothing };
  }
  const own = rest[0] === "namespaces" && rest.length > 2 && !ofNamespace.has(rest[2] ?? "");
  const [resource = "", name, subresource = ""] = own ? rest.slice(2) : rest;
  return { verb: verbOf(method, name, isWatch), group, version, resource, subresource };
}

const ofNamespace = new Set(["status", "finalize"]);

function verbOf(method: string, name: string | undefined, isWatch: boolean): string {
  if (method === "GET" && name === undefined) return isWatch ? "WATCH" : "LIST";
  if (method === "DELETE" && name === undefined) return "DELETECOLLECTION";
  return verbs[method] ?? "OTHER";
}

/** Whatever a client calls a method: so many names there are. */
const verbs: Readonly<Record<string, string>> = {
  GET: "GET",
  POST: "POST",
  PUT: "PUT",
  PATCH: "PATCH",
  DELETE: "DELETE",
};
