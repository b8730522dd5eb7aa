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
      "422 Invalid",
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

describe("fields that are unknown, or stand twice", () => {
  const text =
    '{"metadata":{"name":"$"},"spec":{"replicas":1,"replicas":2,"foo":1,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"a","image":"b","image":"c"}]}}}}';
  const found = [
    'duplicate field "spec.replicas"',
    'duplicate field "spec.template.spec.containers[0].image"',
    'unknown field "spec.foo"',
  ];
  const asYaml = `metadata: {name: $}
spec:
  replicas: 1
  replicas: 2
  foo: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: a
          image: b
          image: c
`;
  const patch = '{"spec":{"replicas":1,"replicas":3,"foo":1}}';
  const [replicas = "", , foo = ""] = found;
  const json = { bytes: text.replace("$", "twice") };
  const web = { bytes: text.replace("$", "web") };
  const merge = { bytes: patch, contentType: "application/merge-patch+json" };
  const strategic = { bytes: patch, contentType: "application/strategic-merge-patch+json" };
  const operations = jsonPatch({ op: "add", path: "/spec/foo", value: 1 });
  const rows = [
    ["a create", "POST deployments", json, found],
    ["a create in YAML", "POST deployments", yaml(asYaml.replace("$", "twice")), found],
    ["an update", "PUT deployments/web", web, found],
    ["a merge patch", "PATCH deployments/web", merge, [replicas, foo]],
    ["a strategic patch", "PATCH deployments/web", strategic, [replicas, foo]],
    ["a JSON patch", "PATCH deployments/web", operations, [foo]],
  ] as const;

  test.each(rows)("Strict refuses %s", async (_name, request, sent, faults) => {
    const { code, body } = await refused(`${request}?fieldValidation=Strict`, sent);
    if (request.startsWith("PATCH")) {
      expect(code).toBe(422);
      expect(body["message"]).toContain('Deployment.apps "web" is invalid: ');
      for (const fault of faults)
        expect(body["message"]).toContain(`strict decoding error: ${fault}`);
      return;
    }
    expect(code).toBe(400);
    expect(body["message"]).toBe(
      `Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: ${faults.join(", ")}`,
    );
  });

  test.each(rows)("Warn, the default, warns of %s", async (_name, request, sent, faults) => {
    for (const query of ["fieldValidation=Warn", "fieldValidation="]) {
      const answer = await ask(`${request}?${query}&dryRun=All`, sent);
      expect(answer.code).toBeLessThan(300);
      const wanted = faults.map((fault) => `299 - "${fault.replaceAll('"', String.raw`\"`)}"`);
      expect(answer.warnings).toEqual(wanted);
    }
  });

  test.each(rows)("Ignore takes %s as it is", async (_name, request, sent) => {
    const answer = await ask(`${request}?fieldValidation=Ignore&dryRun=All`, sent);
    expect(answer.code).toBeLessThan(300);
    expect(answer.warnings).toEqual([]);
    expect(answer.body["spec"]).not.toHaveProperty("foo");
    if (request.startsWith("P") && sent !== operations) {
      expect(answer.body).toMatchObject({
        spec: { replicas: request.startsWith("PATCH") ? 3 : 2 },
      });
    }
  });
});
