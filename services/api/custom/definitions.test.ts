/** What of a CustomResourceDefinition is refused, and what its status says. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonSchema } from "../../../libs/model/extensions/json-schema.ts";
import { type HttpsClient, httpsClient } from "../../../test/https-client.ts";
import { type MemoryGateway, openMemoryGateway } from "../memory-gateway.ts";
import { definitionOf, definitionsPath, group, versionOf, withSpec } from "./custom-fixture.ts";

let gateway: MemoryGateway;
let client: HttpsClient;

beforeAll(async () => {
  gateway = await openMemoryGateway();
  client = httpsClient(gateway);
});
afterAll(async () => gateway?.[Symbol.asyncDispose]());

type Cause = { readonly field: string; readonly message: string };

async function causesOf(body: unknown): Promise<readonly string[]> {
  const answer = await client.call("POST", `${definitionsPath}?dryRun=All`, { body });
  const { details } = answer.body as { details?: { causes?: readonly Cause[] } };
  return (details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
}

const at = "spec.versions[0].schema.openAPIV3Schema";
const string: JsonSchema = { type: "string" };

describe("a schema", () => {
  test.each<readonly [string, JsonSchema, readonly string[]]>([
    ["without a type", {}, [`${at}.type: Required value: must not be empty at the root`]],
    [
      "that is no object",
      { type: "array", items: string },
      [`${at}.type: Invalid value: "array": must be object at the root`],
    ],
    [
      "with a field without a type",
      { type: "object", properties: { a: {} } },
      [`${at}.properties[a].type: Required value: must not be empty for specified object fields`],
    ],
    [
      "with items without a type",
      withSpec({ a: { type: "array", items: {} } }),
      [
        `${at}.properties[spec].properties[a].items.type: Required value: must not be empty for specified array items`,
      ],
    ],
    [
      "with a list without items",
      withSpec({ a: { type: "array" } }),
      [`${at}.properties[spec].properties[a].items: Required value: must be specified`],
    ],
    [
      "with a type that there is not",
      withSpec({ a: { type: "float" } }),
      [
        `${at}.properties[spec].properties[a].type: Unsupported value: "float": supported values: "array", "boolean", "integer", "number", "object", "string"`,
      ],
    ],
    [
      "with properties and others",
      withSpec({ a: { type: "object", properties: { b: string }, additionalProperties: string } }),
      [
        `${at}.properties[spec].properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
      ],
    ],
    [
      "with unique items",
      withSpec({ a: { type: "array", items: string, uniqueItems: true } }),
      [
        `${at}.properties[spec].properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
      ],
    ],
    [
      "with a reference",
      withSpec({ a: { ...string, $ref: "#/x" } }),
      [`${at}.properties[spec].properties[a].$ref: Forbidden: $ref is not supported`],
    ],
    [
      "that may be null",
      { ...withSpec({ a: string }), nullable: true },
      [`${at}.nullable: Forbidden: nullable cannot be true at the root`],
    ],
    [
      "with a type in an alternative",
      withSpec({ a: string }, { anyOf: [{ type: "object" }] }),
      [`${at}.properties[spec].anyOf[0].type: Forbidden: must be empty to be structural`],
    ],
    [
      "with a field that only an alternative has",
      withSpec({ a: string }, { anyOf: [{ properties: { b: { minLength: 1 } } }] }),
      [
        `${at}.properties[spec].properties[b]: Required value: because it is defined in ${at}.properties[spec].anyOf[0].properties[b]`,
      ],
    ],
    [
      "with a default of the wrong type",
      withSpec({ a: { type: "integer", default: "x" } }),
      [
        `${at}.properties[spec].properties[a].default: Invalid value: "string":  in body must be of type integer: "string"`,
      ],
    ],
    [
      "with a default that holds what is unknown",
      withSpec({ a: { type: "object", properties: { b: string }, default: { c: 1 } } }),
      [
        `${at}.properties[spec].properties[a].default: Invalid value: {"c":1}: must not have unknown fields`,
      ],
    ],
    [
      "with a wrong pattern",
      withSpec({ a: { type: "string", pattern: "(" } }),
      [expect.stringContaining("must be a valid regular expression, but isn't")],
    ],
    [
      "with a map without keys",
      withSpec({
        a: {
          type: "array",
          "x-kubernetes-list-type": "map",
          items: { type: "object", properties: {} },
        },
      }),
      [
        `${at}.properties[spec].properties[a].x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`,
      ],
    ],
    [
      "with keys that may be missing",
      withSpec({
        a: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["n"],
          items: { type: "object", properties: { n: string } },
        },
      }),
      [
        `${at}.properties[spec].properties[a].items.properties[n].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
      ],
    ],
    [
      "with a list type on an object",
      withSpec({ a: { type: "object", properties: {}, "x-kubernetes-list-type": "set" } }),
      [
        `${at}.properties[spec].properties[a].type: Invalid value: "object": must be array if x-kubernetes-list-type is specified`,
      ],
    ],
    [
      "that says more of metadata than names",
      {
        type: "object",
        properties: { metadata: { type: "object", properties: { labels: { type: "object" } } } },
      },
      [
        `${at}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
      ],
    ],
    [
      "with a rule that does not compile",
      withSpec({ a: string }, { "x-kubernetes-validations": [{ rule: "self.a ==" }] }),
      [expect.stringContaining("compilation failed: ERROR: <input>:1:10: Syntax error")],
    ],
    [
      "with a rule that is no question",
      withSpec({ a: string }, { "x-kubernetes-validations": [{ rule: "1 + 1" }] }),
      [
        `${at}.properties[spec].x-kubernetes-validations[0].rule: Invalid value: {"rule":"1 + 1"}: cel expression must evaluate to a bool`,
      ],
    ],
    [
      "with a rule for a reason that there is not",
      withSpec(
        { a: string },
        { "x-kubernetes-validations": [{ rule: "true", reason: "Because" }] },
      ),
      [
        `${at}.properties[spec].x-kubernetes-validations[0].reason: Unsupported value: "Because": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
      ],
    ],
  ])("%s is refused", async (_name, schema, causes) => {
    expect(await causesOf(definitionOf("Thing", [versionOf("v1", schema)]))).toEqual(causes);
  });
});

const base = definitionOf("Thing");
const withSpecOf = (spec: Readonly<Record<string, unknown>>) => ({
  ...base,
  spec: { ...base.spec, ...spec },
});
const column = (rest: object) => [
  versionOf("v1", undefined, {
    additionalPrinterColumns: [{ name: "A", type: "string", jsonPath: ".spec.a", ...rest }],
  }),
];

describe("a definition", () => {
  test.each<readonly [string, unknown, readonly string[]]>([
    [
      "of another name",
      { ...base, metadata: { name: "other.example.dev" } },
      [
        'metadata.name: Invalid value: "other.example.dev": must be spec.names.plural+"."+spec.group',
      ],
    ],
    [
      "of a group without a dot",
      { ...withSpecOf({ group: "example" }), metadata: { name: "things.example" } },
      ['spec.group: Invalid value: "example": should be a domain with at least one dot'],
    ],
    [
      "of a group that is Kubernetes' own",
      { ...withSpecOf({ group: "x.k8s.io" }), metadata: { name: "things.x.k8s.io" } },
      [expect.stringContaining("metadata.annotations[api-approved.kubernetes.io]: Required value")],
    ],
    [
      "without a version that is stored",
      withSpecOf({ versions: [{ ...versionOf("v1"), storage: false }] }),
      [
        'spec.versions: Invalid value: ["v1"]: must have exactly one version marked as storage version',
      ],
    ],
    [
      "with a version twice",
      withSpecOf({ versions: [versionOf("v1"), { ...versionOf("v1"), storage: false }] }),
      ['spec.versions: Invalid value: ["v1","v1"]: must contain unique version names'],
    ],
    [
      "without a schema",
      withSpecOf({ versions: [{ name: "v1", served: true, storage: true }] }),
      ["spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"],
    ],
    [
      "that keeps unknown fields in general",
      withSpecOf({ preserveUnknownFields: true }),
      [
        "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
      ],
    ],
    [
      "whose list has its kind's name",
      withSpecOf({ names: { plural: "things", kind: "Thing", listKind: "Thing" } }),
      ['spec.names.listKind: Invalid value: "Thing": kind and listKind may not be the same'],
    ],
    [
      "of a wrong scope",
      withSpecOf({ scope: "Everywhere" }),
      ['spec.scope: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced"'],
    ],
    [
      "with a column of no type",
      withSpecOf({ versions: column({ type: "text" }) }),
      [
        'spec.versions[0].additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
      ],
    ],
    [
      "with a column of no path",
      withSpecOf({ versions: column({ jsonPath: "spec.a" }) }),
      [
        'spec.versions[0].additionalPrinterColumns[0].jsonPath: Invalid value: "spec.a": must be a simple json path starting with .',
      ],
    ],
    [
      "that scales what is no spec",
      withSpecOf({
        versions: [
          versionOf("v1", undefined, {
            subresources: {
              scale: { specReplicasPath: ".size", statusReplicasPath: ".status.size" },
            },
          }),
        ],
      }),
      [
        'spec.versions[0].subresources.scale.specReplicasPath: Invalid value: ".size": should be a json path under .spec',
      ],
    ],
    [
      "that selects by what is no scalar",
      withSpecOf({
        versions: [
          versionOf("v1", withSpec({ a: { type: "object", properties: {} } }), {
            selectableFields: [{ jsonPath: ".spec.a" }],
          }),
        ],
      }),
      [
        'spec.versions[0].selectableFields[0].jsonPath: Invalid value: ".spec.a": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      ],
    ],
    [
      "that converts by nobody",
      withSpecOf({ conversion: { strategy: "Webhook" } }),
      [
        "spec.conversion.webhook.clientConfig: Required value: required when strategy is set to Webhook",
      ],
    ],
  ])("%s is refused", async (_name, body, causes) => {
    expect(await causesOf(body)).toEqual(causes);
  });

  test("says that its names are its own", async () => {
    const made = await client.call("POST", definitionsPath, {
      body: definitionOf("First", undefined, { names: { shortNames: ["f"] } }),
    });
    expect(made.body).toMatchObject({
      spec: {
        names: { singular: "first", listKind: "FirstList" },
        conversion: { strategy: "None" },
      },
      status: {
        acceptedNames: { plural: "firsts", kind: "First", shortNames: ["f"] },
        storedVersions: ["v1"],
        conditions: [
          { type: "NamesAccepted", status: "True", reason: "NoConflicts" },
          { type: "Established", status: "True", reason: "InitialNamesAccepted" },
        ],
      },
    });
    const body = definitionOf("Second", undefined, { names: { shortNames: ["f"] } });
    const second = await client.call("POST", definitionsPath, { body });
    expect(second.body).toMatchObject({
      status: {
        conditions: [
          {
            type: "NamesAccepted",
            status: "False",
            reason: "ShortNamesConflict",
            message: '"f" is already in use',
          },
          { type: "Established", status: "False", reason: "NotAccepted" },
        ],
      },
    });
    expect((await client.call("GET", `/apis/${group}/v1/seconds`)).code).toBe(404);
  });

  test("keeps its kind, and the versions in which objects are stored", async () => {
    await client.call("POST", definitionsPath, { body: definitionOf("Fixed") });
    const path = `${definitionsPath}/fixeds.${group}`;
    const patch = (spec: unknown) =>
      client.call("PATCH", path, { contentType: "application/merge-patch+json", body: { spec } });
    const renamed = await patch({
      names: { kind: "Other", listKind: "OtherList", singular: "other" },
    });
    expect(renamed).toMatchObject({ code: 422 });
    expect(renamed.text).toContain("field is immutable");
    const moved = await patch({ versions: [versionOf("v2")] });
    expect(moved.text).toContain("v1 was previously a storage version");
    const added = await patch({
      versions: [versionOf("v2"), { ...versionOf("v1"), storage: false }],
    });
    expect(added.body).toMatchObject({ status: { storedVersions: ["v1", "v2"] } });
  });
});
