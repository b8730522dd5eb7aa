/** The gateway's verbs as NATS requests: `berth.api.{apply,get,list,delete,parked}`, JSON replies. */
import * as z from "zod";
import type { Message } from "../../../libs/bus/bus.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { apiSubject, type ApiVerb } from "../../../libs/protocol/subjects.ts";
import { overNats } from "../auth/user.ts";
import { bodyMaxBytes } from "../http/body.ts";
import { parseText, textOf } from "../http/text.ts";
import { selectsOf } from "../http/query.ts";
import { refusalOf } from "../http/server.ts";
import type { Target } from "../resources/backend.ts";
import { deleteObject, deleteOptions } from "../resources/delete.ts";
import type { Gateway } from "../resources/gateway.ts";
import { listObjects, readObject } from "../resources/read.ts";
import { refusalAbout } from "../resources/refusal.ts";
import { asServed } from "../resources/versions.ts";
import { documentsOf } from "./apply.ts";
import type { Parked } from "./parked.ts";
import { applyAll } from "./results.ts";

type Verb = (
  gateway: Gateway,
  data: Uint8Array,
  parked: Parked,
) => Promise<Record<string, unknown>>;

const queue = "api";

/** Serves the verbs until disposed; instances share the requests. */
export async function serveVerbs(gateway: Gateway, parked: Parked): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  for (const [verb, run] of Object.entries(verbs)) {
    const handler = ({ data }: Message) =>
      answer(gateway, async () => run(gateway, bounded(data), parked));
    // `verbs` is keyed by them.
    stack.use(await gateway.bus.serve(apiSubject(verb as ApiVerb), handler, { queue }));
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

const where = z.object({
  /** `Deployment`, `deployments`, `deploy`, or with its group, `deployments.apps`. */
  kind: z.string(),
  apiVersion: z.string().optional(),
  namespace: z.string().default("default"),
});
const named = where.extend({ name: z.string() });
const listing = where.extend({
  /** Absent: all namespaces. */
  namespace: z.string().optional(),
  labelSelector: z.string().optional(),
  fieldSelector: z.string().optional(),
  limit: z.int().min(1).optional(),
  continue: z.string().optional(),
});
const deletion = named.extend({ options: deleteOptions.optional() });

const verbs: Readonly<Record<ApiVerb, Verb>> = {
  async apply(gateway, data) {
    const results = await applyAll(gateway, documentsOf(data));
    return { ok: results.every(({ ok }) => ok), results };
  },
  async get(gateway, data) {
    const { kind, namespace, name } = asked(gateway.kinds, named, data);
    const target = { kind, namespace: kind.namespaced ? namespace : undefined, name };
    const object = await told(target, readObject(gateway.backendFor(kind), target, undefined));
    return { ok: true, object: asServed(kind, object) };
  },
  async list(gateway, data) {
    const { kind, namespace, limit, ...query } = asked(gateway.kinds, listing, data);
    const selectors = new URLSearchParams({
      labelSelector: query.labelSelector ?? "",
      fieldSelector: query.fieldSelector ?? "",
    });
    const target = { kind, namespace: kind.namespaced ? namespace : undefined };
    const listed = await listObjects(gateway.backendFor(kind), target, {
      selects: selectsOf(selectors, kind),
      limit: limit ?? 500,
      continue: query.continue,
    });
    return {
      ok: true,
      resourceVersion: String(listed.revision),
      continue: listed.continue,
      items: listed.objects.map((object) => asServed(kind, object)),
    };
  },
  async delete(gateway, data) {
    const { kind, namespace, name, options } = asked(gateway.kinds, deletion, data);
    const target = { kind, namespace: kind.namespaced ? namespace : undefined, name };
    const deleting = deleteObject(gateway, target, options ?? {}, overNats);
    const { object, gone } = await told(target, deleting);
    return { ok: true, gone, object: asServed(kind, object) };
  },
  async parked(_gateway, _data, parked) {
    return { ok: true, parked: await parked.list() };
  },
};

/** @throws {ApiError} that says what it is about */
async function told<T>({ kind, name }: Target, attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    throw error instanceof ApiError ? refusalAbout(error, kind, name) : error;
  }
}

/** @throws {ApiError} BadRequest */
function asked<S extends z.ZodType<{ kind: string; apiVersion?: string | undefined }>>(
  kinds: readonly Kind[],
  schema: S,
  data: Uint8Array,
): Omit<z.output<S>, "kind"> & { readonly kind: Kind } {
  const parsed = schema.safeParse(parseText(textOf(data), "yaml"));
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    throw new ApiError("BadRequest", `the request is not understood: ${fields.join("; ")}`);
  }
  return { ...parsed.data, kind: kindNamed(kinds, parsed.data) };
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
