import { describe, expect, test } from "vitest";
import { transactionOf } from "../admission/transaction.ts";
import { writableView } from "../cluster/view-of.ts";
import { authorize } from "../identity/authorize.ts";
import type { Kind } from "../model/kind.ts";
import { configMap } from "../model/kinds/configmap.ts";
import { namespace } from "../model/kinds/namespace.ts";
import { validatingAdmissionPolicy } from "../model/kinds/validatingadmissionpolicy.ts";
import { validatingAdmissionPolicyBinding } from "../model/kinds/validatingadmissionpolicybinding.ts";
import { kindNamed } from "../model/registry.ts";
import { AdmissionDenied } from "./denied.ts";
import { type AuditFacts, checkPolicies, policyOf } from "./policy.ts";
import type { AdmissionRequest } from "./request.ts";

const cluster = writableView();
const { view } = cluster;
const put = (kind: Kind, input: object) => {
  const object = kind.schema.parse(input) as never; // As the schema makes it.
  cluster.commit(transactionOf(kind, undefined, object, view));
  return object as unknown;
};
const limits = (name: string, home: string, max: string) =>
  put(configMap, { metadata: { name, namespace: home, labels: { use: "limits" } }, data: { max } });
put(namespace, { metadata: { name: "default", labels: { env: "prod" } } });
limits("small", "default", "3");
limits("large", "default", "9");
limits("central", "other", "5");

const request: AdmissionRequest = {
  operation: "CREATE",
  kind: configMap,
  subresource: "",
  namespace: "default",
  name: "web",
  user: { username: "jo", groups: ["devs"] },
  dryRun: false,
  options: undefined,
};
const object = configMap.schema.parse({
  metadata: { name: "web", namespace: "default", labels: { team: "a" } },
  data: { size: "4" },
});
const configMaps = {
  resourceRules: [
    { operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] },
  ],
};
const size = "int(object.data.size)";

type Row = {
  readonly name: string;
  readonly spec: object;
  readonly binding?: object;
  readonly request?: Partial<AdmissionRequest>;
  /** What the message ends with; absent: it passes. */
  readonly denied?: string;
  readonly warns?: readonly string[];
};

function judge(spec: object, binding: object = {}, asked: Partial<AdmissionRequest> = {}) {
  const policy = validatingAdmissionPolicy.schema.parse({
    metadata: { name: "p" },
    spec: { matchConstraints: configMaps, ...spec },
  });
  const bound = validatingAdmissionPolicyBinding.schema.parse({
    metadata: { name: "b" },
    spec: { policyName: "p", validationActions: ["Deny"], ...binding },
  });
  const warnings: string[] = [];
  const audited: AuditFacts[] = [];
  const isDelete = asked.operation === "DELETE";
  const objects = isDelete
    ? { object: undefined, oldObject: object }
    : { object, oldObject: undefined };
  const ports = {
    view,
    authorize,
    kindOf: kindNamed,
    warn: (text: string) => void warnings.push(text),
    audit: (facts: AuditFacts) => void audited.push(facts),
  };
  let denied: AdmissionDenied | undefined;
  try {
    checkPolicies([policyOf(policy, [bound])], { ...request, ...asked }, objects, ports);
  } catch (error) {
    if (!(error instanceof AdmissionDenied)) throw error;
    denied = error;
  }
  return { denied, warnings, audited };
}

const holds = (expression: string, more: object = {}) => ({
  validations: [{ expression, ...more }],
});
const params = { paramKind: { apiVersion: "v1", kind: "ConfigMap" } };
const within = { ...params, ...holds(`${size} <= int(params.data.max)`) };
const ref = (more: object) => ({ paramRef: { parameterNotFoundAction: "Deny", ...more } });

describe("a ValidatingAdmissionPolicy", () => {
  test.each<Row>([
    { name: "passes what holds", spec: holds(`${size} < 5`) },
    {
      name: "denies what does not",
      spec: holds(`${size} > 5`),
      denied: `failed expression: ${size} > 5`,
    },
    {
      name: "says its message",
      spec: holds("false", { message: " too small " }),
      denied: "too small",
    },
    {
      name: "says what its message's expression gives",
      spec: holds("false", { message: "no", messageExpression: "'size is ' + object.data.size" }),
      denied: "size is 4",
    },
    {
      name: "says its message where the expression fails",
      spec: holds("false", { message: "no", messageExpression: "string(object.data.none)" }),
      denied: "no",
    },
    {
      name: "sees who asks",
      spec: holds("request.userInfo.username == 'jo' && 'devs' in request.userInfo.groups"),
    },
    {
      name: "sees what is asked",
      spec: holds(
        "request.operation == 'CREATE' && request.resource.resource == 'configmaps' && !request.dryRun",
      ),
    },
    {
      name: "sees what who asks may do",
      spec: holds(
        "authorizer.group('').resource('pods').namespace('default').check('create').allowed()",
      ),
    },
    {
      name: "sees what who asks may not do, and why",
      spec: holds("authorizer.requestResource.check('delete').allowed()", {
        messageExpression: "'no: ' + authorizer.requestResource.check('delete').reason()",
      }),
      request: { user: { username: "system:anonymous", groups: ["system:unauthenticated"] } },
      denied: "no: anonymous requests are answered by what is open to all",
    },
    {
      name: "sees what a ServiceAccount may do",
      spec: holds(
        "authorizer.serviceAccount('default', 'robot').path('/healthz').check('get').allowed()",
      ),
      request: { user: { username: "system:anonymous", groups: ["system:unauthenticated"] } },
    },
    {
      name: "is denied what asks for an account that there cannot be",
      spec: holds(
        "authorizer.serviceAccount('Default', 'robot').path('/x').check('get').allowed()",
      ),
      denied: "Invalid service account namespace",
    },
    {
      name: "may ask as often as it can pay for",
      spec: holds(
        "['get', 'list', 'watch'].all(verb, authorizer.requestResource.check(verb).allowed())",
      ),
      denied: "operation cancelled: actual cost limit exceeded",
    },
    { name: "sees the namespace", spec: holds("namespaceObject.metadata.labels.env == 'prod'") },
    { name: "sees that there is no old object", spec: holds("oldObject == null") },
    {
      name: "sees a deletion's old object alone",
      spec: holds("object == null && oldObject.data.size == '4'"),
      request: { operation: "DELETE" },
    },
    {
      name: "denies what cannot be evaluated",
      spec: holds("object.spec.replicas > 1"),
      denied: "expression 'object.spec.replicas > 1' resulted in error: no such key: spec",
    },
    {
      name: "lets what cannot be evaluated pass where that is its policy",
      spec: { ...holds("object.spec.replicas > 1"), failurePolicy: "Ignore" },
    },
    {
      name: "denies what does not hold, whatever its policy of failures",
      spec: { ...holds("false"), failurePolicy: "Ignore" },
      denied: "failed expression: false",
    },
    {
      name: "has variables, each made of those before it",
      spec: {
        variables: [
          { name: "size", expression: size },
          { name: "double", expression: "variables.size * 2" },
        ],
        ...holds("variables.double == 8"),
      },
    },
    {
      name: "does not evaluate a variable that is not read",
      spec: {
        variables: [{ name: "broken", expression: "object.none" }],
        ...holds("has(object.none) ? variables.broken == 1 : true"),
      },
    },
    {
      name: "fails where a variable that it reads fails",
      spec: {
        variables: [{ name: "broken", expression: "object.none == 1" }],
        ...holds("variables.broken"),
      },
      denied: "expression 'object.none == 1' resulted in error: no such key: none",
    },
    {
      name: "is left out where a condition is false",
      spec: {
        matchConditions: [{ name: "dogs", expression: "object.metadata.labels.team == 'dogs'" }],
        ...holds("false"),
      },
    },
    {
      name: "denies where a condition fails and none is false",
      spec: { matchConditions: [{ name: "x", expression: "object.none == 1" }], ...holds("true") },
      denied: "no such key: none",
    },
    {
      name: "is not asked about other resources",
      spec: {
        ...holds("false"),
        matchConstraints: {
          resourceRules: [{ ...configMaps.resourceRules[0], resources: ["pods"] }],
        },
      },
    },
    {
      name: "is not asked about what is excluded",
      spec: {
        ...holds("false"),
        matchConstraints: {
          ...configMaps,
          excludeResourceRules: [{ ...configMaps.resourceRules[0], resourceNames: ["web"] }],
        },
      },
    },
    {
      name: "is not asked about objects that it does not select",
      spec: {
        ...holds("false"),
        matchConstraints: {
          ...configMaps,
          objectSelector: { matchLabels: { team: "b" } },
        },
      },
    },
    {
      name: "is not asked about namespaces that its binding does not select",
      spec: holds("false"),
      binding: {
        matchResources: { namespaceSelector: { matchLabels: { env: "test" } } },
      },
    },
    {
      name: "is evaluated with its binding's parameters",
      spec: within,
      binding: ref({ name: "large" }),
    },
    {
      name: "denies by its binding's parameters",
      spec: within,
      binding: ref({ name: "small" }),
      denied: `failed expression: ${size} <= int(params.data.max)`,
    },
    {
      name: "finds parameters in the namespace that is named",
      spec: within,
      binding: ref({ name: "central", namespace: "other" }),
    },
    {
      name: "is evaluated with each of the parameters that are selected",
      spec: within,
      binding: ref({ selector: { matchLabels: { use: "limits" } } }),
      denied: `failed expression: ${size} <= int(params.data.max)`,
    },
    {
      name: "denies without parameters",
      spec: within,
      binding: ref({ name: "none" }),
      denied:
        "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction",
    },
    {
      name: "passes without parameters where that is allowed",
      spec: within,
      binding: ref({ name: "none", parameterNotFoundAction: "Allow" }),
    },
    {
      name: "denies where the parameters' kind is not served",
      spec: { ...within, paramKind: { apiVersion: "x/v1", kind: "None" } },
      binding: ref({ name: "none" }),
      denied: "failed to configure binding: paramKind kind `x/v1, Kind=None` not known",
    },
    {
      name: "warns only",
      spec: holds("false", { message: "hm" }),
      binding: { validationActions: ["Warn", "Audit"] },
      warns: ["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': hm"],
    },
    {
      name: "stops an expression that costs too much",
      spec: holds(
        "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, [1,2,3,4,5,6,7,8,9,10].all(f, true))))))",
      ),
      denied: "operation cancelled: actual cost limit exceeded",
    },
  ])("$name", ({ spec, binding, request: asked, denied, warns = [] }) => {
    const found = judge(spec, binding, asked);
    const text = found.denied?.message;
    if (denied === undefined) expect(text).toBeUndefined();
    else {
      expect(text?.endsWith(denied) === true ? denied : text).toBe(denied);
      expect(text).toMatch(
        /^configmaps "web" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: /,
      );
    }
    expect(found.warnings).toEqual(warns);
  });

  test.each([
    [undefined, 422, "Invalid"],
    ["Forbidden", 403, "Forbidden"],
    ["Unauthorized", 401, "Unauthorized"],
    ["RequestEntityTooLarge", 413, "RequestEntityTooLarge"],
  ])("denies for the reason %s with %d", (reason, code, told) => {
    const { denied } = judge(holds("false", reason === undefined ? {} : { reason }));
    expect(denied?.toStatus()).toMatchObject({
      code,
      reason: told,
      details: {
        name: "web",
        kind: "configmaps",
        causes: [
          {
            message:
              "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: false",
          },
        ],
      },
    });
  });

  test("audits what it is to, and its own annotations", () => {
    const spec = {
      ...holds("false", { message: "hm" }),
      auditAnnotations: [
        { key: "size", valueExpression: "'size ' + object.data.size" },
        { key: "none", valueExpression: "null" },
      ],
    };
    const { audited, denied } = judge(spec, { validationActions: ["Audit"] });
    expect(denied).toBeUndefined();
    expect(audited).toEqual([
      {
        policy: "p",
        binding: "b",
        annotations: {
          "p/size": "size 4",
          "validation.policy.admission.k8s.io/validation_failure": JSON.stringify([
            {
              message: "hm",
              policy: "p",
              binding: "b",
              expressionIndex: 0,
              validationActions: ["Audit"],
            },
          ]),
        },
      },
    ]);
  });
});
