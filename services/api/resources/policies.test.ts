import { afterAll, expect, test } from "vitest";
import { mergePatch, named, refusals } from "../../../test/refusals.ts";

const { ask, refused } = refusals(afterAll);
const group = "/apis/admissionregistration.k8s.io/v1";

/** A policy about ConfigMaps with one expression, under a binding with `actions`, until it is disposed of. */
async function policed(
  name: string,
  spec: object,
  actions: readonly string[] = ["Deny"],
): Promise<AsyncDisposable> {
  const resourceRules = [
    { operations: ["*"], apiGroups: [""], apiVersions: ["*"], resources: ["configmaps"] },
  ];
  const policy = { ...named(name), spec: { matchConstraints: { resourceRules }, ...spec } };
  const binding = { ...named(name), spec: { policyName: name, validationActions: actions } };
  for (const [plural, body] of [
    ["validatingadmissionpolicies", policy],
    ["validatingadmissionpolicybindings", binding],
  ] as const) {
    const { text, code } = await ask(`POST ${group}/${plural}`, { body });
    expect([code, text]).toEqual([201, expect.any(String)]);
  }
  return {
    async [Symbol.asyncDispose]() {
      await ask(`DELETE ${group}/validatingadmissionpolicybindings/${name}`);
      await ask(`DELETE ${group}/validatingadmissionpolicies/${name}`);
    },
  };
}
const config = (name: string, data: object) => ({ body: { ...named(name), data } });

test("a policy denies what is created and what is changed, and is over when it is gone", async () => {
  {
    await using _policy = await policed("owned", {
      validations: [
        {
          expression: "has(object.data.owner)",
          messageExpression: "object.metadata.name + ' has no owner'",
          reason: "Forbidden",
        },
      ],
    });
    const { code, body } = await refused("POST configmaps", config("p1", {}));
    expect(code).toBe(403);
    const message =
      "ValidatingAdmissionPolicy 'owned' with binding 'owned' denied request: p1 has no owner";
    expect(body).toMatchObject({
      reason: "Forbidden",
      message: `configmaps "p1" is forbidden: ${message}`,
      details: { name: "p1", kind: "configmaps", causes: [{ message }] },
    });
    expect((await ask("POST configmaps", config("p1", { owner: "me" }))).code).toBe(201);
    const change = mergePatch({ data: { owner: null } });
    expect((await refused("PATCH configmaps/p1", change)).code).toBe(403);
  }
  expect((await ask("POST configmaps", config("p2", {}))).code).toBe(201);
});

test("a policy may keep an object from being deleted, and see a dry run", async () => {
  await ask("POST configmaps", config("kept", {}));
  await using _policy = await policed("keeps", {
    validations: [
      { expression: "request.operation != 'DELETE' || request.dryRun", message: "kept" },
    ],
  });
  expect((await refused("DELETE configmaps/kept", {})).code).toBe(422);
  expect((await refused("DELETE configmaps/kept?dryRun=All", {})).code).toBe(200);
});

test("a policy that is to warn lets pass, with a warning", async () => {
  await using _policy = await policed(
    "warns",
    { validations: [{ expression: "false", message: "hm" }] },
    ["Warn"],
  );
  const { code, warnings } = await ask("POST configmaps", config("p3", {}));
  expect([code, warnings]).toEqual([
    201,
    [`299 - "Validation failed for ValidatingAdmissionPolicy 'warns' with binding 'warns': hm"`],
  ]);
});

test("policies are judged by none, or nobody could repair them", async () => {
  await using _policy = await policed("all", {
    matchConstraints: {
      resourceRules: [
        { operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] },
      ],
    },
    validations: [{ expression: "false" }],
  });
  expect((await refused("POST configmaps", config("p4", {}))).code).toBe(422);
  const repaired = mergePatch({ spec: { validationActions: ["Audit"] } });
  expect((await ask(`PATCH ${group}/validatingadmissionpolicybindings/all`, repaired)).code).toBe(
    200,
  );
  expect((await ask("POST configmaps", config("p4", {}))).code).toBe(201);
});
