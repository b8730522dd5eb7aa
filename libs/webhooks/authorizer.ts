/** `authorizer` in the expressions about a request: who asks, and what it may do. */
import {
  type AccessAsked,
  type AccessVerdict,
  authorizerOf,
  type Subject,
} from "../cel/functions/authorization.ts";
import type { AdmissionRequest, Requester } from "./request.ts";

/** What the API's access reviews answer, too. */
export type Authorize = (user: Requester, asked: AccessAsked) => AccessVerdict;

export const authorizerFor = (
  { kind, subresource, namespace = "", name, user }: AdmissionRequest,
  authorize: Authorize,
): object =>
  authorizerOf(subjectOf(user, authorize), {
    group: kind.group,
    resource: kind.plural,
    subresource,
    namespace,
    name,
  });

const subjectOf = (user: Requester, authorize: Authorize): Subject => ({
  may: (asked) => authorize(user, asked),
  ofAccount: (namespace, name) => subjectOf(accountOf(namespace, name), authorize),
});

const accounts = "system:serviceaccounts";

const accountOf = (namespace: string, name: string): Requester => ({
  username: `system:serviceaccount:${namespace}:${name}`,
  groups: [accounts, `${accounts}:${namespace}`, "system:authenticated"],
});
