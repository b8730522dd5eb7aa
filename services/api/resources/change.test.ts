/** What breaks a rule is refused by the name of its field. */
import { afterAll, describe, expect, test } from "vitest";
import {
  aDeployment,
  aPod,
  container,
  jsonPatch,
  mergePatch,
  named,
  refusals,
  spec,
  strategicPatch,
} from "../../../test/refusals.ts";

const { ask, expectRefusals, refused } = refusals(afterAll);

describe("broken rules are 422 and name the field", () => {
  const twice = { containers: [container, container] };
  const template = (labels: object) => ({ template: { ...spec.template, metadata: { labels } } });
  expectRefusals([
    [
      "a bad name",
      "POST configmaps",
      { body: named("Bad_Name") },
      "422 Invalid",
      'ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: ',
      "RFC 1123",
    ],
    [
      "a name too long",
      "POST configmaps",
      { body: named("a".repeat(254)) },
      "422 Invalid",
      "metadata.name",
      "no more than 253",
    ],
    [
      "a Service's name",
      "POST services",
      { body: { ...named("1st"), spec: { ports: [{ port: 80 }] } } },
      "422 Invalid",
      "metadata.name",
      "DNS-1035",
    ],
    [
      "no name",
      "POST deployments",
      { body: { metadata: {}, spec } },
      "422 Invalid",
      'Deployment.apps "" is invalid: metadata.name: Required value',
      '"group":"apps"',
    ],
    ["a name with NUL", "POST configmaps", { body: named("a\0b") }, "422 Invalid", "metadata.name"],
    [
      "a selector that misses its template",
      "POST deployments",
      { body: aDeployment(template({ app: "db" })) },
      "422 Invalid",
      'Deployment.apps "bad" is invalid: spec.template.metadata.labels: Invalid value: ',
      "`selector` does not match template `labels`",
      '"reason":"FieldValueInvalid"',
      '"kind":"Deployment"',
    ],
    [
      "negative replicas",
      "POST deployments",
      { body: aDeployment({ replicas: -1 }) },
      "422 Invalid",
      "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
    ],
    [
      "a negative scale",
      "PATCH deployments/web/scale",
      mergePatch({ spec: { replicas: -1 } }),
      "422 Invalid",
      'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1',
    ],
    [
      "no image",
      "POST pods",
      { body: aPod({ image: undefined }) },
      "422 Invalid",
      "spec.containers[0].image",
      "FieldValueRequired",
    ],
    [
      "no containers",
      "POST pods",
      { body: { ...named("bad"), spec: {} } },
      "422 Invalid",
      "spec.containers: Required value",
    ],
    [
      "containers of one name",
      "POST pods",
      { body: { ...named("bad"), spec: twice } },
      "422 Invalid",
      'spec.containers[1].name: Duplicate value: "web"',
      "FieldValueDuplicate",
    ],
    [
      "ports of one name",
      "POST pods",
      {
        body: aPod({
          ports: [
            { name: "http", containerPort: 80 },
            { name: "http", containerPort: 81 },
          ],
        }),
      },
      "422 Invalid",
      "spec.containers[0].ports[1].name: Duplicate value",
    ],
    [
      "a port out of range",
      "POST pods",
      { body: aPod({ ports: [{ containerPort: 70_000 }] }) },
      "422 Invalid",
      "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535",
    ],
    [
      "an unsupported value",
      "POST pods",
      { body: aPod({ imagePullPolicy: "Maybe" }) },
      "422 Invalid",
      "spec.containers[0].imagePullPolicy: Unsupported value",
      "FieldValueNotSupported",
    ],
    [
      "a bad label key",
      "POST configmaps",
      { body: { metadata: { name: "bad", labels: { "a b": "c" } } } },
      "422 Invalid",
      "metadata.labels",
    ],
    [
      "a bad label value",
      "POST configmaps",
      { body: { metadata: { name: "bad", labels: { a: "b c" } } } },
      "422 Invalid",
      "metadata.labels.a",
      "valid label",
    ],
    [
      "a bad key of a ConfigMap",
      "POST configmaps",
      { body: { ...named("bad"), data: { "a/b": "c" } } },
      "422 Invalid",
      "data",
    ],
    [
      "a request above its limit",
      "POST pods",
      { body: aPod({ resources: { requests: { cpu: "2" }, limits: { cpu: 1 } } }) },
      "422 Invalid",
      "spec.containers[0].resources.requests",
    ],
    [
      "another selector",
      "PATCH deployments/web",
      strategicPatch({
        spec: {
          selector: { matchLabels: { app: "web", tier: "b" } },
          template: { metadata: { labels: { tier: "b" } } },
        },
      }),
      "422 Invalid",
      'Deployment.apps "web" is invalid: spec.selector: Invalid value: ',
      "field is immutable",
    ],
    [
      "a propagation policy that there is not",
      "DELETE configmaps/there?propagationPolicy=Sideways",
      {},
      "422 Invalid",
      "propagationPolicy",
      "FieldValueNotSupported",
    ],
    [
      "a JSON patch that does not apply",
      "PATCH deployments/web",
      jsonPatch({ op: "remove", path: "/spec/nothing" }),
      "422 Invalid",
      "the server rejected our request due to an error in our request",
    ],
    [
      "a JSON patch of what objects inherit",
      "PATCH deployments/web",
      jsonPatch({ op: "add", path: "/hasOwnProperty/call", value: 1 }),
      "422 Invalid",
      "the server rejected our request due to an error in our request",
    ],
  ]);

  test("so many that they are counted, not told", async () => {
    const labels = Object.fromEntries(Array.from({ length: 5_000 }, (_, nth) => [`-${nth}`, ""]));
    const { body, text } = await refused(`POST configmaps`, {
      body: { metadata: { name: "bad", labels } },
    });
    expect(body).toMatchObject({ code: 422, message: expect.stringContaining("and 4900 more") });
    expect(text.length).toBeLessThan(200_000);
  });
});

describe("an object that grows", () => {
  const half = "x".repeat(500_000);
  const grown = (args: readonly string[]) => ({
    ...named("grows"),
    spec: {
      ...spec,
      template: { ...spec.template, spec: { containers: [{ ...container, args }] } },
    },
  });
  const args = "/spec/template/spec/containers/0/args";

  test("is refused above 1.5 MiB though no request was that large, and stays as it was", async () => {
    expect((await ask("POST deployments", { body: grown([half, half]) })).code).toBe(201);
    const add = jsonPatch({ op: "add", path: `${args}/-`, value: half });
    expect((await ask(`PATCH deployments/grows`, add)).code).toBe(200);
    const path = `PATCH deployments/grows`;
    expect((await refused(path, add)).body).toMatchObject({
      code: 413,
      reason: "RequestEntityTooLarge",
    });
    const copy = { op: "copy", from: args, path: "/metadata/annotations" };
    expect((await refused(path, jsonPatch(copy, copy))).body).toMatchObject({ code: 413 });
    const { body } = await ask(`GET deployments/grows`);
    expect(body).toMatchObject(grown([half, half, half]));
  });
});
