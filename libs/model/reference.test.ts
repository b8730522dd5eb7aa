/**
 * Every kind beside Kubernetes' own declarations of it: fields, their numbers, types, list types, keys
 * that lists are merged by, what is required, defaults. `scripts/reference` makes the fixture.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { apiVersionOf } from "./kind.ts";
import { defaults, exceptions, unserved } from "./reference-exceptions.ts";
import { kinds } from "./registry.ts";
import { type Field, type Shape, shapeOf } from "./shape.ts";

type Facts = {
  readonly kinds: Readonly<Record<string, string>>;
  readonly messages: Readonly<Record<string, Readonly<Record<string, string>>>>;
};
const path = new URL("../../test/fixtures/kubernetes-types.json", import.meta.url);
const facts = JSON.parse(readFileSync(path, "utf8")) as Facts; // Written by the script.
const whole = new Set(Object.values(facts.kinds));
const allowed = new Map(exceptions.flatMap(({ fields }) => fields.map((one) => [one, false])));

const inAllVersions = kinds.flatMap((kind) => [kind, ...kind.versions]);
const named = inAllVersions.map((kind) => ({ name: `${apiVersionOf(kind)}/${kind.kind}`, kind }));

describe.each(named)("$name", ({ name, kind }) => {
  test("is as Kubernetes declares it", () => {
    const found = [
      ...new Set(differences(facts.kinds[name] ?? "", shapeOf(kind.schema), new Set())),
    ];
    for (const one of found) if (allowed.has(one)) allowed.set(one, true);
    expect(found.filter((one) => !allowed.has(one))).toEqual([]);
  });
});

test("every kind of Kubernetes' stable groups is served, but for those with a reason", () => {
  const served = new Set(named.map(({ name }) => name));
  expect(Object.keys(facts.kinds).filter((name) => !served.has(name))).toEqual(
    Object.keys(unserved),
  );
});

test("there is an object behind every exception", () => {
  expect([...allowed].filter(([, used]) => !used).map(([field]) => field)).toEqual([]);
});

/** Each as `core.v1.PodSpec.hostname: what`. */
function differences(title: string, shape: Shape, seen: Set<string>): readonly string[] {
  if (shape.type === "list") return differences(title.replace(/\[\]$/, ""), shape.items, seen);
  if (shape.type === "map") return differences(title.replace(/\{\}$/, ""), shape.values, seen);
  if (shape.type === "either") {
    const [first] = shape.options;
    return first === undefined ? [] : differences(title.replace(/^\(|\|.*$/g, ""), first, seen);
  }
  const theirs = facts.messages[title];
  if (shape.type !== "object") return [];
  if (theirs === undefined) return [`${title}: no such message`];
  if (seen.has(title)) return [];
  seen.add(title);
  const isWhole = whole.has(title);
  const fields = shape.fields.filter(({ name }) => !isWhole || !typeMeta.has(name));
  const ours = new Set(fields.map(({ name }) => name));
  return [
    ...Object.keys(theirs).flatMap((name) => (ours.has(name) ? [] : [`${title}.${name}: missing`])),
    ...fields.flatMap((field) => {
      const fact = theirs[field.name];
      if (fact === undefined) return [`${title}.${field.name}: unknown to Kubernetes`];
      const [, type = ""] = fact.split(" ");
      return [
        ...fieldDifferences(`${title}.${field.name}`, field, fact),
        ...differences(type, field.shape, seen),
      ];
    }),
  ];
}

const typeMeta = new Set(["apiVersion", "kind"]);

function fieldDifferences(at: string, field: Field, fact: string): readonly string[] {
  const [proto = "", type = "", ...rest] = fact.split(" ");
  const said = new Map(rest.map((part) => part.split("=") as [string, string]));
  const { meta } = field.shape;
  const pairs = [
    ["number", [meta.proto].flat().join("."), proto],
    ["type", typeOf(field.shape), type],
    ["list", meta["x-kubernetes-list-type"], said.get("list")],
    ["keys", meta["x-kubernetes-list-map-keys"]?.join(","), said.get("keys")],
    ["merge key", meta["x-kubernetes-patch-merge-key"], said.get("merge")],
    ["strategy", meta["x-kubernetes-patch-strategy"], said.get("strategy")],
    ["map", meta["x-kubernetes-map-type"], said.get("map")],
    ["default", field.default, defaults[at] ?? literal(said.get("default"))],
  ] as const;
  const wrong = pairs
    .filter(([, ours, theirs]) => ours !== theirs && !isZero(ours, theirs))
    .map(([what, ours, theirs]) => `${at}: ${what} is ${ours}, not ${theirs}`);
  const needed = said.has("required");
  return [
    ...wrong,
    ...(field.required && !needed && !isPartOfWhole(at) ? [`${at}: is required`] : []),
    ...(!field.required && needed && !field.filled ? [`${at}: is not required`] : []),
  ];
}

/** Kubernetes reads a zero and nothing as the same. */
const isZero = (ours: unknown, theirs: unknown) =>
  theirs === undefined && (ours === 0 || ours === "" || ours === false);

/** An object has metadata and a spec: without them its validation fails. */
const isPartOfWhole = (at: string) =>
  /\.(metadata|spec)$/.test(at) && whole.has(at.replace(/\.\w+$/, ""));

const literal = (text: string | undefined): unknown =>
  text === undefined ? undefined : JSON.parse(text);

function typeOf(shape: Shape): string {
  const { format, title } = shape.meta;
  if (shape.type === "list") return `${typeOf(shape.items)}[]`;
  if (shape.type === "map") {
    const values = typeOf(shape.values);
    return values.includes("|") ? `(${values}){}` : `${values}{}`;
  }
  if (shape.type === "either") return shape.options.map(typeOf).join("|");
  if (shape.type === "object") return title ?? "untitled";
  if (typeof format !== "string") return shape.type;
  return format === "date-time" ? "time" : format;
}
