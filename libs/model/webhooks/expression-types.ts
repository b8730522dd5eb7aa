/** What expressions about a request may read, and of what types. Objects are of any. */
import { type Declared, declared } from "../../cel/cel.ts";
import type { CelDeclaration } from "../../cel/declarations.ts";

const time = "google.protobuf.Timestamp";
const texts: CelDeclaration = { list: "string" };
const labels: CelDeclaration = { map: "string" };

const ofKind: CelDeclaration = { fields: { group: "string", version: "string", kind: "string" } };
const ofResource: CelDeclaration = {
  fields: { group: "string", version: "string", resource: "string" },
};

/** An AdmissionRequest without its uid and its objects. */
const request: CelDeclaration = {
  fields: {
    kind: ofKind,
    resource: ofResource,
    subResource: "string",
    requestKind: ofKind,
    requestResource: ofResource,
    requestSubResource: "string",
    name: "string",
    namespace: "string",
    operation: "string",
    userInfo: {
      fields: { username: "string", uid: "string", groups: texts, extra: { map: texts } },
    },
    dryRun: "bool",
    options: "dyn",
  },
};

/** A Namespace, without what is of no use to a rule. */
const namespaceObject: CelDeclaration = {
  fields: {
    metadata: {
      fields: {
        name: "string",
        generateName: "string",
        namespace: "string",
        labels,
        annotations: labels,
        uid: "string",
        creationTimestamp: time,
        deletionGracePeriodSeconds: "int",
        deletionTimestamp: time,
        generation: "int",
        resourceVersion: "string",
        finalizers: texts,
      },
    },
    spec: { fields: { finalizers: texts } },
    status: {
      fields: {
        conditions: {
          list: {
            fields: {
              status: "string",
              type: "string",
              lastTransitionTime: time,
              message: "string",
              reason: "string",
            },
          },
        },
        phase: "string",
      },
    },
  },
};

const ofRequests = {
  object: "dyn",
  oldObject: "dyn",
  request,
  authorizer: "kubernetes.authorization.Authorizer",
};

let known: Declared | undefined;
/** Of webhooks' conditions. */
export const webhookVariables = (): Declared => (known ??= declared(ofRequests));

/**
 * Of a policy.
 *
 * @param variables its own, each with its type; undefined: it may have none here
 */
export const policyVariables = (
  hasParams: boolean,
  variables?: Readonly<Record<string, string>>,
): Declared =>
  declared({
    ...ofRequests,
    namespaceObject,
    ...(hasParams && { params: "dyn" }),
    ...(variables !== undefined && { variables: { fields: variables } }),
  });
