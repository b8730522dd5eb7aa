import { expect, test } from "vitest";
import { negotiate } from "./accept.ts";

const table = "application/json;as=Table;v=v1;g=meta.k8s.io";

const protobuf = "application/vnd.kubernetes.protobuf";
const partial = ";as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const offer = { as: ["Table.v1", "PartialObjectMetadata.v1"], protobuf: true };

test.each([
  [undefined, { language: "json", view: undefined }],
  ["*/*", { language: "json" }],
  [`${table},application/json`, { language: "json", view: "Table" }],
  ["application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", { view: undefined }],
  [`${protobuf},application/json`, { language: "protobuf" }],
  [`application/json,${protobuf}`, { language: "json" }],
  [`${protobuf};stream=watch`, { language: "protobuf" }],
  [`${protobuf};stream=other,application/json`, { language: "json" }],
  [`${protobuf}${partial}`, { language: "protobuf", view: "PartialObjectMetadata" }],
  [`${protobuf};as=Table;v=v1;g=meta.k8s.io,${table}`, { language: "json", view: "Table" }],
  ["*/*,application/yaml", { language: "yaml" }],
  ["application/json;q=0.5,application/yaml;q=0.9", { language: "yaml" }],
  ["text/html,application/xml;q=0.9,*/*;q=0.8", { language: "json" }],
  ["application/yaml", { language: "yaml" }],
])("%s is answered as the first form on offer", (accept, format) => {
  expect(negotiate(accept, offer)).toMatchObject(format);
});

test.each([protobuf, "text/html", table])("%s alone cannot be answered", (accept) => {
  expect(negotiate(accept, { as: [], protobuf: false })).toBeUndefined();
});

test("what has no protobuf is shown in it by its metadata", () => {
  const custom = { ...offer, protobuf: false };
  expect(negotiate(`${protobuf},application/json`, custom)).toMatchObject({ language: "json" });
  expect(negotiate(`${protobuf}${partial}`, custom)).toMatchObject({ language: "protobuf" });
});
