/** Server-side apply and field managers, of ConfigMaps. */
import { describe } from "vitest";
import {
  apply,
  configMaps,
  container,
  containers,
  deployments,
  expectRows,
  force,
  merge,
  post,
  put,
  selector,
  template,
  web,
  withGateway,
  type Row,
} from "./apply-fixture.ts";

const rows: readonly Row[] = [
  [
    "makes what there is not",
    configMaps,
    [apply("a", { data: { k: "1" } })],
    { code: 201, object: { data: { k: "1" } }, owners: { a: [".data.k"] } },
  ],
  [
    "changes what there is",
    configMaps,
    [apply("a", { data: { k: "1" } }), apply("a", { data: { k: "2" } })],
    { code: 200, object: { data: { k: "2" } }, owners: { a: [".data.k"] } },
  ],
  [
    "removes a member of a map",
    configMaps,
    [apply("a", { data: { k: "1", l: "1" } }), apply("a", { data: { l: "1" } })],
    { object: { data: { l: "1" } }, absent: ["data.k"], owners: { a: [".data.l"] } },
  ],
  [
    "shares a field",
    configMaps,
    [apply("a", { data: { k: "1" } }), apply("b", { data: { k: "1" } })],
    { code: 200, owners: { a: [".data.k"], b: [".data.k"] } },
  ],
  [
    "keeps a shared field until the last one gives it up",
    configMaps,
    [
      apply("a", { data: { k: "1" } }),
      apply("b", { data: { k: "1" } }),
      apply("a", {}),
      apply("b", { data: {} }),
    ],
    { absent: ["data.k"], owners: { b: [".data"] } },
  ],
  [
    "is refused what another one applied",
    configMaps,
    [apply("a", { data: { k: "1" } }), apply("b", { data: { k: "2" } })],
    {
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "a": .data.k',
      owners: { a: [".data.k"] },
    },
  ],
  [
    "is refused what an update set",
    configMaps,
    [post("u", { data: { k: "1" } }), apply("b", { data: { k: "2" } })],
    { code: 409, message: 'Apply failed with 1 conflict: conflict with "u" using v1: .data.k' },
  ],
  [
    "takes by force",
    configMaps,
    [post("u", { data: { k: "1", l: "1" } }), force("b", { data: { k: "2" } })],
    {
      code: 200,
      object: { data: { k: "2", l: "1" } },
      owners: { "u!": [".data", ".data.l"], b: [".data.k"] },
    },
  ],
  [
    "an update takes without asking",
    configMaps,
    [apply("a", { data: { k: "1", l: "1" } }), merge("u", { data: { k: "2" } })],
    { owners: { a: [".data.l"], "u!": [".data.k"] } },
  ],
  [
    "an update that removes leaves nobody with it",
    configMaps,
    [apply("a", { data: { k: "1", l: "1" } }), merge("u", { data: { k: null } })],
    { owners: { a: [".data.l"] } },
  ],
  [
    "a PUT without managedFields keeps them",
    configMaps,
    [apply("a", { data: { k: "1" } }), put("u", { data: { k: "1", l: "2" } })],
    { owners: { a: [".data.k"], "u!": [".data.l"] } },
  ],
  [
    "a PUT with managedFields replaces them",
    configMaps,
    [
      apply("a", { data: { k: "1", l: "1" } }),
      put("u", {
        data: { k: "1", l: "1" },
        metadata: {
          managedFields: [
            {
              manager: "b",
              operation: "Apply",
              apiVersion: "v1",
              fieldsType: "FieldsV1",
              fieldsV1: { "f:data": { "f:l": {} } },
            },
          ],
        },
      }),
    ],
    { code: 200, owners: { b: [".data.l"] } },
  ],
  [
    "a PUT with managedFields that are none keeps those there are",
    configMaps,
    [
      apply("a", { data: { k: "1" } }),
      put("u", {
        data: { k: "1" },
        metadata: { managedFields: [{ manager: "b", operation: "Apply", fieldsType: "FieldsV1" }] },
      }),
    ],
    { code: 200, owners: { a: [".data.k"] } },
  ],
  [
    "a PUT with an empty list of managedFields resets them",
    configMaps,
    [
      apply("a", { data: { k: "1" } }),
      put("u", { data: { k: "1" }, metadata: { managedFields: [] } }),
    ],
    { code: 200, owners: {} },
  ],
  [
    "a PATCH with one empty entry resets them",
    configMaps,
    [apply("a", { data: { k: "1" } }), merge("u", { metadata: { managedFields: [{}] } })],
    { code: 200, owners: {} },
  ],
  [
    "nobody begins to manage what nobody manages by updating it",
    configMaps,
    [
      apply("a", { data: { k: "1" } }),
      merge("u", { metadata: { managedFields: [{}] } }),
      merge("u", { data: { k: "2" } }),
    ],
    { code: 200, owners: {} },
  ],
  [
    "what was there before the first apply belongs to that time",
    configMaps,
    [
      post("u", { data: { k: "1", l: "1" } }),
      merge("u", { metadata: { managedFields: [{}] } }),
      apply("a", { data: { k: "1", m: "1" } }),
    ],
    {
      owners: {
        "before-first-apply!": [".data", ".data.k", ".data.l"],
        a: [".data.k", ".data.m"],
      },
    },
  ],
  [
    "is refused what was there before the first apply",
    configMaps,
    [
      post("u", { data: { k: "1" } }),
      merge("u", { metadata: { managedFields: [{}] } }),
      apply("a", { data: { k: "2" } }),
    ],
    {
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.k',
    },
  ],
  [
    "must not say who manages what",
    configMaps,
    [apply("a", { metadata: { managedFields: [{}] } })],
    { code: 400, message: "metadata.managedFields must be nil" },
  ],
  [
    "must be of the kind",
    configMaps,
    [apply("a", { kind: "Secret" })],
    { code: 400, message: "invalid object type: v1, Kind=Secret" },
  ],
  [
    "must be of the version",
    deployments,
    [apply("a", { apiVersion: "apps/v1beta1", ...web })],
    { code: 400, message: "invalid object type: apps/v1beta1, Kind=Deployment" },
  ],
  [
    "must name its manager",
    configMaps,
    [apply("", { data: { k: "1" } })],
    {
      code: 422,
      message:
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    },
  ],
  [
    "must name its manager briefly",
    configMaps,
    [apply("m".repeat(129), { data: { k: "1" } })],
    { code: 422, message: "fieldManager: Too long: may not be more than 128 bytes" },
  ],
  [
    "alone can be forced",
    configMaps,
    [post("u", {}), merge("u", { data: { k: "1" } }, { query: "force=true" })],
    { code: 422, message: "force: Forbidden: may not be specified for non-apply patch" },
  ],
  [
    "must know the fields",
    configMaps,
    [apply("a", { date: { k: "1" } })],
    { code: 400, message: "v1, Kind=ConfigMap): .date: field not declared in schema" },
  ],
  [
    "must not state an item twice",
    deployments,
    [apply("a", { ...web, ...containers(container, container) })],
    {
      code: 400,
      message: '.spec.template.spec.containers: duplicate entries for key [name="web"]',
    },
  ],
  [
    "must be what the kind takes",
    deployments,
    [apply("a", { spec: { replicas: -1, selector, template } })],
    { code: 422, message: "spec.replicas: Invalid value: -1" },
  ],
  [
    "of a name that the path does not name is refused",
    configMaps,
    [apply("a", { metadata: { name: "other" } })],
    { code: 400, message: "the name of the provided object does not match the name on the URL" },
  ],
  [
    "with another object's uid makes nothing",
    configMaps,
    [apply("a", { metadata: { uid: "x" } })],
    {
      code: 409,
      message:
        "uid mismatch: the provided object specified uid x, and no existing object was found",
    },
  ],
  [
    "with an old resourceVersion is refused",
    configMaps,
    [
      apply("a", { data: { k: "1" } }),
      apply("a", { data: { k: "2" }, metadata: { resourceVersion: "1" } }),
    ],
    { code: 409, message: "the object has been modified" },
  ],
  [
    "dry makes nothing",
    configMaps,
    [apply("a", { data: { k: "1" } }, { query: "dryRun=All" })],
    { code: 201 },
  ],
  [
    "dry changes nothing, and tells conflicts",
    configMaps,
    [
      apply("a", { data: { k: "1" } }),
      apply("a", { data: { k: "2" } }, { query: "dryRun=All" }),
      apply("b", { data: { k: "3" } }, { query: "dryRun=All" }),
    ],
    {
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "a": .data.k',
      object: { data: { k: "1" } },
      owners: { a: [".data.k"] },
    },
  ],
];

describe("an apply", () => {
  withGateway();
  expectRows(rows);
});
