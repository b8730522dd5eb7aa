/** A custom resource without what its schema does not know. */
import type { Path } from "../conform.ts";
import type { JsonSchema } from "../extensions/json-schema.ts";
import { isRecord, type JsonRecord, own } from "./record.ts";

/** Kubernetes' own bound of what a strict decoder reports. */
const unknownMax = 100;

/** What every object, and every embedded one, has beside its declared fields. */
const head: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/**
 * `value` without unknown members, and their paths; what holds none is returned as it is.
 *
 * @param resource it is an object of its own, with apiVersion, kind and metadata
 */
export function prune(
  schema: JsonSchema,
  value: unknown,
  resource: boolean,
): { readonly value: unknown; readonly unknown: readonly Path[] } {
  const unknown: Path[] = [];
  return { value: visit({ unknown }, schema, value, resource, []), unknown };
}

type Walk = { readonly unknown: Path[] };

function visit(
  walk: Walk,
  schema: JsonSchema,
  value: unknown,
  resource: boolean,
  path: Path,
): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined || Array.isArray(items)) return value;
    const embedded = items["x-kubernetes-embedded-resource"] === true;
    return kept(
      value,
      value.map((item, at) => visit(walk, items, item, embedded, [...path, at])),
    );
  }
  return isRecord(value) ? visitMembers(walk, schema, value, resource, path) : value;
}

function kept(before: readonly unknown[], after: readonly unknown[]): readonly unknown[] {
  return after.every((item, at) => item === before[at]) ? before : after;
}

function visitMembers(
  walk: Walk,
  schema: JsonSchema,
  value: JsonRecord,
  resource: boolean,
  path: Path,
): unknown {
  let changed = false;
  const entries = Object.entries(value).flatMap(
    ([name, member]): (readonly [string, unknown])[] => {
      const known = memberOf(schema, name);
      if (resource && head.has(name)) return [[name, member]];
      if (known === undefined) {
        changed = true;
        if (walk.unknown.length < unknownMax) walk.unknown.push([...path, name]);
        return [];
      }
      if (known === "any") return [[name, member]];
      const embedded = known["x-kubernetes-embedded-resource"] === true;
      const pruned = visit(walk, known, member, embedded, [...path, name]);
      changed ||= pruned !== member;
      return [[name, pruned]];
    },
  );
  return changed ? Object.fromEntries(entries) : value;
}

/** A member's schema; `any` where members are kept whatever they hold; undefined: it is not known. */
function memberOf(schema: JsonSchema, name: string): JsonSchema | "any" | undefined {
  const declared = own(schema.properties, name);
  if (declared !== undefined) return declared;
  if (typeof schema.additionalProperties === "object") return schema.additionalProperties;
  const open =
    schema.additionalProperties === true || schema["x-kubernetes-preserve-unknown-fields"] === true;
  return open ? "any" : undefined;
}
