/**
 * The typed client of the Kubernetes API: kinds are those of `libs/model`, objects are their types,
 * refusals are `ApiError`s with their reason and causes. It speaks over HTTPS and over NATS alike.
 *
 *     await using transport = overNats(bus);
 *     const pods = clientOver(transport).of(pod).in("default");
 *     await pods.apply({ apiVersion: "v1", kind: "Pod", metadata: { name: "a" }, spec }, { fieldManager: "me" });
 *     for await (const { type, object } of pods.watch({ signal })) …
 */
import type { ApiError } from "../model/errors.ts";
import { apiVersionOf, type Kind, type ObjectOf } from "../model/kind.ts";
import { linesOf } from "./lines.ts";
import { refusalIn } from "./status.ts";
import type { ApiRequest, ApiResponse, Transport } from "./transport.ts";

export type ListOptions = {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly signal?: AbortSignal;
};
export type WatchOptions = Omit<ListOptions, "limit" | "continue"> & {
  readonly allowWatchBookmarks?: boolean;
  /** Begin with what is there, and end that with a bookmark. */
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
};
export type WriteOptions = {
  /** Everything but the write. */
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  /** Default Strict. */
  readonly fieldValidation?: "Strict" | "Warn" | "Ignore";
  readonly signal?: AbortSignal;
};
export type ApplyOptions = WriteOptions & {
  readonly fieldManager: string;
  /** Take over fields that others manage. */
  readonly force?: boolean;
};
export type DeleteOptions = {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
};
export type Page<O> = {
  readonly items: readonly O[];
  readonly resourceVersion: string;
  /** For the next page; absent on the last one. */
  readonly continue?: string;
};
export type WatchEvent<O> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: O }
  /** An object with nothing but its kind and a resourceVersion. */
  | { readonly type: "BOOKMARK"; readonly object: O };
/** What may be left out of what is written: the gateway fills it in. */
export type Given = Readonly<Record<string, unknown>> & {
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly name?: string | undefined;
    readonly generateName?: string | undefined;
  };
};

const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
} as const;

/** The objects of one kind. All methods throw {ApiError} for a refusal, {TransportFailure} for none. */
export type Resource<O> = {
  /** Those of one namespace. */
  readonly in: (namespace: string) => Resource<O>;
  get(name: string, options?: Pick<ListOptions, "resourceVersion" | "signal">): Promise<O>;
  list(options?: ListOptions): Promise<Page<O>>;
  /** All of them, read page by page at one revision. */
  all(options?: Omit<ListOptions, "continue">): AsyncIterable<O>;
  /** One watch: it ends as the gateway ends it. An `ERROR` event throws its {ApiError}, such as Expired. */
  watch(options?: WatchOptions): AsyncIterable<WatchEvent<O>>;
  create(object: Given, options?: WriteOptions): Promise<O>;
  update(object: Given, options?: WriteOptions): Promise<O>;
  updateStatus(object: Given, options?: WriteOptions): Promise<O>;
  patch(
    name: string,
    patch: unknown,
    options: WriteOptions & { readonly type: keyof typeof patchTypes },
  ): Promise<O>;
  /** Server-side apply. */
  apply(object: Given, options: ApplyOptions): Promise<O>;
  /** @returns what was deleted, or is ending */
  delete(name: string, options?: DeleteOptions): Promise<unknown>;
  deleteCollection(options?: DeleteOptions & ListOptions): Promise<unknown>;
};

export type Client = {
  of<K extends Kind>(kind: K): Resource<ObjectOf<K>>;
  /** Any request, such as of a subresource; a refusal throws its {ApiError}. */
  request(request: ApiRequest): Promise<ApiResponse>;
};

export function clientOver(transport: Transport): Client {
  const request = async (asked: ApiRequest): Promise<ApiResponse> => {
    const response = await transport.send(asked);
    if (response.code < 400) return response;
    throw await refusalOf(response);
  };
  return {
    of: <K extends Kind>(kind: K) =>
      // As the gateway shows objects of the kind.
      resourceOf(request, kind, undefined) as Resource<ObjectOf<K>>,
    request,
  };
}

type Send = Client["request"];

function resourceOf(send: Send, kind: Kind, home: string | undefined): Resource<unknown> {
  const base = kind.group === "" ? `/api/${kind.version}` : `/apis/${apiVersionOf(kind)}`;
  const root =
    home === undefined || !kind.namespaced
      ? `${base}/${kind.plural}`
      : `${base}/namespaces/${encodeURIComponent(home)}/${kind.plural}`;
  const one = (name: string) => `${root}/${encodeURIComponent(name)}`;
  const named = ({ metadata }: Given) => one(metadata.name ?? "");
  const json = async (asked: ApiRequest): Promise<unknown> =>
    JSON.parse(await textOf(await send(asked)));
  const write = (
    method: "POST" | "PUT" | "PATCH",
    path: string,
    body: unknown,
    { signal, ...options }: WriteOptions & { readonly force?: boolean },
    type = "application/json",
  ): Promise<unknown> =>
    json({
      method,
      path: withQuery(path, { fieldValidation: "Strict", ...options, dryRun: dry(options) }),
      headers: { "content-type": type },
      body: JSON.stringify(body),
      ...signalled(signal),
    });
  const ofKind = (object: Given) => ({
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    ...object,
  });
  const list = async ({ signal, ...query }: ListOptions = {}): Promise<Page<unknown>> => {
    const path = withQuery(root, query);
    const listed = (await json({ method: "GET", path, ...signalled(signal) })) as Listed;
    const { resourceVersion, continue: next } = listed.metadata;
    return {
      items: listed.items ?? [],
      resourceVersion,
      ...(next !== undefined && next !== "" && { continue: next }),
    };
  };
  return {
    in: (namespace) => resourceOf(send, kind, namespace),
    get: (name, { signal, ...query } = {}) =>
      json({ method: "GET", path: withQuery(one(name), query), ...signalled(signal) }),
    list,
    async *all(options = {}) {
      let next: string | undefined;
      do {
        const page: Page<unknown> = await list({
          limit: 500,
          ...options,
          ...(next !== undefined && { continue: next }),
        });
        yield* page.items;
        next = page.continue;
      } while (next !== undefined);
    },
    async *watch({ signal, ...query } = {}) {
      const match =
        query.sendInitialEvents === true ? { resourceVersionMatch: "NotOlderThan" } : {};
      const path = withQuery(root, { ...query, ...match, watch: true });
      const { body } = await send({ method: "GET", path, ...signalled(signal) });
      for await (const line of linesOf(body)) yield eventIn(line);
    },
    create: (object, options = {}) => write("POST", root, ofKind(object), options),
    update: (object, options = {}) => write("PUT", named(object), ofKind(object), options),
    updateStatus: (object, options = {}) =>
      write("PUT", `${named(object)}/status`, ofKind(object), options),
    patch: (name, patch, { type, ...options }) =>
      write("PATCH", one(name), patch, options, patchTypes[type]),
    apply: (object, options) =>
      write("PATCH", named(object), ofKind(object), options, "application/apply-patch+yaml"),
    delete: (name, options = {}) => remove(json, one(name), options),
    deleteCollection: (options = {}) => remove(json, root, options),
  };
}

type Listed = {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly unknown[] | null;
};

function remove(
  json: (asked: ApiRequest) => Promise<unknown>,
  path: string,
  { signal, labelSelector, fieldSelector, dryRun, ...options }: DeleteOptions & ListOptions,
): Promise<unknown> {
  const asked = { ...options, ...(dryRun === true && { dryRun: ["All"] }) };
  return json({
    method: "DELETE",
    path: withQuery(path, { labelSelector, fieldSelector }),
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ apiVersion: "v1", kind: "DeleteOptions", ...asked }),
    ...signalled(signal),
  });
}

function eventIn(line: string): WatchEvent<unknown> {
  const event = JSON.parse(line) as
    | WatchEvent<unknown>
    | { type: "ERROR"; object: { code?: number } }; // As watches are.
  if (event.type !== "ERROR") return event;
  throw refusalIn(event.object.code ?? 500, event.object);
}

const dry = ({ dryRun }: Pick<WriteOptions, "dryRun">) => (dryRun === true ? "All" : undefined);
const signalled = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal });

function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | boolean | undefined>>,
): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] satisfies [string, string]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

async function textOf({ body }: ApiResponse): Promise<string> {
  return Buffer.concat(await Array.fromAsync(body)).toString("utf8");
}

async function refusalOf(response: ApiResponse): Promise<ApiError> {
  const text = await textOf(response);
  return refusalIn(response.code, jsonIn(text));
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Told in plain text, or by what stands before the gateway.
  }
}
