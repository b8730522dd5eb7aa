/** What can be asked of resources, as paths of an OpenAPI v3 document: all verbs, all subresources. */
import type { Kind } from "../../../libs/model/kind.ts";
import { hasProtobuf } from "../protobuf/encode.ts";
import type { Resource, Subresource } from "./discovery.ts";
import { capital, operationGroup, shared } from "./openapi-names.ts";
import {
  addKind,
  addMessage,
  addShared,
  type Components,
  type Json,
  refTo,
} from "./openapi-schemas.ts";

type Gvk = Pick<Kind, "group" | "version" | "kind">;
type Method = "get" | "post" | "put" | "patch" | "delete";
type Parameter = { readonly name: string; readonly type: "string" | "integer" | "boolean" };

type Known = {
  readonly components: Components;
  readonly kindOf: (gvk: Gvk) => Kind | undefined;
};

export function pathsOf(resource: Resource, known: Known): readonly (readonly [string, Json])[] {
  const { group, version } = resource;
  const base = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const all = `${base}/${resource.name}`;
  const own = resource.namespaced ? `${base}/namespaces/{namespace}/${resource.name}` : all;
  const one = `${own}/{name}`;
  const kind = known.kindOf(resource);
  const object = nameOf(resource, known, { listed: resource.verbs.includes("list") });
  const at = {
    resource,
    object,
    custom: kind !== undefined && (kind.custom !== undefined || !hasProtobuf(kind.schema)),
    known,
  };
  return [
    ...(resource.namespaced
      ? [path(all, [operation(at, "list", { everywhere: true })], { namespaced: false })]
      : []),
    path(
      own,
      [operation(at, "list"), operation(at, "create"), operation(at, "deletecollection")],
      resource,
    ),
    path(
      one,
      [
        operation(at, "get"),
        operation(at, "update"),
        operation(at, "patch"),
        operation(at, "delete"),
      ],
      resource,
    ),
    ...resource.subresources.map((sub) => {
      const gvk = { group: sub.group ?? group, version: sub.version ?? version, kind: sub.kind };
      const inner = { ...at, object: nameOf(gvk, known, { listed: false }), gvk, sub };
      const verbs = ["get", "create", "update", "patch"] as const;
      return path(
        `${one}/${sub.name}`,
        verbs.map((verb) => operation(inner, verb)),
        resource,
      );
    }),
  ].filter(([, item]) => methods.some((method) => method in item));
}

const methods = ["get", "post", "put", "patch", "delete"] as const;

function nameOf(
  gvk: Gvk,
  { components, kindOf }: Known,
  options: { readonly listed: boolean },
): string | undefined {
  const kind = kindOf(gvk);
  return kind === undefined ? addMessage(components, gvk) : addKind(components, kind, options);
}

function path(
  url: string,
  operations: readonly (readonly [Method, Json] | undefined)[],
  { namespaced }: { readonly namespaced: boolean },
): readonly [string, Json] {
  const given = operations.filter((one) => one !== undefined);
  const parameters = [
    ...(url.includes("{name}") ? [inPath("name", "name of the object")] : []),
    ...(namespaced ? [inPath("namespace", "where the object is")] : []),
    inQuery({ name: "pretty", type: "string" }),
  ];
  return [url, { ...Object.fromEntries(given), parameters }];
}

type At = {
  readonly resource: Resource;
  /** The component of what is sent and answered. */
  readonly object: string | undefined;
  readonly custom: boolean;
  readonly known: Known;
  readonly gvk?: Gvk;
  readonly sub?: Subresource;
};
type Verb = "list" | "create" | "deletecollection" | "get" | "update" | "patch" | "delete";

/** @returns undefined for a verb that is not served */
function operation(
  at: At,
  verb: Verb,
  { everywhere = false }: { readonly everywhere?: boolean } = {},
): readonly [Method, Json] | undefined {
  const { resource, object, sub, known } = at;
  if (!(sub ?? resource).verbs.includes(verb)) return undefined;
  const { method, action, word, parameters } = verbs[verb];
  const { group, version } = resource;
  const gvk = at.gvk ?? { group, version, kind: resource.kind };
  const streams = sub !== undefined && streaming.has(sub.name);
  const answer = verb === "list" && object !== undefined ? `${object}List` : object;
  const deletes = verb === "delete" || verb === "deletecollection";
  if (deletes) addShared(known.components, shared.status);
  const schema = refOrObject(deletes ? shared.status : answer);
  const codes =
    verb === "create" || verb === "update" || verb === "patch" ? ["200", "201"] : ["200"];
  const types = verb === "list" ? [...produced, ...watched] : produced;
  const id = [
    streams ? `connect${capital(method)}` : word,
    operationGroup(resource),
    ...(verb === "deletecollection" ? ["Collection"] : []),
    ...(resource.namespaced && !everywhere ? ["Namespaced"] : []),
    resource.kind,
    capital(sub?.name ?? ""),
    ...(everywhere ? ["ForAllNamespaces"] : []),
  ];
  return [
    method,
    {
      tags: [
        `${group === "" ? "core" : group.replace(/\.k8s\.io$/, "").replaceAll(".", "_")}_${version}`,
      ],
      description: descriptions[verb](
        sub === undefined ? resource.kind : `${sub.name} of ${resource.kind}`,
      ),
      operationId: id.join(""),
      parameters: parameters.map(inQuery),
      ...body(at, verb),
      responses: {
        ...Object.fromEntries(
          codes.map((code) => [code, { description: "OK", content: contentOf(types, schema) }]),
        ),
        "401": { description: "Unauthorized" },
      },
      "x-kubernetes-action": streams ? "connect" : action,
      "x-kubernetes-group-version-kind": {
        group: gvk.group,
        version: gvk.version,
        kind: gvk.kind,
      },
    },
  ];
}

const streaming = new Set(["exec", "attach", "portforward", "proxy"]);

function body({ object, custom, known }: At, verb: Verb): Json {
  if (verb === "create" || verb === "update") {
    return { requestBody: { required: true, content: contentOf(["*/*"], refOrObject(object)) } };
  }
  if (verb === "patch") {
    addShared(known.components, shared.patch);
    const types = patchTypes.filter((type) => !custom || !type.includes("strategic"));
    return { requestBody: { required: true, content: contentOf(types, refTo(shared.patch)) } };
  }
  if (verb === "delete" || verb === "deletecollection") {
    addShared(known.components, shared.deleteOptions);
    return { requestBody: { content: contentOf(["*/*"], refTo(shared.deleteOptions)) } };
  }
  return {};
}

const refOrObject = (name: string | undefined): Json =>
  name === undefined ? { type: "string" } : refTo(name);

const contentOf = (types: readonly string[], schema: Json): Json =>
  Object.fromEntries(types.map((type) => [type, { schema }]));

const patchTypes = [
  "application/apply-patch+yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
];
const produced = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const watched = [
  "application/json;stream=watch",
  "application/vnd.kubernetes.protobuf;stream=watch",
];

const parameter =
  (type: Parameter["type"]) =>
  (name: string): Parameter => ({ name, type });
const writeParameters = ["dryRun", "fieldManager", "fieldValidation"].map(parameter("string"));
const listParameters = [
  ...["allowWatchBookmarks", "sendInitialEvents", "watch"].map(parameter("boolean")),
  ...["limit", "timeoutSeconds"].map(parameter("integer")),
  ...["continue", "fieldSelector", "labelSelector", "resourceVersion", "resourceVersionMatch"].map(
    parameter("string"),
  ),
].toSorted((a, b) => (a.name < b.name ? -1 : 1));
const deleteParameters = [
  parameter("string")("dryRun"),
  parameter("integer")("gracePeriodSeconds"),
  parameter("boolean")("orphanDependents"),
  parameter("string")("propagationPolicy"),
];

const verbs: Readonly<
  Record<
    Verb,
    {
      readonly method: Method;
      readonly action: string;
      readonly word: string;
      readonly parameters: readonly Parameter[];
    }
  >
> = {
  list: { method: "get", action: "list", word: "list", parameters: listParameters },
  create: { method: "post", action: "post", word: "create", parameters: writeParameters },
  deletecollection: {
    method: "delete",
    action: "deletecollection",
    word: "delete",
    parameters: [...listParameters.filter(({ name }) => name !== "watch"), ...deleteParameters],
  },
  get: { method: "get", action: "get", word: "read", parameters: [] },
  update: { method: "put", action: "put", word: "replace", parameters: writeParameters },
  patch: {
    method: "patch",
    action: "patch",
    word: "patch",
    parameters: [...writeParameters, parameter("boolean")("force")],
  },
  delete: { method: "delete", action: "delete", word: "delete", parameters: deleteParameters },
};

const descriptions: Readonly<Record<Verb, (of: string) => string>> = {
  list: (of) => `list or watch objects of kind ${of}`,
  create: (of) => `create a ${of}`,
  deletecollection: (of) => `delete a collection of ${of}`,
  get: (of) => `read the ${of}`,
  update: (of) => `replace the ${of}`,
  patch: (of) => `change parts of the ${of}`,
  delete: (of) => `delete a ${of}`,
};

const said: Readonly<Record<string, string>> = {
  allowWatchBookmarks: "asks a watch for BOOKMARK events",
  continue: "the page that a list's metadata names",
  dryRun: "All: everything but the write",
  fieldManager: "who makes the change",
  fieldSelector: "selects by fields",
  fieldValidation: "what of unknown or duplicate fields: Ignore, Warn or Strict",
  force: "takes fields over from other managers; for apply",
  gracePeriodSeconds: "how long the object may take to end; 0 at once",
  labelSelector: "selects by labels",
  limit: "how many objects a page holds at most",
  orphanDependents: "deprecated: see propagationPolicy",
  pretty: "true: with line breaks and indents",
  propagationPolicy: "what becomes of dependents: Orphan, Background or Foreground",
  resourceVersion: "the revision that a list is of or a watch begins after",
  resourceVersionMatch: "Exact or NotOlderThan",
  sendInitialEvents: "a watch begins with what is there, then a bookmark",
  timeoutSeconds: "how long a watch lasts",
  watch: "a stream of changes in place of a list",
};

const inQuery = ({ name, type }: Parameter): Json => ({
  name,
  in: "query",
  description: said[name] ?? name,
  schema: { type, uniqueItems: true },
});

const inPath = (name: string, description: string): Json => ({
  name,
  in: "path",
  description,
  required: true,
  schema: { type: "string", uniqueItems: true },
});
