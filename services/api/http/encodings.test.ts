/** One object, one list, one watch and one refusal in every language that clients ask for. */
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { configMap } from "../../../libs/model/kinds/configmap.ts";
import { named, refusals } from "../../../test/refusals.ts";
import { decodeMessage } from "../protobuf/decode.ts";
import { encodeMessage } from "../protobuf/encode.ts";
import { openEnvelope, sealed } from "../protobuf/envelope.ts";
import { messageNamed } from "../protobuf/messages.ts";

const { ask } = refusals(afterAll);
const protobuf = "application/vnd.kubernetes.protobuf";
const meta = (kind: string) => `as=${kind};v=v1;g=meta.k8s.io`;
const settings = { mode: "fast", size: "größe" };

beforeAll(async () => {
  await ask("POST configmaps", { body: { ...named("settings"), data: settings } });
});

/** A message as what its kind says that it is. */
function opened(bytes: Uint8Array): Record<string, unknown> {
  const { apiVersion, kind, raw } = openEnvelope(bytes);
  const schema = kind === "ConfigMap" ? configMap.schema : messageNamed(apiVersion, kind);
  if (schema === undefined) throw new Error(`no message is called ${apiVersion} ${kind}`);
  return { apiVersion, kind, ...decodeMessage(schema, raw) };
}

describe("an object", () => {
  test("is the same in every language", async () => {
    const json = await ask("GET configmaps/settings");
    const yaml = await ask("GET configmaps/settings", { accept: "application/yaml" });
    const binary = await ask("GET configmaps/settings", { accept: `${protobuf},*/*` });
    expect(json.headers["content-type"]).toBe("application/json");
    expect(yaml.headers["content-type"]).toBe("application/yaml");
    expect(binary.headers["content-type"]).toBe(protobuf);
    expect(json.body).toMatchObject({ data: settings });
    expect(parse(yaml.text)).toEqual(json.body);
    expect(opened(binary.bytes)).toEqual(json.body);
  });

  test("is its metadata for who asks for that", async () => {
    const accept = `${protobuf};${meta("PartialObjectMetadata")}`;
    const { bytes } = await ask("GET configmaps/settings", { accept });
    const { apiVersion, kind, raw } = openEnvelope(bytes);
    expect({ apiVersion, kind }).toEqual({
      apiVersion: "meta.k8s.io/v1",
      kind: "PartialObjectMetadata",
    });
    expect(decodeMessage(configMap.schema, raw)).toMatchObject({ metadata: { name: "settings" } });
    expect(decodeMessage(configMap.schema, raw)).not.toHaveProperty("data");
  });

  test("is created, replaced and deleted in protobuf", async () => {
    const sent = (object: object) => ({
      bytes: sealed("v1", "ConfigMap", [encodeMessage(configMap.schema, object)]),
      contentType: protobuf,
      accept: protobuf,
    });
    const made = await ask("POST configmaps", sent({ ...named("binary"), data: { a: "1" } }));
    expect(made.code).toBe(201);
    const changed = await ask("PUT configmaps/binary", sent({ ...named("binary"), data: {} }));
    expect(opened(changed.bytes)).not.toHaveProperty("data");
    const gone = await ask("DELETE configmaps/binary", { accept: protobuf });
    expect(opened(gone.bytes)).toMatchObject({ kind: "Status", status: "Success" });
  });

  test("is pretty for who asks for that", async () => {
    const { text } = await ask("GET configmaps/settings?pretty=true");
    expect(text).toContain('{\n  "apiVersion": "v1",');
  });
});

const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string().meta({ proto: 2 }) }).meta({ proto: 1 }),
  items: z.array(configMap.schema).meta({ proto: 2 }),
});

describe("a list", () => {
  test("is the same in protobuf", async () => {
    const json = await ask("GET configmaps");
    const { bytes } = await ask("GET configmaps", { accept: protobuf });
    const { kind, raw } = openEnvelope(bytes);
    expect(kind).toBe("ConfigMapList");
    const items = (json.body["items"] as object[]).map((item) => withoutKind(item));
    expect(decodeMessage(listSchema, raw)).toEqual({ metadata: json.body["metadata"], items });
  });

  test("is small on the wire when it is large and the client takes gzip", async () => {
    const data = { text: "again and again ".repeat(20_000) };
    await ask("POST configmaps", { body: { ...named("large"), data } });
    const headers = { "accept-encoding": "deflate, gzip;q=0.5" };
    const small = await ask("GET configmaps/settings", { headers });
    expect(small.headers["content-encoding"]).toBeUndefined();
    const large = await ask("GET configmaps/large", { headers });
    expect(large.headers["content-encoding"]).toBe("gzip");
    expect(large.bytes.byteLength).toBeLessThan(10_000);
    expect(JSON.parse(gunzipSync(large.bytes).toString())).toMatchObject({ data });
    expect((await ask("GET configmaps/large")).headers["content-encoding"]).toBeUndefined();
  });
});

function withoutKind(item: object): object {
  const { kind: _kind, apiVersion: _version, ...rest } = item as Record<string, unknown>; // It is one.
  return rest;
}

/** A watch's frames: a length in 32 bits, then an event. */
function framesIn(bytes: Buffer): readonly Record<string, unknown>[] {
  const event = z.object({
    type: z.string().meta({ proto: 1 }),
    object: z.string().meta({ proto: [2, 1], format: "byte" }),
  });
  const frames: Record<string, unknown>[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const length = bytes.readUInt32BE(at);
    const { type, object } = decodeMessage(event, bytes.subarray(at + 4, at + 4 + length));
    frames.push({ type, object: opened(Buffer.from(String(object), "base64")) });
    at += 4 + length;
  }
  return frames;
}

describe("a watch", () => {
  const watched =
    "GET configmaps?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dsettings";

  test("is frames of protobuf", async () => {
    const { headers, bytes } = await ask(watched, { accept: `${protobuf};stream=watch` });
    expect(headers["content-type"]).toBe(`${protobuf};stream=watch`);
    expect(framesIn(bytes)).toMatchObject([
      { type: "ADDED", object: { kind: "ConfigMap", metadata: { name: "settings" } } },
    ]);
  });

  test("is lines of JSON", async () => {
    const { headers, body } = await ask(watched, { accept: "application/json;stream=watch" });
    expect(headers["content-type"]).toBe("application/json");
    expect(body).toMatchObject({ type: "ADDED", object: { data: settings } });
  });

  test("is no YAML", async () => {
    expect((await ask(watched, { accept: "application/yaml" })).code).toBe(406);
  });
});

describe("what is no object of a kind", () => {
  test("is a Status in the client's language", async () => {
    const { headers, bytes, code } = await ask("GET configmaps/gone", { accept: protobuf });
    expect(headers["content-type"]).toBe(protobuf);
    const { body } = await ask("GET configmaps/gone");
    expect(opened(bytes)).toMatchObject({ kind: "Status", reason: "NotFound", code });
    const { metadata: _metadata, ...rest } = body;
    expect(opened(bytes)).toEqual({ ...rest, metadata: {} });
    const yaml = await ask("GET configmaps/gone", { accept: "application/yaml" });
    expect(parse(yaml.text)).toEqual(body);
  });

  test("is a Table in JSON alone", async () => {
    const table = meta("Table");
    const both = `${protobuf};${table},application/json;${table}`;
    expect((await ask("GET configmaps", { accept: both })).body).toMatchObject({ kind: "Table" });
    expect((await ask("GET configmaps", { accept: `${protobuf};${table}` })).code).toBe(406);
  });

  test.each([
    ["/api", "APIVersions"],
    ["/apis", "APIGroupList"],
    ["/apis/apps", "APIGroup"],
    ["/apis/apps/v1", "APIResourceList"],
  ])("%s is in protobuf what it is in JSON", async (path, kind) => {
    const { bytes } = await ask(`GET ${path}`, { accept: protobuf });
    const { body } = await ask(`GET ${path}`);
    expect(opened(bytes)).toMatchObject({ kind });
    expect(withoutEmpty(opened(bytes))).toEqual(withoutEmpty({ apiVersion: "v1", ...body }));
  });

  test("is aggregated discovery, whose tag says whether it has changed", async () => {
    const as = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const first = await ask("GET /apis", { accept: `${protobuf};${as}` });
    expect(first.headers["content-type"]).toBe(`${protobuf};${as}`);
    const json = await ask("GET /apis", { accept: `application/json;${as}` });
    expect(json.headers["content-type"]).toBe(`application/json;${as}`);
    expect(withoutEmpty(opened(first.bytes))).toEqual(withoutEmpty(json.body));
    const { etag = "" } = json.headers;
    const again = await ask("GET /apis", {
      accept: `application/json;${as}`,
      headers: { "if-none-match": etag },
    });
    expect([again.code, again.text]).toEqual([304, ""]);
    // A cache takes what else is said for that of the reply that it holds.
    expect(Object.keys(again.headers)).not.toContain("content-type");
    expect(Object.keys(again.headers)).not.toContain("content-length");
  });
});

/** What protobuf cannot tell from absence. */
const withoutEmpty = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, member: unknown) =>
      member === "" || member === null || (Array.isArray(member) && member.length === 0)
        ? undefined
        : member,
    ),
  );
