import {
  type FieldType,
  isObject,
  type JsonObject,
  type ListType,
  type ObjectType,
  untyped,
} from "./field-type.ts";
import { fieldElement, itemElement, shownElement } from "./path-element.ts";

/** So many are told. */
const faultsMax = 100;

/** What is wrong with a configuration that is to be applied, each with its path; Kubernetes' words. */
export function faultsIn(type: FieldType, value: unknown): readonly string[] {
  const faults: string[] = [];
  visit(type, value, "", faults);
  return faults;
}

function visit(known: FieldType, value: unknown, path: string, faults: string[]): void {
  if (value === null || value === undefined || faults.length >= faultsMax) return;
  const say = (message: string) => faults.push(path === "" ? message : `${path}: ${message}`);
  switch (known.type) {
    case "untyped":
      return;
    case "scalar": {
      const wrong = known.holds !== "any" && typeof value !== known.holds;
      if (wrong || typeof value === "object")
        say(`expected ${namesOf[known.holds]}, got ${shown(value)}`);
      return;
    }
    case "list":
      if (Array.isArray(value)) visitItems(known, value, path, faults);
      else say(`expected list, got ${shown(value)}`);
      return;
    case "object":
      if (isObject(value)) visitMembers(known, value, path, faults);
      else say(`expected map, got ${shown(value)}`);
      return;
    default:
      known satisfies never;
  }
}

const namesOf = {
  string: "string",
  number: "numeric (int or float)",
  boolean: "boolean",
  any: "any scalar",
} as const;

/** Its type: what it holds may be a Secret's. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "map" : typeof value;
}

function visitMembers(type: ObjectType, value: JsonObject, path: string, faults: string[]): void {
  for (const [name, member] of Object.entries(value)) {
    const known = type.fields.get(name)?.type ?? type.values;
    const where = `${path}${shownElement(fieldElement(name))}`;
    if (known !== undefined) visit(known(), member, where, faults);
    else faults.push(`${where}: field not declared in schema`);
  }
}

function visitItems(
  type: ListType,
  items: readonly unknown[],
  path: string,
  faults: string[],
): void {
  const seen = new Set<string>();
  const say = (message: string) => faults.push(path === "" ? message : `${path}: ${message}`);
  for (const [nth, item] of items.entries()) {
    if (type.relation === "atomic") {
      visit(type.items(), item, `${path}[${nth}]`, faults);
      continue;
    }
    const found = itemElement(type, item);
    if ("fault" in found) {
      say(`element ${nth}: ${found.fault}`);
      return;
    }
    const step = shownElement(found.element);
    if (seen.has(found.element)) say(`duplicate entries for key ${step}`);
    seen.add(found.element);
    visit(type.relation === "set" ? untyped : type.items(), item, `${path}${step}`, faults);
  }
}
