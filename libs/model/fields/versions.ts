/** What a kind says of its objects' versions, its subresources' fields, and of objects with nothing in them. */
import { apiVersionOf, type Kind } from "../kind.ts";
import { type FieldSet, intersection, nodeOf, setOfPaths, union } from "./field-set.ts";
import type { FieldType } from "./field-type.ts";
import type { Filter, Versions } from "./manage.ts";
import { kindIn, typeOfKind } from "./shape-type.ts";

/** The versions that objects of `kind` are served in. */
export function versionsOf(kind: Kind): Versions {
  return {
    typeIn(apiVersion) {
      const served = kindIn(kind, apiVersion);
      return served === undefined ? undefined : typeOfKind(served);
    },
    convert(object, from, to) {
      const stored = kindIn(kind, from)?.stored?.toStorage(object) ?? object;
      return kindIn(kind, to)?.stored?.fromStorage(stored) ?? stored;
    },
  };
}

/** Which fields a write through a subresource (empty: the object itself) may come to manage. */
export function filterOf(kind: Kind, subresource: string): Filter {
  switch (subresource) {
    case "status":
      return (set) => only(set, (element) => element === "f:status");
    case "scale":
      return (set) => intersection(set, replicasOf(kind));
    case "ephemeralcontainers":
      return (set) => below(set, ["f:spec", "f:ephemeralContainers"]);
    case "resize":
      return (set) => sizes.map((path) => below(set, path)).reduce(union);
    default:
      return kind.subresources.includes("status")
        ? (set) => only(set, (element) => element !== "f:status")
        : (set) => set;
  }
}

/** What a scale sets: of a custom resource wherever its definition says. */
function replicasOf({ custom }: Kind): FieldSet {
  const path = custom?.scale?.specReplicasPath ?? ".spec.replicas";
  const steps = path.replace(/^\./, "").split(".");
  return setOfPaths(steps.map((step) => `f:${step}`));
}

const sizes = ["f:containers", "f:initContainers"].flatMap((list) =>
  ["f:resources", "f:resizePolicy"].map((field) => ["f:spec", list, "*", field]),
);

/** What lies at a path and below; `*` is any step. */
const below = (set: FieldSet, [step, ...rest]: readonly string[]): FieldSet =>
  step === undefined
    ? set
    : nodeOf(
        [...set.children]
          .filter(([element]) => step === "*" || element === step)
          .map(([element, node]) => [element, below(node, rest)]),
      );

const only = (set: FieldSet, wanted: (element: string) => boolean): FieldSet =>
  nodeOf([...set.children].filter(([element]) => wanted(element)));

/** An object of `kind` in which there is nothing yet: what every object has, and nothing in it. */
export function emptyObjectOf(kind: Kind): unknown {
  const known = empties.get(kind.schema) ?? bareOf(typeOfKind(kind));
  empties.set(kind.schema, known);
  const head = { apiVersion: apiVersionOf(kind), kind: kind.kind };
  return { ...(known as object), ...head }; // Of an object's type it is one.
}

const empties = new WeakMap<object, unknown>();

function bareOf(type: FieldType): unknown {
  if (type.type === "list") return null;
  if (type.type !== "object" || type.atomic || type.values !== undefined) return undefined;
  const members = [...type.fields].flatMap(([name, member]): [string, unknown][] => {
    if (member.always !== true) return [];
    const value = bareOf(member.type());
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(members);
}
