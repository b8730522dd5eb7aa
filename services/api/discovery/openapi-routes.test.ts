import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { refusals } from "../../../test/refusals.ts";
import { fieldsOf, type WireValue } from "../protobuf/envelope.ts";

const { ask } = refusals(afterAll);
type Json = { readonly [key: string]: Json };

async function documentAt(path: string): Promise<Json> {
  return (await ask(`GET ${path}`)).body as Json; // It is one.
}

describe("/openapi/v3", () => {
  test("leads to documents that may be kept for ever", async () => {
    const { paths } = await documentAt("/openapi/v3");
    const url = String(paths?.["apis/apps/v1"]?.["serverRelativeURL"]);
    const { code, headers } = await ask(`GET ${url}`);
    expect([code, headers["cache-control"]]).toEqual([200, expect.stringContaining("immutable")]);
    const old = await ask(`GET ${url.replace(/hash=.*/, "hash=OLD")}`);
    expect([old.code, old.headers.location]).toEqual([301, url]);
    const etag = { "if-none-match": headers.etag };
    expect((await ask("GET /openapi/v3/apis/apps/v1", { headers: etag })).code).toBe(304);
    expect((await ask("GET /openapi/v3/apis/batch/v1", { headers: etag })).code).toBe(200);
  });

  test("names things as Kubernetes does, and tells every verb of every subresource", async () => {
    const { paths, components } = await documentAt("/openapi/v3/apis/apps/v1");
    const names = Object.keys(components?.["schemas"] ?? {});
    for (const name of [
      "io.k8s.api.apps.v1.Deployment",
      "io.k8s.api.apps.v1.DeploymentList",
      "io.k8s.api.core.v1.PodSpec",
      "io.k8s.api.autoscaling.v1.Scale",
      "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
      "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
      "io.k8s.apimachinery.pkg.api.resource.Quantity",
    ]) {
      expect(names).toContain(name);
    }
    const one = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}";
    expect(Object.keys(paths?.[one] ?? {}).toSorted()).toEqual([
      "delete",
      "get",
      "parameters",
      "patch",
      "put",
    ]);
    expect(paths?.[`${one}/scale`]?.["patch"]).toMatchObject({
      operationId: "patchAppsV1NamespacedDeploymentScale",
      "x-kubernetes-group-version-kind": { group: "autoscaling", version: "v1", kind: "Scale" },
    });
    const patched = paths?.[one]?.["patch"] as unknown as {
      parameters: readonly { name: string }[];
      requestBody: { content: object };
    };
    expect(patched.parameters.map(({ name }) => name)).toEqual([
      "dryRun",
      "fieldManager",
      "fieldValidation",
      "force",
    ]);
    expect(Object.keys(patched.requestBody.content)).toContain("application/apply-patch+yaml");
  });
});

const protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

describe("/openapi/v2", () => {
  test("is all groups in one document whose references hold", async () => {
    const { text, headers } = await ask("GET /openapi/v2");
    const { definitions, paths } = JSON.parse(text) as Json;
    expect(headers["content-type"]).toBe("application/json");
    expect(definitions).toHaveProperty(["io.k8s.api.core.v1.Pod"]);
    expect(definitions).toHaveProperty(["io.k8s.api.batch.v1.JobSpec"]);
    expect(paths).toHaveProperty(["/api/v1/namespaces/{namespace}/pods/{name}/log"]);
    const names = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, name = ""]) => name);
    expect(names.length).toBeGreaterThan(1_000);
    const lost = names.filter((name) => !((name.split("/").at(-1) ?? "") in (definitions ?? {})));
    expect(lost).toEqual([]);
    expect(text).not.toContain("#/components");
  });

  test("is protobuf for who asks for that, in gnostic's messages", async () => {
    const { definitions } = JSON.parse((await ask("GET /openapi/v2")).text) as Json;
    const { headers, bytes } = await ask("GET /openapi/v2", {
      accept: protobuf,
      headers: { "accept-encoding": "gzip" },
    });
    expect(headers["content-type"]).toBe(protobuf.replace("v2@v1.0", "v2.v1.0"));
    const document = fieldsOf(gunzipSync(bytes));
    expect(textOf(document.get(1))).toBe("2.0");
    const entries = (fieldsOf(bytesOf(document.get(9))).get(1) ?? []).map((entry) =>
      fieldsOf(bytesOf([entry])),
    );
    expect(entries.map((entry) => textOf(entry.get(1)))).toEqual(Object.keys(definitions ?? {}));
    const pod = entries.find((entry) => textOf(entry.get(1)) === "io.k8s.api.core.v1.Pod");
    const schema = fieldsOf(bytesOf(pod?.get(2)));
    const extension = fieldsOf(bytesOf(schema.get(31)));
    expect(textOf(extension.get(1))).toBe("x-kubernetes-group-version-kind");
    expect(textOf(fieldsOf(bytesOf(extension.get(2))).get(2))).toBe(
      '[{"group":"","version":"v1","kind":"Pod"}]\n',
    );
  });

  test("is nothing else", async () => {
    expect((await ask("GET /openapi/v2", { accept: "application/xml" })).code).toBe(406);
  });
});

function bytesOf(values: readonly WireValue[] | undefined): Uint8Array {
  const value = values?.at(-1);
  if (value?.wire !== "bytes") throw new Error("the field holds no bytes");
  return value.value;
}
const textOf = (values: readonly WireValue[] | undefined) =>
  Buffer.from(bytesOf(values)).toString();
