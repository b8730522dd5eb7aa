import { describe, expect, test } from "vitest";
import { causesOf } from "../causes-fixture.ts";
import { parse } from "../errors.ts";
import type { Kind } from "../kind.ts";
import { mutatingWebhookConfiguration } from "../kinds/mutatingwebhookconfiguration.ts";
import { validatingAdmissionPolicy } from "../kinds/validatingadmissionpolicy.ts";
import { validatingAdmissionPolicyBinding } from "../kinds/validatingadmissionpolicybinding.ts";
import { validatingWebhookConfiguration } from "../kinds/validatingwebhookconfiguration.ts";

const faultsOf = (kind: Kind, fields: object) =>
  causesOf(() => parse(kind, { metadata: { name: "x" }, ...fields }));

const rule = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] };
const webhook = {
  name: "hook.example.com",
  clientConfig: { url: "https://hook.example.com/check" },
  rules: [rule],
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
};

describe("a webhook is refused", () => {
  test.each([
    [
      "with a name of two segments",
      { name: "hook.example" },
      'webhooks[0].name: Invalid value: "hook.example": should be a domain with at least three segments separated by dots',
    ],
    [
      "with side effects",
      { sideEffects: "Some" },
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    ],
    [
      "that speaks no known review",
      { admissionReviewVersions: ["v2"] },
      'webhooks[0].admissionReviewVersions: Invalid value: ["v2"]: must include at least one of v1, v1beta1',
    ],
    [
      "that may take too long",
      { timeoutSeconds: 31 },
      "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds",
    ],
    [
      "that is nowhere",
      { clientConfig: {} },
      "webhooks[0].clientConfig: Required value: exactly one of url or service is required",
    ],
    [
      "without TLS",
      { clientConfig: { url: "http://a.b" } },
      "webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]",
    ],
    [
      "with a query",
      { clientConfig: { url: "https://a.b/?c=d" } },
      'webhooks[0].clientConfig.url: Invalid value: "c=d": query parameters are not permitted in the URL',
    ],
    [
      "at a relative path",
      { clientConfig: { service: { name: "a", namespace: "b", path: "c" } } },
      "webhooks[0].clientConfig.service.path: Invalid value: \"c\": must start with a '/'",
    ],
    [
      "that names all groups and one",
      { rules: [{ ...rule, apiGroups: ["*", ""] }] },
      'webhooks[0].rules[0].apiGroups: Invalid value: ["*",""]: if \'*\' is present, must not specify other API groups',
    ],
    [
      "that names no operation",
      { rules: [{ ...rule, operations: [] }] },
      "webhooks[0].rules[0].operations: Required value",
    ],
    [
      "with a condition that does not compile",
      { matchConditions: [{ name: "a", expression: "params.x" }] },
      "webhooks[0].matchConditions[0].expression: Invalid value: \"params.x\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')",
    ],
    [
      "with a condition that is none",
      { matchConditions: [{ name: "a", expression: "'a'" }] },
      "webhooks[0].matchConditions[0].expression: Invalid value: \"'a'\": must evaluate to bool but got string",
    ],
    [
      "with a condition about what a request has not",
      { matchConditions: [{ name: "a", expression: "request.verb == 'CREATE'" }] },
      "webhooks[0].matchConditions[0].expression: Invalid value: \"request.verb == 'CREATE'\": compilation failed: ERROR: <input>:1:8: undefined field 'verb'",
    ],
    [
      "with a condition that may be any value",
      { matchConditions: [{ name: "a", expression: "object.spec.paused" }] },
      'webhooks[0].matchConditions[0].expression: Invalid value: "object.spec.paused": must evaluate to bool but got dyn',
    ],
  ])("%s", (_name, change, fault) => {
    const webhooks = [{ ...webhook, ...change }];
    for (const kind of [mutatingWebhookConfiguration, validatingWebhookConfiguration]) {
      const [first = ""] = faultsOf(kind, { webhooks });
      expect(first.split("\n")[0]).toBe(fault);
    }
  });

  test("when another has its name", () => {
    expect(faultsOf(mutatingWebhookConfiguration, { webhooks: [webhook, webhook] })).toEqual([
      'webhooks[1].name: Duplicate value: "hook.example.com"',
    ]);
  });
});

const spec = { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: "true" }] };

describe("a policy is refused", () => {
  test.each([
    [
      "that matches nothing",
      { matchConstraints: undefined },
      "spec.matchConstraints: Required value",
    ],
    [
      "without rules",
      { matchConstraints: {} },
      "spec.matchConstraints.resourceRules: Required value",
    ],
    [
      "that says nothing",
      { validations: [] },
      "spec.validations: Required value: validations or auditAnnotations must contain at least one item",
    ],
    [
      "with an expression that does not parse",
      { validations: [{ expression: "object." }] },
      /^spec\.validations\[0\]\.expression: Invalid value: "object\.": compilation failed: ERROR: <input>:1:8: Syntax error: /,
    ],
    [
      "that asks the authorizer for what is no question",
      { validations: [{ expression: "authorizer.group('').check('get').allowed()" }] },
      /found no matching overload for 'check' applied to 'kubernetes.authorization.GroupCheck.\(string\)'/,
    ],
    [
      "that reads a variable that there is not",
      {
        variables: [{ name: "a", expression: "1" }],
        validations: [{ expression: "variables.b == 1" }],
      },
      /1:10: undefined field 'b'/,
    ],
    [
      "with a variable that reads a later one",
      {
        variables: [
          { name: "a", expression: "variables.b" },
          { name: "b", expression: "1" },
        ],
      },
      /^spec\.variables\[0\]\.expression: .*undefined field 'b'/,
    ],
    [
      "that takes a variable for what it is not",
      {
        variables: [{ name: "names", expression: "['a'] + request.userInfo.groups" }],
        validations: [{ expression: "variables.names == 'a'" }],
      },
      /found no matching overload for '_==_' applied to '\(list\(string\), string\)'/,
    ],
    [
      "that calls a function that there is not",
      { validations: [{ expression: "permitted(object)" }] },
      /1:10: undeclared reference to 'permitted' \(in container ''\)/,
    ],
    [
      "with an expression that is no judgement",
      { validations: [{ expression: "1" }] },
      'spec.validations[0].expression: Invalid value: "1": must evaluate to bool but got int',
    ],
    [
      "with a message that is none",
      { validations: [{ expression: "true", messageExpression: "1" }] },
      'spec.validations[0].messageExpression: Invalid value: "1": must evaluate to string but got int',
    ],
    [
      "for a reason that is none",
      { validations: [{ expression: "true", reason: "Bored" }] },
      'spec.validations[0].reason: Unsupported value: "Bored": supported values: "Unauthorized", "Forbidden", "Invalid", "RequestEntityTooLarge"',
    ],
    [
      "with a variable that cannot be named",
      { variables: [{ name: "a-b", expression: "1" }] },
      'spec.variables[0].name: Invalid value: "a-b": name is not a valid CEL identifier',
    ],
    [
      "that reads parameters which it has none of",
      { validations: [{ expression: "params.x" }] },
      /undeclared reference to 'params'/,
    ],
  ])("%s", (_name, change, fault) => {
    const [first = ""] = faultsOf(validatingAdmissionPolicy, {
      spec: { ...spec, ...change },
    });
    if (typeof fault === "string") expect(first).toBe(fault);
    else expect(first).toMatch(fault);
  });

  test.each([
    ["of no policy", { policyName: undefined }, "spec.policyName: Required value"],
    [
      "without actions",
      { validationActions: [] },
      "spec.validationActions: Required value: at least one validation action is required",
    ],
    [
      "that denies and warns",
      { validationActions: ["Deny", "Warn"] },
      /^spec\.validationActions: Invalid value: \["Deny","Warn"\]: must not contain both Deny and Warn/,
    ],
    [
      "with parameters that it does not name",
      { paramRef: { parameterNotFoundAction: "Deny" } },
      "spec.paramRef: Required value: one of name or selector must be specified",
    ],
    [
      "that does not say what happens without parameters",
      { paramRef: { name: "a" } },
      "spec.paramRef.parameterNotFoundAction: Required value",
    ],
  ])("by a binding %s", (_name, change, fault) => {
    const binding = { policyName: "p", validationActions: ["Deny"], ...change };
    const [first = ""] = faultsOf(validatingAdmissionPolicyBinding, { spec: binding });
    if (typeof fault === "string") expect(first).toBe(fault);
    else expect(first).toMatch(fault);
  });
});
