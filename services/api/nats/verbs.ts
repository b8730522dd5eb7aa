/**
 * The gateway's verbs as NATS requests, `berth.api.<verb>`, for programs that speak nothing but NATS.
 * A request says what it is about in JSON or YAML; it becomes the request of the Kubernetes API that
 * says the same, and is answered by the same routes: `{ ok: true, object }` or `{ ok: false, status }`.
 */
import * as z from "zod";
import type { Message } from "../../../libs/bus/bus.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { apiSubject, type ApiVerb } from "../../../libs/protocol/subjects.ts";
import { bodyMaxBytes } from "../http/body.ts";
import { rootsOf } from "../http/resource-routes.ts";
import { refusalOf } from "../http/server.ts";
import { parseText, textOf } from "../http/text.ts";
import { deleteOptions } from "../resources/delete.ts";
import type { Gateway } from "../resources/gateway.ts";
import { applyAsIn, type HeaderOf, managerIn } from "./apply-options.ts";
import { type Answer, ask, type Asked, type Dispatch } from "./dispatch.ts";
import { applyManifest } from "./manifest.ts";
import type { Parked } from "./parked.ts";
import { type DeliveredWatch, deliverWatches } from "./watches.ts";

type Serving = {
  readonly gateway: Gateway;
  readonly dispatch: Dispatch;
  readonly parked: Parked;
  readonly watches: DeliveredWatch;
};
type Verb = (
  serving: Serving,
  data: Uint8Array,
  header: HeaderOf,
) => Promise<Record<string, unknown>>;

const queue = "api";

/** Serves the verbs until disposed; instances share the requests. */
export async function serveVerbs(
  gateway: Gateway,
  { dispatch, parked }: Pick<Serving, "dispatch" | "parked">,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const { bus, ports } = gateway;
  const watches = stack.use(
    deliverWatches({ bus, dispatch, clock: ports.clock, log: gateway.log }),
  );
  const serving = { gateway, dispatch, parked, watches };
  for (const [verb, run] of Object.entries(verbs)) {
    const handler = ({ data, header }: Message) =>
      answer(gateway, () => run(serving, bounded(data), header));
    // `verbs` is keyed by them.
    stack.use(await bus.serve(apiSubject(verb as ApiVerb), handler, { queue }));
  }
  return stack.move();
}

async function answer(
  gateway: Gateway,
  run: () => Promise<Record<string, unknown>>,
): Promise<Uint8Array> {
  const attempt = async () => {
    try {
      return await run();
    } catch (error) {
      return { ok: false, status: refusalOf(error, gateway.log).toStatus() };
    }
  };
  return new TextEncoder().encode(JSON.stringify(await attempt()));
}

const what = {
  /** `Deployment`, `deployments`, `deploy`, or with its group, `deployments.apps`. */
  kind: z.string(),
  apiVersion: z.string().optional(),
};
const where = z.object({ ...what, namespace: z.string().default("default") });
const subresource = z.enum([
  "status",
  "scale",
  "eviction",
  "binding",
  "explain",
  "token",
  "approval",
]);
const named = where.extend({ name: z.string().min(1), subresource: subresource.optional() });
const selecting = {
  labelSelector: z.string().optional(),
  fieldSelector: z.string().optional(),
  resourceVersion: z.string().optional(),
};
const listing = z.object({
  ...what,
  ...selecting,
  /** Absent: all namespaces. */
  namespace: z.string().optional(),
  limit: z.int().min(1).default(500),
  continue: z.string().optional(),
});
const watching = z.object({
  ...what,
  ...selecting,
  namespace: z.string().optional(),
  /** Where the events go: a subject that the asker listens on. */
  deliver: z.string().regex(/^(?!berth\.|\$)[^\s*>]{1,200}$/, "no subject of one's own"),
  timeoutSeconds: z.int().min(1).optional(),
});
const writing = {
  dryRun: z.boolean().default(false),
  fieldManager: z.string().default("berth-nats"),
  fieldValidation: z.enum(["Strict", "Warn", "Ignore"]).default("Strict"),
};
const object = z.looseObject({ apiVersion: z.string().optional(), kind: z.string() });
const sending = z.object({
  object,
  subresource: subresource.optional(),
  ...writing,
});
const patching = named.extend({
  /** An object, or JSON patch's list. */
  patch: z.union([z.looseObject({}), z.array(z.looseObject({}))]),
  type: z.enum(["merge", "json", "strategic", "apply"]).default("merge"),
  /** Of an apply: take over what others manage. */
  force: z.boolean().default(false),
  ...writing,
});
const deleting = named.extend({ options: deleteOptions.optional() });
const clearing = listing
  .pick({ kind: true, apiVersion: true, labelSelector: true, fieldSelector: true })
  .extend({
    namespace: z.string().default("default"),
    options: deleteOptions.optional(),
  });

const verbs: Readonly<Record<ApiVerb, Verb>> = {
  async apply({ gateway }, data, header) {
    const as = applyAsIn(header, managerIn(header));
    const claimant = { by: "request" } as const;
    return applyManifest(gateway, data, as, { claimant, progress: () => undefined });
  },
  async get({ gateway, dispatch }, data) {
    const { kind, ...asked } = understood(gateway, named, data);
    return shown(await ask(dispatch, { method: "GET", path: one(kind, asked) }));
  },
  async list({ gateway, dispatch }, data) {
    const {
      kind,
      apiVersion: _apiVersion,
      namespace,
      ...query
    } = understood(gateway, listing, data);
    const answer = await ask(dispatch, { method: "GET", path: all(kind, namespace), query });
    if (!answer.ok) return answer;
    const { metadata, items } = answer.object as Listed;
    return {
      ok: true,
      resourceVersion: metadata.resourceVersion,
      continue: metadata.continue,
      items,
    };
  },
  create: ({ gateway, dispatch }, data) => {
    const { kind, namespace, name, sent } = sentIn(gateway, data);
    const root = all(kind, namespace ?? "default");
    const path = sent.subresource === undefined ? root : `${root}/${name}/${sent.subresource}`;
    return written(dispatch, { method: "POST", path, body: sent.object }, sent);
  },
  update: ({ gateway, dispatch }, data) => {
    const { kind, namespace = "default", name, sent } = sentIn(gateway, data);
    const path = one(kind, { namespace, name, subresource: sent.subresource });
    return written(dispatch, { method: "PUT", path, body: sent.object }, sent);
  },
  patch: ({ gateway, dispatch }, data) => {
    const { kind, patch, type, force, ...asked } = understood(gateway, patching, data);
    const query = type === "apply" ? { force } : {};
    const path = one(kind, asked);
    return written(
      dispatch,
      { method: "PATCH", path, query, type: patchTypes[type], body: patch },
      asked,
    );
  },
  async delete({ gateway, dispatch }, data) {
    const { kind, options = {}, ...asked } = understood(gateway, deleting, data);
    const answer = await ask(dispatch, { method: "DELETE", path: one(kind, asked), body: options });
    return answer.ok ? { ...answer, gone: isStatus(answer.object) } : answer;
  },
  async deletecollection({ gateway, dispatch }, data) {
    const {
      kind,
      options = {},
      namespace,
      labelSelector,
      fieldSelector,
    } = understood(gateway, clearing, data);
    const query = { labelSelector, fieldSelector };
    const asked: Asked = { method: "DELETE", path: all(kind, namespace), query, body: options };
    return shown(await ask(dispatch, asked));
  },
  async watch({ gateway, watches }, data) {
    const {
      kind,
      namespace,
      deliver,
      apiVersion: _apiVersion,
      ...query
    } = understood(gateway, watching, data);
    return watches.begin({ path: all(kind, namespace), query, deliver });
  },
  async parked({ parked }) {
    return { ok: true, parked: await parked.list() };
  },
};

type Listed = {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly unknown[];
};

const patchTypes = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

async function written(
  dispatch: Dispatch,
  asked: Asked,
  options: {
    readonly dryRun: boolean;
    readonly fieldManager: string;
    readonly fieldValidation: string;
  },
): Promise<Record<string, unknown>> {
  const { dryRun, fieldManager, fieldValidation } = options;
  const query = {
    ...asked.query,
    fieldManager,
    fieldValidation,
    dryRun: dryRun ? "All" : undefined,
  };
  return shown(await ask(dispatch, { ...asked, query }));
}

const shown = (answer: Answer): Record<string, unknown> => ({ ...answer });
const isStatus = (value: unknown) => (value as { kind?: unknown } | null)?.kind === "Status"; // Looked at with care.

/** Where the objects of a kind are, in one namespace or in all. */
function all(kind: Kind, namespace: string | undefined): string {
  const { all, own } = rootsOf(kind);
  if (namespace === undefined || !kind.namespaced) return all;
  return own.replace(":namespace", encodeURIComponent(namespace));
}

function one(
  kind: Kind,
  {
    namespace,
    name,
    subresource,
  }: {
    readonly namespace: string;
    readonly name: string;
    readonly subresource?: string | undefined;
  },
): string {
  const path = `${all(kind, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** What a create or an update sends, and where it belongs. @throws {ApiError} BadRequest, NotFound */
function sentIn(gateway: Gateway, data: Uint8Array) {
  const sent = parsed(sending, data);
  const { apiVersion, kind } = sent.object;
  const metadata = (sent.object["metadata"] ?? {}) as { name?: unknown; namespace?: unknown }; // Looked at with care.
  const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
  return {
    kind: kindNamed(gateway.kinds, { kind, apiVersion }),
    namespace: text(metadata.namespace),
    name: text(metadata.name) ?? "",
    sent,
  };
}

function understood<S extends z.ZodType<{ kind: string; apiVersion?: string | undefined }>>(
  gateway: Gateway,
  schema: S,
  data: Uint8Array,
): Omit<z.output<S>, "kind"> & { readonly kind: Kind } {
  const asked = parsed(schema, data);
  return { ...asked, kind: kindNamed(gateway.kinds, asked) };
}

/** @throws {ApiError} BadRequest */
function parsed<S extends z.ZodType>(schema: S, data: Uint8Array): z.output<S> {
  const read = schema.safeParse(parseText(textOf(data), "yaml"));
  if (read.success) return read.data;
  const fields = read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new ApiError("BadRequest", `the request is not understood: ${fields.join("; ")}`);
}

function kindNamed(
  kinds: readonly Kind[],
  { kind, apiVersion }: { readonly kind: string; readonly apiVersion?: string | undefined },
): Kind {
  const [plain = "", ...group] = kind.split(".");
  const wanted = plain.toLowerCase();
  const found = kinds.find(
    (one) =>
      [one.plural, one.singular, one.kind.toLowerCase(), ...one.short].includes(wanted) &&
      (group.length === 0 || one.group === group.join(".")) &&
      (apiVersion === undefined ||
        apiVersion === (one.group === "" ? one.version : `${one.group}/${one.version}`)),
  );
  if (found !== undefined) return found;
  throw new ApiError("NotFound", `the server doesn't have a resource type "${kind}"`);
}

/** What one request may ask: some objects, each of its own limit. */
const requestMaxBytes = 4 * bodyMaxBytes;

/** @throws {ApiError} RequestEntityTooLarge */
function bounded(data: Uint8Array): Uint8Array {
  if (data.byteLength <= requestMaxBytes) return data;
  throw new ApiError(
    "RequestEntityTooLarge",
    `Request entity too large: limit is ${requestMaxBytes}`,
  );
}
