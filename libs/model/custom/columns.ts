/** `additionalPrinterColumns`: what `kubectl get` shows of a custom resource. */
import type { CustomResourceVersion } from "../kinds/customresourcedefinition.ts";
import type { Column } from "../kind.ts";
import { ageOf } from "../time.ts";
import { type JsonPath, parseJsonPath } from "./json-path.ts";
import { isRecord } from "./record.ts";

type Given = NonNullable<CustomResourceVersion["additionalPrinterColumns"]>[number];

const age: Given = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Time since the object was made.",
};

/** The name, then what the version asks for; the age where it asks for nothing. */
export function columnsOf(given: readonly Given[] | undefined): readonly Column<unknown>[] {
  return [nameColumn, ...(given ?? [age]).map(columnOf)];
}

const nameColumn: Column<unknown> = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name must be unique within a namespace.",
  read: (object) => (object as { metadata: { name: string } }).metadata.name, // Every object has it.
};

function columnOf({ name, type, format, description, priority, jsonPath }: Given): Column<unknown> {
  const path = parseJsonPath(jsonPath);
  const find: JsonPath = typeof path === "string" ? () => [] : path;
  return {
    name,
    type: isColumnType(type) ? type : "string",
    ...(format !== undefined && { format }),
    ...(description !== undefined && { description }),
    priority: priority ?? 0,
    read: (object, now) => cellOf(type, find(object), now),
  };
}

const isColumnType = (type: string): type is Column<unknown>["type"] =>
  ["string", "integer", "number", "boolean", "date"].includes(type);

function cellOf(
  type: string,
  found: readonly unknown[],
  now: number,
): string | number | boolean | null {
  const [first] = found;
  if (first === undefined || first === null) return null;
  switch (type) {
    case "integer":
      return typeof first === "number" ? Math.trunc(first) : null;
    case "number":
      return typeof first === "number" ? first : null;
    case "boolean":
      return typeof first === "boolean" ? first : null;
    case "date":
      if (typeof first !== "string") return null;
      return Number.isNaN(Date.parse(first)) ? "<invalid>" : ageOf(first, now);
    default:
      return found.map(textOf).join(" ");
  }
}

const textOf = (value: unknown): string =>
  isRecord(value) || Array.isArray(value) ? JSON.stringify(value) : String(value);
