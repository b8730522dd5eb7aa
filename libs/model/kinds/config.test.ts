import { describe, expect, test } from "vitest";
import { parse } from "../errors.ts";
import { configMap } from "./configmap.ts";
import { event } from "./event.ts";
import { namespace } from "./namespace.ts";
import { node } from "./node.ts";
import { secret } from "./secret.ts";

const metadata = { name: "web" };
const shown = (
  kind: { columns: readonly { name: string; read(object: never, now: number): unknown }[] },
  object: unknown,
  now = 0,
) =>
  Object.fromEntries(
    kind.columns.map((column) => [column.name, column.read(object as never, now)]),
  ); // Parsed by that kind.

describe("a Secret", () => {
  test("keeps text as bytes, and the text before what data says", () => {
    const one = parse(secret, {
      metadata,
      data: { a: "eA==" },
      stringData: { a: "hello", b: "é" },
    });
    expect(one).toMatchObject({ type: "Opaque", data: { a: "aGVsbG8=", b: "w6k=" } });
    expect(one).not.toHaveProperty("stringData");
  });

  test("of a type has the keys of that type", () => {
    const tls = { metadata, type: "kubernetes.io/tls", data: { "tls.crt": "" } };
    expect(() => parse(secret, tls)).toThrow(/data\[tls\.key\]: Required value/);
  });

  test("keeps its type, and all of itself once it is immutable", () => {
    const one = parse(secret, { metadata, data: { a: "eA==" }, immutable: true });
    const other = { ...one, type: "x/y", data: { a: "eQ==" }, immutable: undefined };
    expect(secret.validateUpdate(one, other).map(({ field }) => field)).toEqual([
      "immutable",
      "data",
      "type",
    ]);
    expect(
      secret.validateUpdate(one, { ...one, metadata: { ...one.metadata, labels: { a: "b" } } }),
    ).toEqual([]);
  });
});

describe("a ConfigMap", () => {
  test.each(["a b", "../x", ".", "a/b", ""])("has no key %j", (key) => {
    expect(() => parse(configMap, { metadata, data: { [key]: "x" } })).toThrow(/data/);
  });

  test.each(["a.conf", "_A", "..data".slice(1), "a..b"])("may have a key %j", (key) => {
    expect(parse(configMap, { metadata, data: { [key]: "" } }).data).toEqual({ [key]: "" });
  });

  test("has each key once, and not more than it may hold", () => {
    expect(() =>
      parse(configMap, { metadata, data: { a: "x" }, binaryData: { a: "eA==" } }),
    ).toThrow(/duplicate/);
    expect(() => parse(configMap, { metadata, data: { a: "x".repeat(1_048_577) } })).toThrow(
      /Too long/,
    );
  });

  test("shows how many keys it has", () => {
    const one = parse(configMap, { metadata, data: { a: "x" }, binaryData: { b: "eA==" } });
    expect(shown(configMap, one)).toMatchObject({ Name: "web", Data: "2" });
  });
});

describe("a Node", () => {
  test("shows its readiness, roles and addresses", () => {
    const one = parse(node, {
      metadata: { name: "n1", labels: { "node-role.kubernetes.io/worker": "" } },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: "Ready", status: "True" }],
        addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
      },
    });
    expect(shown(node, one)).toMatchObject({
      Status: "Ready,SchedulingDisabled",
      Roles: "worker",
      "Internal-IP": "10.0.0.1",
      "External-IP": "<none>",
      "OS-Image": "<unknown>",
    });
    expect(one.metadata).not.toHaveProperty("namespace");
  });

  test("keeps the range of its pods", () => {
    const at = (podCIDR?: string) => parse(node, { metadata: { name: "n1" }, spec: { podCIDR } });
    expect(node.validateUpdate(at(), at("10.1.0.0/24"))).toEqual([]);
    expect(node.validateUpdate(at("10.1.0.0/24"), at())).toHaveLength(1);
  });
});

test("a Namespace has a name without dots, and no namespace", () => {
  expect(() => parse(namespace, { metadata: { name: "a.b" } })).toThrow(/RFC 1123 label/);
  expect(() => parse(namespace, { metadata: { name: "a", namespace: "b" } })).toThrow(
    /metadata.namespace/,
  );
  expect(parse(namespace, { metadata: { name: "a" } }).spec).toEqual({});
});

test("an Event shows when it was last seen, and of what", () => {
  const one = parse(event, {
    metadata: { name: "web.1" },
    involvedObject: { kind: "Pod", name: "web" },
    reason: "Started",
    message: "Started container\n",
    type: "Normal",
    source: { component: "node-agent", host: "n1" },
    firstTimestamp: "2026-01-01T00:00:00Z",
    lastTimestamp: "2026-01-01T00:00:30Z",
    eventTime: null,
  });
  expect(shown(event, one, Date.parse("2026-01-01T00:01:00Z"))).toEqual({
    "Last Seen": "30s",
    Type: "Normal",
    Reason: "Started",
    Object: "pod/web",
    Subobject: "",
    Source: "node-agent, n1",
    Message: "Started container",
    "First Seen": "60s",
    Count: "1",
    Name: "web.1",
  });
});
