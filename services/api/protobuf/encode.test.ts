import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { configMap } from "../../../libs/model/kinds/configmap.ts";
import { persistentVolumeClaim } from "../../../libs/model/kinds/persistentvolumeclaim.ts";
import { kinds } from "../../../libs/model/registry.ts";
import { anyOf } from "../../../libs/model/shape-fixture.ts";
import { shapeOf } from "../../../libs/model/shape.ts";
import { metricsKinds } from "../metrics/metrics-kinds.ts";
import { scaleKind } from "../resources/scale.ts";
import { decodeMessage } from "./decode.ts";
import { encodeMessage, hasProtobuf } from "./encode.ts";

const inAllVersions = kinds.flatMap((kind) => [kind, ...kind.versions]);
const told = [...inAllVersions, ...metricsKinds, scaleKind];

describe.each(told.map((kind) => ({ name: `${kind.group}/${kind.version} ${kind.kind}`, kind })))(
  "$name in protobuf",
  ({ kind: { schema } }) => {
    const shape = shapeOf(schema);

    test("has a writer", () => {
      expect(hasProtobuf(schema)).toBe(true);
    });

    test.each([
      { fields: "every field", sparse: false, numRuns: 2 },
      { fields: "any of its fields", sparse: true, numRuns: 6 },
    ])("survives with $fields", ({ sparse, numRuns }) => {
      fc.assert(
        fc.property(anyOf(shape, { sparse }), (value) => {
          const object = value as Record<string, unknown>; // A kind's shape is an object.
          expect(decodeMessage(schema, encodeMessage(schema, object))).toEqual(object);
        }),
        { numRuns, endOnFailure: true },
      );
    });
  },
);

test("a claim of no class is not one of the default class", () => {
  const { schema } = persistentVolumeClaim;
  const claim = { metadata: { name: "data" }, spec: { storageClassName: "", volumeName: "" } };
  expect(decodeMessage(schema, encodeMessage(schema, claim))).toEqual({
    metadata: { name: "data" },
    spec: { storageClassName: "" },
  });
});

test("keys of a map are sorted, so equal maps are equal bytes", () => {
  const bytes = (data: object) =>
    Buffer.from(encodeMessage(configMap.schema, { data })).toString("hex");
  expect(bytes({ b: "2", a: "1" })).toBe(bytes({ a: "1", b: "2" }));
});

test("a schema without numbers has no protobuf", () => {
  expect(hasProtobuf(z.object({ spec: z.object({ size: z.int() }).meta({ proto: 2 }) }))).toBe(
    false,
  );
  expect(hasProtobuf(z.record(z.string(), z.unknown()))).toBe(false);
});

const counted = z.object({
  name: z.string().optional().meta({ proto: 1 }),
  count: z.number().int().optional().meta({ proto: 2 }),
});

test.each([Number.POSITIVE_INFINITY, Number.NaN, 1e308, -1e308])(
  "what 64 bits do not hold is refused (%s), and leaves nothing behind",
  (count) => {
    expect(() => encodeMessage(counted, { name: "a", count })).toThrow(RangeError);
    const next = { name: "b", count: 1 };
    expect(decodeMessage(counted, encodeMessage(counted, next))).toEqual(next);
  },
);
