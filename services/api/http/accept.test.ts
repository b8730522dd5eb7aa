import { expect, test } from "vitest";
import { negotiate } from "./accept.ts";

const table = "application/json;as=Table;v=v1;g=meta.k8s.io";

test.each([
  [undefined, { language: "json", view: undefined }],
  ["*/*", { language: "json" }],
  [`${table},application/json`, { language: "json", view: "Table" }],
  ["application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", { view: undefined }],
  ["application/vnd.kubernetes.protobuf,application/json", { language: "json" }],
  ["application/yaml", { language: "yaml" }],
])("%s is answered as the first form on offer", (accept, format) => {
  expect(negotiate(accept, ["Table.v1"])).toMatchObject(format);
});

test.each(["application/vnd.kubernetes.protobuf", "text/html", table])(
  "%s alone cannot be answered",
  (accept) => {
    expect(negotiate(accept, [])).toBeUndefined();
  },
);
