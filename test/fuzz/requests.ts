/** Requests as careless, broken and hostile clients make them, each by chance: a seed repeats them. */
import { gzipSync } from "node:zlib";
import { kinds } from "../../libs/model/registry.ts";
import type { Random } from "../../libs/telemetry/random.ts";
import { encodeMessage } from "../../services/api/protobuf/encode.ts";
import { sealed } from "../../services/api/protobuf/envelope.ts";
import { manifests, metadata } from "./manifests.ts";

export type FuzzRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  /** `slow`: the body comes in parts. `abandon`: the client goes before it is answered. */
  readonly manner: "whole" | "slow" | "abandon";
  readonly protocol: "http/1.1" | "h2" | "bytes";
};

export type Choice = {
  readonly of: <T>(all: readonly T[]) => T;
  readonly below: (limit: number) => number;
  readonly chance: (share: number) => boolean;
};

export function choiceOf(random: Random): Choice {
  const below = (limit: number) => Math.floor(random.next() * limit);
  return {
    below,
    chance: (share) => random.next() < share,
    of: <T>(all: readonly T[]) => {
      const picked = all[below(all.length)];
      if (picked === undefined) throw new Error("there is nothing to choose from");
      return picked;
    },
  };
}

/** @param token what the gateway knows its administrator by */
export function anyRequest(choice: Choice, token: string): FuzzRequest {
  const method = choice.of(methods);
  const { path, isWatch, plural } = anyPath(choice, method);
  const [contentType, body] =
    writes.has(method) || choice.chance(0.05)
      ? anyBody(choice, { method, plural })
      : ["", undefined];
  const headers = {
    ...anyHeaders(choice),
    ...(contentType !== "" && { "content-type": contentType }),
    ...(choice.chance(0.97) && { authorization: `Bearer ${token}` }),
  };
  const protocol = choice.chance(0.01)
    ? "bytes"
    : choice.of(["http/1.1", "http/1.1", "h2"] as const);
  const manner =
    isWatch || choice.chance(0.02) ? "abandon" : choice.chance(0.03) ? "slow" : "whole";
  return { method, path, headers, body, manner, protocol };
}

/** As often as they are drawn. */
const methods = ["GET", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"].flatMap((method, nth) =>
  Array.from({ length: [5, 5, 4, 3, 1, 1][nth] ?? 0 }, () => method),
);
const writes = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/** Kinds of which there are manifests. */
const known = kinds.filter(({ plural }) => plural in manifests);

const odd = [
  "",
  "..",
  "%2e%2e%2f",
  "%00",
  "%ff%fe",
  "%",
  "%zz",
  "a".repeat(300),
  "__proto__",
  "constructor",
  "é",
  "*",
  ":name",
  "web.web",
  "-1",
  "💥",
  "=XX",
  "a%2Fb",
  "UPPER",
];
const names = ["web", "web-1", "there", "default", "n1", "kube-system"];
const subresources = [
  "status",
  "scale",
  "log",
  "exec",
  "attach",
  "eviction",
  "ephemeralcontainers",
  "resize",
  "binding",
  "portforward",
  "token",
];
const fixed = [
  "/",
  "/api",
  "/apis",
  "/apis/apps",
  "/api/v1",
  "/version",
  "/metrics",
  "/livez?verbose",
  "/readyz?verbose",
  "/openapi/v3",
  "/openapi/v3/apis/apps/v1",
  "/openapi/v3/api/v1?hash=ABC",
  "/apis/metrics.k8s.io/v1beta1/nodes",
  "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
  "/apis/authentication.k8s.io/v1/selfsubjectreviews",
  "//api//v1//pods",
  "/api/v1/../v1/pods",
];

type AnyPath = { readonly path: string; readonly isWatch: boolean; readonly plural: string };

/** Mostly one that the method is served on. */
function anyPath(choice: Choice, method: string): AnyPath {
  if (choice.chance(0.08)) {
    return { path: choice.of(fixed), isWatch: false, plural: "" };
  }
  const kind = choice.chance(0.6) ? choice.of(known) : choice.of(kinds);
  const segment = () => (choice.chance(0.1) ? choice.of(odd) : choice.of(names));
  const base = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const space =
    kind.namespaced && choice.chance(0.85)
      ? `/namespaces/${choice.chance(0.9) ? "default" : segment()}`
      : "";
  const named = method === "GET" ? 0.5 : method === "POST" ? 0.1 : 0.95;
  const name = choice.chance(named) ? `/${segment()}` : "";
  const sub =
    name !== "" && choice.chance(method === "POST" ? 0.9 : 0.2)
      ? `/${choice.of(subresources)}`
      : "";
  const plural = choice.chance(0.03) ? choice.of(odd) : kind.plural;
  const parameters = Array.from({ length: choice.below(4) }, () => anyParameter(choice));
  const path = `${base}${space}/${plural}${name}${sub}`;
  const query = parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  return {
    path: `${path}${query}`,
    plural: kind.plural,
    isWatch: /watch=(true|1|yes)/.test(query) || query.includes("follow"),
  };
}

const parameters: Readonly<Record<string, readonly string[]>> = {
  watch: ["true", "1", "false", "yes"],
  limit: ["1", "0", "-1", "999999999999999999999", "1e3", "abc"],
  continue: ["abc", "WzEsImEiXQ", "W10", "%00", "e30"],
  labelSelector: [
    "a=b",
    "a in (b,c)",
    "!a",
    "a=",
    "(",
    "a in (",
    "a".repeat(200),
    "%00",
    "a notin (b),c",
  ],
  fieldSelector: [
    "metadata.name=web",
    "spec.nodeName=n1",
    "x=y",
    "metadata.name",
    "=",
    "a==b,c!=d",
  ],
  resourceVersion: ["0", "1", "", "-1", "abc", "00", "1.5"],
  resourceVersionMatch: ["Exact", "NotOlderThan", "odd"],
  sendInitialEvents: ["true", "false"],
  allowWatchBookmarks: ["true"],
  timeoutSeconds: ["1", "0", "-1", "99999999999999"],
  dryRun: ["All", "None", ""],
  fieldValidation: ["Strict", "Warn", "Ignore", "odd"],
  fieldManager: ["me", "a".repeat(200), "%00"],
  force: ["true"],
  propagationPolicy: ["Orphan", "Background", "Foreground", "odd"],
  gracePeriodSeconds: ["0", "-1", "1e9", "30"],
  pretty: ["true"],
  includeObject: ["None", "Metadata", "Object", "odd"],
  tailLines: ["1", "-1"],
  follow: ["true"],
  container: ["web", ""],
  "%ff": ["%ff"],
};

function anyParameter(choice: Choice): string {
  const name = choice.of(Object.keys(parameters));
  return `${name}=${choice.of(parameters[name] ?? [""])}`;
}

const protobufType = "application/vnd.kubernetes.protobuf";
const accepts = [
  "application/json",
  "application/yaml",
  protobufType,
  `${protobufType},application/json`,
  "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
  `${protobufType};as=PartialObjectMetadata;v=v1;g=meta.k8s.io`,
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
  `${protobufType};stream=watch`,
  "*/*;q=x",
  "text/html",
  ",,;;=,",
  "a".repeat(5_000),
];

function anyHeaders(choice: Choice): Record<string, string> {
  return {
    ...(choice.chance(0.6) && { accept: choice.of(accepts) }),
    ...(choice.chance(0.2) && { "accept-encoding": choice.of(["gzip", "br", "gzip;q=0", "*"]) }),
    ...(choice.chance(0.03) && { "content-encoding": choice.of(["gzip", "identity", "odd"]) }),
    ...(choice.chance(0.02) && { "if-none-match": choice.of(["*", '"A"', 'W/"A"']) }),
    ...(choice.chance(0.02) && { "user-agent": "a".repeat(choice.below(2_000)) }),
    ...(choice.chance(0.02) && { "x-large": "a".repeat(choice.below(80_000)) }),
    ...(choice.chance(0.02) &&
      Object.fromEntries(Array.from({ length: 250 }, (_, nth) => [`x-${nth}`, "1"]))),
  };
}

const bodies = ["application/json", "application/json", "application/yaml", protobufType];
const patches = [
  "json-patch+json",
  "merge-patch+json",
  "strategic-merge-patch+json",
  "apply-patch+yaml",
];

type Target = { readonly method: string; readonly plural: string };

function anyBody(choice: Choice, target: Target): readonly [contentType: string, body: Buffer] {
  const fitting = target.method === "PATCH" ? patches.map((one) => `application/${one}`) : bodies;
  const type = choice.chance(0.85)
    ? choice.of(fitting)
    : choice.of([
        "application/json",
        "application/json",
        "application/yaml",
        protobufType,
        ...patches.map((patch) => `application/${patch}`),
        "text/plain",
        "application/cbor",
      ]);
  return [type, bytesOf(choice, type, target)];
}

function bytesOf(choice: Choice, type: string, { plural }: Target): Buffer {
  if (choice.chance(0.12)) return Buffer.from(choice.of(hostile)(choice));
  const object = mutated(choice, plural);
  const isMessage = type === protobufType && typeof object === "object" && object !== null;
  const whole = isMessage
    ? protobufOf(choice, object, plural)
    : Buffer.from(textOf(choice, type, object));
  if (choice.chance(0.05)) return gzipSync(whole);
  if (choice.chance(0.1)) return whole.subarray(0, choice.below(whole.byteLength));
  if (choice.chance(0.1)) flip(choice, whole);
  return whole;
}

const hostile: readonly ((choice: Choice) => string | Uint8Array)[] = [
  () => "[".repeat(20_000),
  () => `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`,
  () => `{"metadata":{"name":"web"},"spec":{"replicas":${"9".repeat(400)}}}`,
  () => '{"metadata":{"name":"web","labels":{"a":"\\ud800"}}}',
  () => Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  () => bomb,
  () => "a: &a [*a]",
  () => "- ".repeat(10_000),
  () => "? ".repeat(2_000),
  () => `a: ${"!!binary ".repeat(500)}x`,
  () => "\ufeff{}",
  () => "",
  () => "null",
  () => "k8s\0",
  (choice) => Buffer.from(Array.from({ length: 200 }, () => choice.below(256))),
  (choice) =>
    Buffer.concat([
      Buffer.from("k8s\0"),
      Buffer.from(Array.from({ length: 100 }, () => choice.below(256))),
    ]),
  (choice) => (choice.chance(0.2) ? "x".repeat(3 * 1024 * 1024) : "x"),
];

/** Each line ten of the line before: 10⁹ in all. */
const bomb = [
  "a0: &a0 [x,x,x,x,x,x,x,x,x,x]",
  ...Array.from({ length: 8 }, (_, nth) => `a${nth + 1}: &a${nth + 1} [${`*a${nth},`.repeat(10)}]`),
].join("\n");

function textOf(choice: Choice, type: string, object: unknown): string {
  if (!type.includes("json-patch")) return JSON.stringify(object);
  const operation = () => ({
    op: choice.of(["add", "remove", "replace", "move", "copy", "test", "odd"]),
    path: choice.of([
      "/spec",
      "/metadata/labels/a",
      "",
      "/",
      "/spec/replicas",
      "/metadata/name",
      "/a~2",
    ]),
    from: choice.of(["/spec", "", "/metadata", "/spec/template"]),
    value: object,
  });
  return JSON.stringify(Array.from({ length: choice.below(4) }, operation));
}

function protobufOf(choice: Choice, object: object, plural: string): Buffer {
  const kind = kinds.find((one) => one.plural === plural) ?? choice.of(kinds);
  try {
    return Buffer.from(
      sealed(`${kind.group}/${kind.version}`, kind.kind, [encodeMessage(kind.schema, object)]),
    );
  } catch {
    return Buffer.from("k8s\0"); // What was mutated is of a type that no message has.
  }
}

function flip(choice: Choice, bytes: Buffer): void {
  const at = choice.below(bytes.byteLength);
  if (bytes.byteLength > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << choice.below(8));
}

const leaves: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  1e308,
  "",
  "web",
  "\0",
  "\ud800",
  "é".repeat(300),
  "9".repeat(40),
  "1e400",
  [],
  {},
  [[]],
  { __proto__x: 1 },
  "Background",
  "100%",
  "10Gi",
];

/** A manifest with other values at some of its places. */
function mutated(choice: Choice, plural: string): unknown {
  const fitting = choice.chance(0.9) ? manifests[plural] : undefined;
  const copy = structuredClone(fitting ?? choice.of(Object.values(manifests))) as Record<
    string,
    unknown
  >;
  if (choice.chance(0.5)) copy["metadata"] = { ...metadata, name: choice.of(names) };
  for (let nth = choice.below(3); nth > 0; nth -= 1) {
    const places = placesIn(copy);
    const [holder, key] = choice.of(places);
    if (choice.chance(0.2)) delete holder[key];
    else if (choice.chance(0.1)) holder[choice.of(odd)] = structuredClone(choice.of(leaves));
    else holder[key] = structuredClone(choice.of(leaves));
    if (places.length === 0) break;
  }
  return choice.chance(0.03) ? choice.of(leaves) : copy;
}

type Holder = Record<string, unknown>;
function placesIn(value: Holder): readonly (readonly [Holder, string])[] {
  const own = Object.entries(value).flatMap(([key, member]) => {
    const here = [[value, key] as const];
    return typeof member === "object" && member !== null
      ? [...here, ...placesIn(member as Holder)] // A list is held by its indexes.
      : here;
  });
  return own.length === 0 ? [[value, "spec"]] : own;
}
