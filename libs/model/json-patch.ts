import { dequal } from "dequal";
import * as z from "zod";
import { ApiError } from "./errors.ts";

/** Kubernetes' bounds: of operations, and of what their copies add up to. */
const operationsMax = 10_000;
const copiedMaxBytes = 1_572_864;

const pointer = z.string().regex(/^(\/.*)?$/s);
const operations = z
  .array(
    z.discriminatedUnion("op", [
      z.object({ op: z.enum(["add", "replace", "test"]), path: pointer, value: z.unknown() }),
      z.object({ op: z.literal("remove"), path: pointer }),
      z.object({ op: z.enum(["move", "copy"]), path: pointer, from: pointer }),
    ]),
  )
  .max(operationsMax);
type Operation = z.output<typeof operations>[number];

/** An operation that does not apply to the document as it is. */
class DoesNotApply extends Error {
  override readonly name = "DoesNotApply";
}

/**
 * RFC 6902 on a copy of `target`. Only a document's own members are seen: `/toString/x` is missing.
 *
 * @throws {ApiError} BadRequest for what is no patch, Invalid when it cannot be applied,
 *   RequestEntityTooLarge when its copies add up to more than an object may hold
 */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  const parsed = operations.safeParse(patch);
  if (!parsed.success) throw new ApiError("BadRequest", "the body is not a valid JSON patch");
  let document: unknown = structuredClone(target);
  let copiedBytes = 0;
  for (const operation of parsed.data) {
    if (operation.op === "copy") {
      copiedBytes += JSON.stringify(at(document, stepsOf(operation.from)) ?? null).length;
      if (copiedBytes > copiedMaxBytes) {
        throw new ApiError("RequestEntityTooLarge", `limit is ${copiedMaxBytes}`);
      }
    }
    document = applied(document, operation);
  }
  return document;
}

function applied(document: unknown, operation: Operation): unknown {
  try {
    return run(document, operation);
  } catch (error) {
    if (!(error instanceof DoesNotApply)) throw error;
    throw new ApiError(
      "Invalid",
      "the server rejected our request due to an error in our request",
      // Of no kind and name, as in Kubernetes: clients show the message then.
      { kind: "", name: "", causes: [] },
      { cause: error },
    );
  }
}

function run(document: unknown, operation: Operation): unknown {
  const steps = stepsOf(operation.path);
  switch (operation.op) {
    case "add":
      return added(document, steps, structuredClone(operation.value));
    case "replace":
      present(document, steps);
      return replaced(document, steps, structuredClone(operation.value));
    case "test":
      if (dequal(at(document, steps) ?? null, operation.value ?? null)) return document;
      throw new DoesNotApply("the value is another one");
    case "remove":
      return removed(document, steps);
    case "copy":
      return added(document, steps, structuredClone(present(document, stepsOf(operation.from))));
    case "move": {
      const from = stepsOf(operation.from);
      const value = present(document, from);
      if (operation.path === operation.from) return document;
      if (operation.path.startsWith(`${operation.from}/`)) {
        throw new DoesNotApply("nothing moves into itself");
      }
      return added(removed(document, from), steps, value);
    }
    default:
      return operation satisfies never;
  }
}

type Steps = readonly string[];

const stepsOf = (path: string): Steps =>
  path
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));

/** undefined: there is nothing; JSON has no such value. */
function at(document: unknown, steps: Steps): unknown {
  return steps.reduce<unknown>((holder, step) => {
    if (Array.isArray(holder)) return holder[/^(0|[1-9]\d*)$/.test(step) ? Number(step) : -1];
    if (typeof holder !== "object" || holder === null) return undefined;
    return Object.hasOwn(holder, step) ? (holder as Record<string, unknown>)[step] : undefined; // Its own member.
  }, document);
}

function present(document: unknown, steps: Steps): unknown {
  const value = at(document, steps);
  if (value === undefined) throw new DoesNotApply("there is no such member");
  return value;
}

/** What holds the member that `steps` leads to, and the member's name there. */
function holderOf(document: unknown, steps: Steps): readonly [Holder, string] {
  const holder = at(document, steps.slice(0, -1));
  const name = steps.at(-1) ?? "";
  if (typeof holder !== "object" || holder === null) {
    throw new DoesNotApply("there is no object or list that could hold it");
  }
  if (name === "__proto__") throw new DoesNotApply("it is no name of a member");
  return [holder as Holder, name]; // Of JSON, one or the other; made by `structuredClone`, ours to change.
}
type Holder = Record<string, unknown> | unknown[];

function added(document: unknown, steps: Steps, value: unknown): unknown {
  if (steps.length === 0) return value;
  const [holder, name] = holderOf(document, steps);
  if (Array.isArray(holder))
    holder.splice(name === "-" ? holder.length : indexIn(holder, name), 0, value);
  else holder[name] = value;
  return document;
}

function replaced(document: unknown, steps: Steps, value: unknown): unknown {
  if (steps.length === 0) return value;
  const [holder, name] = holderOf(document, steps);
  if (Array.isArray(holder)) holder[indexIn(holder, name)] = value;
  else holder[name] = value;
  return document;
}

function removed(document: unknown, steps: Steps): unknown {
  present(document, steps);
  if (steps.length === 0) return null;
  const [holder, name] = holderOf(document, steps);
  if (Array.isArray(holder)) holder.splice(indexIn(holder, name), 1);
  else delete holder[name];
  return document;
}

/** The place before an item, or at the end. */
function indexIn(list: readonly unknown[], step: string): number {
  const index = /^(0|[1-9]\d{0,8})$/.test(step) ? Number(step) : Number.NaN;
  if (!(index <= list.length)) throw new DoesNotApply("the index is outside the list");
  return index;
}
