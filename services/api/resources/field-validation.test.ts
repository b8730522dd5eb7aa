/** What a decoder refuses, over HTTPS. */
import { afterAll, describe, expect, test } from "vitest";
import {
  aDeployment,
  aPod,
  jsonPatch,
  mergePatch,
  named,
  refusals,
  spec,
  strategicPatch,
  web,
  yaml,
} from "../../../test/refusals.ts";

const { ask, expectRefusals, refused } = refusals(afterAll);

describe("values of a wrong type are 400", () => {
  expectRefusals([
    [
      "a number that is a string",
      "POST deployments",
      { body: aDeployment({ replicas: "three" }) },
      "400 BadRequest",
      'Deployment in version "v1" cannot be handled as a Deployment: spec.replicas: must be an integer, but is a string',
      '"field":"spec.replicas"',
    ],
    [
      "a fraction",
      "POST deployments",
      { body: aDeployment({ replicas: 1.5 }) },
      "400 BadRequest",
      "spec.replicas",
    ],
    [
      "a number beyond 32 bits",
      "POST deployments",
      { body: aDeployment({ replicas: 2 ** 31 }) },
      "400 BadRequest",
      "spec.replicas: must fit in 32 bits",
    ],
    [
      "a list that is an object",
      "POST pods",
      { body: { ...named("bad"), spec: { containers: {} } } },
      "400 BadRequest",
      "spec.containers: must be a list",
    ],
    [
      "a flag that is a string",
      "POST pods",
      { body: aPod({ tty: "yes" }) },
      "400 BadRequest",
      "spec.containers[0].tty: must be a boolean",
    ],
    [
      "a number in a ConfigMap",
      "POST configmaps",
      { body: { ...named("bad"), data: { a: 1 } } },
      "400 BadRequest",
      "data.a: must be a string, but is a number",
    ],
    [
      "a bad quantity",
      "POST pods",
      { body: aPod({ resources: { limits: { cpu: "lots" } } }) },
      "400 BadRequest",
      "spec.containers[0].resources.limits.cpu: quantities must match",
    ],
    [
      "a bad time",
      "POST configmaps",
      { body: { metadata: { name: "bad", creationTimestamp: "today" } } },
      "400 BadRequest",
      "metadata.creationTimestamp: must be a time",
    ],
    [
      "no base64",
      "POST secrets",
      { body: { ...named("bad"), data: { key: "hunter2!" } } },
      "400 BadRequest",
      "data.key: must be a string in base64",
    ],
    [
      "metadata that is a string",
      "POST configmaps",
      { body: { metadata: "bad" } },
      "400 BadRequest",
      "metadata: must be an object",
    ],
    [
      "a name that is a number",
      "POST configmaps",
      { body: { metadata: { name: 5 } } },
      "400 BadRequest",
      "metadata.name",
    ],
    [
      "a body that is a list",
      "POST configmaps",
      { body: [] },
      "400 BadRequest",
      "must be an object",
    ],
    [
      "a key that JavaScript keeps to itself",
      "POST configmaps",
      { bytes: '{"metadata":{"name":"bad"},"data":{"__proto__":"x"}}' },
      "400 BadRequest",
      "data.__proto__",
    ],
    [
      "what a PUT makes",
      "PUT deployments/web",
      { body: { ...web, spec: { ...spec, replicas: "2" } } },
      "400 BadRequest",
      "spec.replicas",
    ],
    [
      "a Scale",
      "PUT deployments/web/scale",
      { body: { spec: { replicas: "2" } } },
      "400 BadRequest",
      "spec.replicas",
    ],
    [
      "options of a deletion",
      "DELETE configmaps/there",
      { body: { gracePeriodSeconds: "soon" } },
      "400 BadRequest",
      "gracePeriodSeconds",
    ],
    // As in Kubernetes: the patch is understood, its outcome is not valid.
    [
      "what a patch makes is 422",
      "PATCH deployments/web",
      mergePatch({ spec: { replicas: "two" } }),
      "422 Invalid",
      'Deployment.apps "web" is invalid: spec.replicas: must be an integer',
    ],
    [
      "what a JSON patch makes is 422",
      "PATCH deployments/web",
      jsonPatch({ op: "replace", path: "/spec/replicas", value: [] }),
      "422 Invalid",
      "spec.replicas",
    ],
  ]);

  test("a dash with nothing after it is an item that lacks its name", async () => {
    const answer = await refused(
      "POST pods",
      yaml("metadata: {name: bad}\nspec:\n  containers:\n  -\n"),
    );
    expect(answer.body).toMatchObject({ code: 422 });
    expect(answer.text).toContain("spec.containers[0].name: ");
  });
});

describe("unknown fields", () => {
  const body = { ...aDeployment({ replica: 1 }), sepc: {} };
  const wrong = ['unknown field "spec.replica"', 'unknown field "sepc"'];

  expectRefusals([
    [
      "Strict is 400",
      "POST deployments?fieldValidation=Strict",
      { body },
      "400 BadRequest",
      "strict decoding error: ",
      ...wrong.map((text) => JSON.stringify(text).slice(1, -1)),
      '"field":"spec.replica"',
    ],
    [
      "a prototype's key is one",
      "POST configmaps?fieldValidation=Strict",
      { bytes: '{"metadata":{"name":"bad"},"__proto__":{"a":1}}' },
      "400 BadRequest",
      "__proto__",
    ],
    [
      "of a patch are 422",
      "PATCH deployments/web?fieldValidation=Strict",
      strategicPatch({ spec: { replica: 2 } }),
      "422 Invalid",
      "strict decoding error: unknown field",
    ],
    [
      "no such validation",
      "POST deployments?fieldValidation=Loose",
      { body },
      "400 BadRequest",
      "fieldValidation",
    ],
  ]);

  test("Warn takes the rest and says what it left out", async () => {
    const answer = await ask(`POST deployments?fieldValidation=Warn&dryRun=All`, {
      body,
    });
    expect(answer.code).toBe(201);
    expect(answer.warnings).toEqual(wrong.map((text) => `299 - "${text.replaceAll('"', '\\"')}"`));
    expect(answer.body).not.toHaveProperty("sepc");
  });

  test("Ignore says nothing", async () => {
    const answer = await ask(`POST deployments?fieldValidation=Ignore&dryRun=All`, {
      body,
    });
    expect(answer).toMatchObject({ code: 201, warnings: [] });
  });

  test("are warned of within what a header holds, whatever they are called", async () => {
    const strange = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, nth) => [`é\n"${nth}${"x".repeat(40)}`, 1]),
    );
    const answer = await ask(`POST configmaps?dryRun=All`, {
      body: { ...named("a"), ...strange },
    });
    expect(answer.code).toBe(201);
    expect(answer.warnings.join("").length).toBeLessThan(8_192);
    expect(answer.warnings.length).toBeGreaterThan(1);
  });
});
