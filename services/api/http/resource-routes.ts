/** The REST routes of one kind, and what each verb does with a request. */
import { ApiError } from "../../../libs/model/errors.ts";
import { apiVersionOf, type Kind, type Part } from "../../../libs/model/kind.ts";
import { hasProtobuf } from "../protobuf/encode.ts";
import { type ApplyOptions, applyObject } from "../resources/apply.ts";
import type { Target } from "../resources/backend.ts";
import { type Change, createObject, updateObject, type Written } from "../resources/change.ts";
import { deleteCollection, deleteObject, isShownWhenGone } from "../resources/delete.ts";
import type { Gateway } from "../resources/gateway.ts";
import { requireListOptions } from "../resources/list-options.ts";
import { listObjects, type ListOptions, readObject } from "../resources/read.ts";
import { refusalAbout } from "../resources/refusal.ts";
import { askedScale, parseScale, scaleKind, scaleOf, withReplicas } from "../resources/scale.ts";
import { type Shown, shownList, shownObject } from "../resources/show.ts";
import { readyToServe } from "../resources/versions.ts";
import { mediaTypes, negotiate } from "./accept.ts";
import { applyOptionsOf, decodeConfig, isApply, requireUnforced } from "./apply-patch.ts";
import { decodeBody, decodeDeleteOptions, decodePatch, schemaOf } from "./decode.ts";
import {
  flagOf,
  includeObjectOf,
  integerOf,
  isSelective,
  selectsOf,
  textOf,
  writeOptionsOf,
} from "./query.ts";
import { type Reply, shownReply, valueReply } from "./reply.ts";
import type { Exchange, Route } from "./server.ts";
import { warned, warningsIn } from "./warnings.ts";
import { watchReply } from "./watch-reply.ts";

/** The deprecated paths of watches: `/api/v1/watch/namespaces/:namespace/pods`; `:name` may follow. */
function watchRoots(kind: Kind): { readonly all: string; readonly own: string } {
  const { all, own } = rootsOf(kind);
  const base = all.slice(0, -kind.plural.length);
  const watching = (path: string) => `${base}watch/${path.slice(base.length)}`;
  return { all: watching(all), own: watching(own) };
}

/** Where a kind's objects are: `/api/v1/namespaces/:namespace/pods`; `:name` follows. */
export function rootsOf(kind: Kind): { readonly all: string; readonly own: string } {
  const base = kind.group === "" ? `/api/${kind.version}` : `/apis/${apiVersionOf(kind)}`;
  const all = `${base}/${kind.plural}`;
  return { all, own: kind.namespaced ? `${base}/namespaces/:namespace/${kind.plural}` : all };
}

type Verb = (gateway: Gateway, kind: Kind, exchange: Exchange) => Promise<Reply>;

export function resourceRoutes(gateway: Gateway, kind: Kind): readonly Route[] {
  const { all, own } = rootsOf(kind);
  const route = (method: Route["method"], path: string, verb: Verb): Route => ({
    method,
    path,
    handle: (exchange) => telling(kind, exchange, verb(gateway, kind, exchange)),
  });
  const one = `${own}/:name`;
  const watched = watchRoots(kind);
  const watchPaths = [...new Set([watched.all, watched.own, `${watched.own}/:name`])];
  return [
    ...(kind.namespaced ? [route("GET", all, list), route("DELETE", all, removeAll)] : []),
    route("GET", own, list),
    ...watchPaths.map((path) => route("GET", path, watch)),
    route("POST", own, create),
    route("DELETE", own, removeAll),
    route("GET", one, read),
    route("PUT", one, replace("main")),
    route("PATCH", one, patch("main")),
    route("DELETE", one, remove),
    ...kind.subresources
      .filter((part) => part !== "scale")
      .flatMap((part) => [
        route("GET", `${one}/${part}`, read),
        route("PUT", `${one}/${part}`, replace(part)),
        route("PATCH", `${one}/${part}`, patch(part)),
      ]),
    ...(kind.subresources.includes("scale")
      ? [
          route("GET", `${one}/scale`, readScale),
          route("PUT", `${one}/scale`, replaceScale),
          route("PATCH", `${one}/scale`, patchScale),
        ]
      : []),
  ];
}

/** A list that is a watch whatever its query says, of one object where the path names it. */
const watch: Verb = async (gateway, kind, exchange) => {
  const query = new URLSearchParams(exchange.query);
  query.set("watch", "true");
  const { name } = exchange.params;
  if (name !== undefined) {
    const fields = query.get("fieldSelector") ?? "";
    query.set("fieldSelector", [fields, `metadata.name=${name}`].filter(Boolean).join(","));
  }
  return list(gateway, kind, { ...exchange, query });
};

const list: Verb = async (gateway, kind, { query, params, request }) => {
  const shown = shownFor(gateway, kind, request.headers.accept, query);
  const target = { kind, namespace: params["namespace"] };
  if (flagOf(query, "watch")) {
    const selects = selectsOf(query, kind);
    return watchReply(gateway, target, { query, selects, shown });
  }
  requireListOptions(query);
  const options = listOptionsOf(query, kind);
  const listed = await listObjects(gateway.backendFor(kind), target, options);
  const meta = {
    resourceVersion: String(listed.revision),
    continue: listed.continue,
    remainingItemCount: listed.remaining,
  };
  await readyToServe(kind, listed.objects);
  return shownReply(shownList(listed.objects, meta, shown), shown);
};

const read: Verb = async (gateway, kind, { query, params, request }) => {
  const shown = shownFor(gateway, kind, request.headers.accept, query);
  const target = targetOf(kind, params);
  const version = textOf(query, "resourceVersion");
  return shownReply(
    shownObject(await readObject(gateway.backendFor(kind), target, version), shown),
    shown,
  );
};

const create: Verb = async (gateway, kind, exchange) => {
  const { query, params, request } = exchange;
  const shown = shownFor(gateway, kind, request.headers.accept, query);
  const options = writeOptionsOf(exchange);
  const given = await decodeBody(request, schemaOf(kind));
  const target = { kind, namespace: params["namespace"] };
  const written = await createObject(gateway, target, given, options);
  return writtenReply(written, shown, 201);
};

const replace =
  (part: "main" | Part): Verb =>
  async (gateway, kind, exchange) => {
    const { query, params, request } = exchange;
    const shown = shownFor(gateway, kind, request.headers.accept, query);
    const options = { ...writeOptionsOf(exchange), part, sent: "object" } as const;
    const given = await decodeBody(request, schemaOf(kind));
    const written = await updateObject(gateway, targetOf(kind, params), () => given, options);
    return writtenReply(written, shown);
  };

const patch =
  (part: "main" | Part): Verb =>
  async (gateway, kind, exchange) => {
    const { query, params, request } = exchange;
    const shown = shownFor(gateway, kind, request.headers.accept, query);
    if (isApply(request)) {
      const { created, ...written } = await apply(gateway, kind, exchange, part);
      return writtenReply(written, shown, created ? 201 : 200);
    }
    requireUnforced(query);
    const options = { ...writeOptionsOf(exchange), part, sent: "patch" } as const;
    const change = await decodePatch(request, schemaOf(kind));
    const written = await updateObject(gateway, targetOf(kind, params), change, options);
    return writtenReply(written, shown);
  };

async function apply(
  gateway: Gateway,
  kind: Kind,
  exchange: Exchange,
  part: ApplyOptions["part"],
): ReturnType<typeof applyObject> {
  const options = applyOptionsOf(exchange, part);
  const config = await decodeConfig(exchange.request);
  return applyObject(gateway, targetOf(kind, exchange.params), config, options);
}

const remove: Verb = async (gateway, kind, { query, params, request, user }) => {
  const shown = shownFor(gateway, kind, request.headers.accept, query);
  const options = await decodeDeleteOptions(request, query);
  const target = targetOf(kind, params);
  const { object, gone, warnings } = await deleteObject(gateway, target, options, { user });
  const headers = warningsIn(warnings);
  if (!gone || isShownWhenGone(kind)) {
    const code = !gone && options.isCascading === true ? 202 : 200;
    return shownReply(shownObject(object, shown), shown, { code, headers });
  }
  const { name, uid } = object.metadata;
  const details = { name, group: kind.group || undefined, kind: kind.plural, uid };
  return valueReply(
    { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details },
    shown,
    { headers },
  );
};

const removeAll: Verb = async (gateway, kind, { query, params, request, user }) => {
  const shown = shownFor(gateway, kind, request.headers.accept, query);
  requireListOptions(query);
  const options = await decodeDeleteOptions(request, query);
  const target = { kind, namespace: params["namespace"] };
  const deleted = await deleteCollection(gateway, target, {
    ...listOptionsOf(query, kind),
    options,
    user,
  });
  const resourceVersion = String(gateway.backendFor(kind).view.revision);
  return shownReply(shownList(deleted, { resourceVersion }, shown), shown);
};

/** Which objects a query lists. @throws {ApiError} BadRequest */
const listOptionsOf = (query: URLSearchParams, kind: Kind): ListOptions => ({
  selects: selectsOf(query, kind),
  isSelective: isSelective(query),
  resourceVersion: textOf(query, "resourceVersion"),
  resourceVersionMatch: textOf(query, "resourceVersionMatch"),
  limit: integerOf(query, "limit"),
  continue: textOf(query, "continue"),
});

const readScale: Verb = async (gateway, kind, { query, params }) => {
  const version = textOf(query, "resourceVersion");
  const object = await readObject(gateway.backendFor(kind), targetOf(kind, params), version);
  return valueReply(scaleOf(object, kind), { language: "json" });
};

const replaceScale: Verb = async (gateway, kind, exchange) => {
  const given = await decodeBody(exchange.request, scaleKind.schema);
  return changeScale(gateway, kind, exchange, { change: () => given, sent: "object" });
};

const patchScale: Verb = async (gateway, kind, exchange) => {
  if (isApply(exchange.request)) {
    const { object, warnings } = await apply(gateway, kind, exchange, "scale");
    return valueReply(
      scaleOf(object, kind),
      { language: "json" },
      { headers: warningsIn(warnings) },
    );
  }
  requireUnforced(exchange.query);
  const change = await decodePatch(exchange.request, scaleKind.schema);
  return changeScale(gateway, kind, exchange, { change, sent: "patch" });
};

/** @param change makes of a Scale the Scale as it shall be */
async function changeScale(
  gateway: Gateway,
  kind: Kind,
  exchange: Exchange,
  { change, sent }: { readonly change: Change; readonly sent: "object" | "patch" },
): Promise<Reply> {
  const asked = writeOptionsOf(exchange);
  const target = targetOf(kind, exchange.params);
  let warnings: readonly string[] = [];
  const set: Change = (before) => {
    const options = { mode: asked.fieldValidation, sent };
    const wanted = parseScale(change(scaleOf(before, kind)), target, options);
    warnings = wanted.warnings;
    const { resourceVersion = before.metadata.resourceVersion } = wanted;
    const metadata = { ...before.metadata, resourceVersion };
    return withReplicas({ ...before, metadata }, wanted.replicas, kind);
  };
  // What is not its replicas is as it was: known.
  const options = {
    ...asked,
    fieldValidation: "Ignore",
    part: "main",
    sent,
    asked: askedScale(target),
  } as const;
  const { object, warnings: told } = await updateObject(gateway, target, set, options);
  const headers = warningsIn([...warnings, ...told]);
  return valueReply(scaleOf(object, kind), { language: "json" }, { headers });
}

function targetOf(kind: Kind, params: Exchange["params"]): Target {
  return { kind, namespace: params["namespace"], name: params["name"] ?? "" };
}

const views = ["Table.v1", "PartialObjectMetadata.v1", "PartialObjectMetadataList.v1"];

/** How a client wants to see objects of a kind. @throws {ApiError} NotAcceptable */
export function shownFor(
  gateway: Gateway,
  kind: Kind,
  accept: string | undefined,
  query: URLSearchParams,
): Shown {
  const protobuf = kind.custom === undefined && hasProtobuf(kind.schema);
  const format = negotiate(accept, { as: views, protobuf });
  if (format === undefined) {
    const known = Object.values(mediaTypes).filter(
      (type) => protobuf || type !== mediaTypes.protobuf,
    );
    throw new ApiError(
      "NotAcceptable",
      `only the following media types are accepted: ${known.join(", ")}`,
    );
  }
  const { view, language } = format;
  return {
    kind,
    view,
    language,
    includeObject: includeObjectOf(query),
    now: gateway.ports.clock.now(),
  };
}

function writtenReply({ object, warnings }: Written, shown: Shown, code = 200): Reply {
  return shownReply(shownObject(object, shown), shown, { code, headers: warningsIn(warnings) });
}

/** A refusal names what it is about, as clients print it. */
async function telling(kind: Kind, { params }: Exchange, reply: Promise<Reply>): Promise<Reply> {
  try {
    return warned(kind, await reply);
  } catch (error) {
    throw error instanceof ApiError ? refusalAbout(error, kind, params["name"]) : error;
  }
}
