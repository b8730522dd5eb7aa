import { describe, expect, test } from "vitest";
import { kindNamed, kinds, kindServing, kindsIn } from "./registry.ts";
import { type Shape, shapeOf } from "./shape.ts";

type Message = { readonly at: string; readonly shape: Extract<Shape, { readonly type: "object" }> };

/** Every message of a kind's schema, its own among them. */
function messagesIn(at: string, shape: Shape, outer: readonly unknown[] = []): readonly Message[] {
  if (shape.type === "list") return messagesIn(`${at}[]`, shape.items, outer);
  if (shape.type === "map") return messagesIn(`${at}{}`, shape.values, outer);
  if (shape.type === "either") return shape.options.flatMap((one) => messagesIn(at, one, outer));
  if (shape.type !== "object" || outer.includes(shape.fields)) return []; // Or it holds itself.
  const inner = shape.fields.flatMap((field) =>
    messagesIn(`${at}.${field.name}`, field.shape, [...outer, shape.fields]),
  );
  return [{ at, shape }, ...inner];
}

const mergeKeysOf = ({ meta }: Shape): readonly string[] => {
  const key = meta["x-kubernetes-patch-merge-key"];
  return [...(meta["x-kubernetes-list-map-keys"] ?? []), ...(key === undefined ? [] : [key])];
};

const itemFieldsOf = (shape: Shape): readonly string[] =>
  shape.type === "list" && shape.items.type === "object"
    ? shape.items.fields.map((field) => field.name)
    : [];

const typeMeta = new Set(["apiVersion", "kind"]);
const knownMeta = new Set([
  "proto",
  "title",
  "description",
  "format",
  "pointer",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-patch-merge-key",
  "x-kubernetes-patch-strategy",
]);

test("the registry finds kinds by their names", () => {
  expect(kinds.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(["Pod", "Deployment", "EndpointSlice"]),
  );
  expect(kindNamed("apps/v1", "Deployment")?.plural).toBe("deployments");
  expect(kindServing("", "v1", "pods")?.kind).toBe("Pod");
  expect(kindNamed("apps/v1", "Pod")).toBeUndefined();
});

test("the registry refuses a file without a kind", async () => {
  await expect(kindsIn(`${import.meta.dirname}/pod`)).rejects.toThrow(TypeError);
});

const inAllVersions = kinds.flatMap((kind) => [kind, ...kind.versions]);

describe.each(inAllVersions.map((kind) => ({ name: kind.kind, version: kind.version, kind })))(
  "$name in $version",
  ({ name, kind }) => {
    const messages = messagesIn(name, shapeOf(kind.schema));

    test("has a protobuf number for every field, once a message", () => {
      const wrong = messages.flatMap(({ at, shape }) => {
        // An object in an object, such as a claim's template, says its kind in JSON alone.
        const whole = shape.fields.some((field) => field.name === "metadata");
        const fields = shape.fields.filter((field) => !whole || !typeMeta.has(field.name));
        const numbers = fields.map((field) => String(field.shape.meta.proto));
        return fields
          .filter((field, nth) => {
            const number = String(field.shape.meta.proto);
            return number === "undefined" || numbers.indexOf(number) !== nth;
          })
          .map((field) => `${at}.${field.name}`);
      });
      expect(wrong).toEqual([]);
    });

    test("says nothing of a field that nobody understands", () => {
      const strange = messages.flatMap(({ at, shape }) =>
        shape.fields.flatMap((field) =>
          Object.keys(field.shape.meta)
            .filter((key) => !knownMeta.has(key))
            .map((key) => `${at}.${field.name}: ${key}`),
        ),
      );
      expect(strange).toEqual([]);
    });

    test("merges lists by fields that their items have", () => {
      const wrong = messages.flatMap(({ at, shape }) =>
        shape.fields.flatMap((field) =>
          mergeKeysOf(field.shape)
            .filter((key) => !itemFieldsOf(field.shape).includes(key))
            .map((key) => `${at}.${field.name}: ${key}`),
        ),
      );
      expect(wrong).toEqual([]);
    });

    test("gives one title to one message", () => {
      const titled = new Map<string, string>();
      const wrong = messages.filter(({ shape }) => {
        const title = shape.meta.title ?? "";
        const fields = shape.fields.map((field) => field.name).join(",");
        const known = titled.get(title) ?? fields;
        titled.set(title, known);
        return title === "" || known !== fields;
      });
      expect(wrong.map(({ at }) => at)).toEqual([]);
    });

    test("has columns with distinct names", () => {
      const names = kind.columns.map((column) => column.name);
      expect(new Set(names).size).toBe(names.length);
      expect(names.length).toBeGreaterThan(1);
    });
  },
);
