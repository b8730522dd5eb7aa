/** Bodies that no gateway can read. */
import { afterAll, describe, expect, test } from "vitest";
import {
  type Case,
  jsonPatch,
  mergePatch,
  named,
  protobuf,
  refusals,
  yaml,
} from "../../../test/refusals.ts";

const { expectRefusals, refused } = refusals(afterAll);

const deep = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

describe("bodies that cannot be read", () => {
  const bomb = Array.from({ length: 8 }, (_, nth) =>
    nth === 0
      ? "a0: &a0 [x, x, x, x, x, x, x, x, x]"
      : `a${nth}: &a${nth} [${Array.from({ length: 9 }, () => `*a${nth - 1}`).join(", ")}]`,
  ).join("\n");
  const cut = JSON.stringify(named("bad")).slice(0, -3);
  const large = JSON.stringify({ ...named("bad"), data: { a: "x".repeat(1_572_864) } });
  // An envelope around { metadata: { name: "cut" } }, of which "length" bytes are sent.
  const envelope = "k8s\0\n\x0f\n\x02v1\x12\x09ConfigMap\x12\x07\n\x05\n\x03cut";
  expectRefusals([
    [
      "JSON that is cut short",
      "POST configmaps",
      { bytes: cut },
      "400 BadRequest",
      "not valid JSON",
    ],
    ["no body", "POST configmaps", { bytes: "" }, "400 BadRequest", "not valid JSON"],
    [
      "YAML that is none",
      "POST configmaps",
      yaml("a: [1, 2\nb: c"),
      "400 BadRequest",
      "not valid YAML at line 2",
    ],
    [
      "a patch that is cut short",
      "PATCH deployments/web",
      { ...mergePatch({}), bytes: '{"spec":' },
      "400 BadRequest",
      "not valid JSON",
    ],
    [
      "a JSON patch that is none",
      "PATCH deployments/web",
      jsonPatch({ op: "grow" }),
      "400 BadRequest",
      "JSON patch",
    ],
    [
      "a merge patch that is a number",
      "PATCH deployments/web",
      { ...mergePatch({}), bytes: "5" },
      "400 BadRequest",
    ],
    [
      "JSON nested 10,000 deep",
      "POST configmaps",
      { bytes: deep(10_000) },
      "400 BadRequest",
      "nested",
    ],
    [
      "JSON nested 200,000 deep",
      "POST configmaps",
      { bytes: deep(200_000) },
      "400 BadRequest",
      "nested",
    ],
    ["YAML nested 10,000 deep", "POST configmaps", yaml("[".repeat(10_000)), "400 BadRequest"],
    ["YAML of aliases to aliases", "POST configmaps", yaml(bomb), "400 BadRequest", "aliases"],
    [
      "invalid UTF-8",
      "POST configmaps",
      { bytes: Buffer.from('{"metadata":{"name":"b\xff"}}', "latin1") },
      "400 BadRequest",
      "UTF-8",
    ],
    [
      "a raw NUL",
      "POST configmaps",
      { bytes: '{"metadata":{"name":"b\0"}}' },
      "400 BadRequest",
      "not valid JSON",
    ],
    ["no protobuf", "POST configmaps", protobuf('{"metadata":{}}'), "400 BadRequest", "protobuf"],
    ...[2, 10, 20, 28, 29].map((length): Case => [
      `protobuf cut after ${length} bytes`,
      "POST configmaps",
      protobuf(envelope.slice(0, length)),
      "400 BadRequest",
      "protobuf",
    ]),
    [
      "protobuf of another kind",
      "POST secrets",
      protobuf(envelope),
      "400 BadRequest",
      "must be of type Secret",
    ],
    [
      "protobuf whose field is of another wire type",
      "POST configmaps",
      protobuf("k8s\0\n\x0f\n\x02v1\x12\x09ConfigMap\x12\x02\x08\x05"),
      "400 BadRequest",
      "metadata",
    ],
    [
      "an object over 1.5 MiB",
      "POST configmaps",
      { bytes: large },
      "413 RequestEntityTooLarge",
      "limit is 1572864",
    ],
    [
      "a body far over 1.5 MiB",
      "POST configmaps",
      { bytes: " ".repeat(4 * 1_572_864) },
      "413 RequestEntityTooLarge",
    ],
    [
      "a language that nobody speaks",
      "POST configmaps",
      { bytes: "x", contentType: "application/cbor" },
      "415 UnsupportedMediaType",
      "application/json",
    ],
    [
      "a language by the name of what objects inherit",
      "POST configmaps",
      { bytes: "{}", contentType: "constructor" },
      "415 UnsupportedMediaType",
    ],
    [
      "a patch in no patch language",
      "PATCH deployments/web",
      { bytes: "{}" },
      "415 UnsupportedMediaType",
      "application/merge-patch+json",
    ],
    [
      "an answer in no language",
      "POST configmaps",
      { body: named("bad"), accept: "text/html" },
      "406 NotAcceptable",
    ],
    [
      "a view that there is not",
      "DELETE configmaps/there?includeObject=All",
      {},
      "400 BadRequest",
      "includeObject",
    ],
  ]);

  test("20,000 keys, and 300,000 items of a protobuf list, are read in passing", async () => {
    const keys = Array.from({ length: 20_000 }, (_, nth) => `k${nth}: 1`).join("\n");
    expect((await refused(`POST configmaps`, yaml(keys))).code).toBe(422);
    const inner = Buffer.from("\n\0".repeat(300_000), "latin1");
    const size = [
      0x80 | (inner.length & 0x7f),
      0x80 | ((inner.length >> 7) & 0x7f),
      inner.length >> 14,
    ];
    const bytes = Buffer.concat([
      Buffer.from(`${envelope.slice(0, 21)}\x12`, "latin1"),
      Buffer.from(size),
      inner,
    ]);
    const contentType = "application/vnd.kubernetes.protobuf";
    expect((await refused(`POST configmaps`, { bytes, contentType })).code).toBe(422);
  });
});
