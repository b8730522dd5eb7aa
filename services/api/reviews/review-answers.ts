/** What is answered to a review, by its kind. */
import type * as z from "zod";
import { authorize } from "../../../libs/identity/authorize.ts";
import { type Cause, ApiError, invalid } from "../../../libs/model/errors.ts";
import type { Identity } from "../auth/identity.ts";
import type { UserInfo } from "../auth/user.ts";
import type { AccessSpec, reviewBodies, SubjectSpec } from "./review-bodies.ts";
import type { ReviewKind } from "./review-kinds.ts";

type Bodies = { [K in ReviewKind]: z.output<(typeof reviewBodies)[K]> };

export type Asked = {
  readonly user: UserInfo;
  /** In whose path it was asked. */
  readonly namespace: string | undefined;
  readonly identity: Identity;
};

type Answers = { [K in ReviewKind]: (body: Bodies[K], asked: Asked) => unknown };

const all = ["*"];

/** Each gives the review's status. They throw {ApiError} Invalid, BadRequest */
export const reviewAnswers: Answers = {
  SelfSubjectReview: (_body, { user }) => ({ userInfo: user }),

  async TokenReview({ spec }, { identity }) {
    const { token = "", audiences = [] } = spec;
    if (token === "")
      throw new ApiError("BadRequest", "token is required for TokenReview in authentication");
    const wanted = audiences.length === 0 ? identity.audiences : audiences;
    const holder = await identity.readToken(token, wanted);
    if (holder === undefined)
      return { user: {}, error: "the token is not valid, or not for these audiences" };
    return { authenticated: true, user: holder.user, audiences: holder.audiences };
  },

  SelfSubjectAccessReview({ spec }, { user }) {
    requireOneQuestion("SelfSubjectAccessReview", spec);
    return authorize(user);
  },

  SelfSubjectRulesReview({ spec }, { user }) {
    if ((spec.namespace ?? "") === "") throw new ApiError("BadRequest", "no namespace on request");
    const { allowed } = authorize(user);
    return {
      resourceRules: allowed ? [{ verbs: all, apiGroups: all, resources: all }] : [],
      nonResourceRules: allowed ? [{ verbs: all, nonResourceURLs: all }] : [],
      incomplete: false,
    };
  },

  SubjectAccessReview({ spec }) {
    requireOneQuestion("SubjectAccessReview", spec);
    return authorize(subjectOf("SubjectAccessReview", spec));
  },

  LocalSubjectAccessReview({ metadata, spec }, { namespace = "" }) {
    const kind = "LocalSubjectAccessReview";
    requireOneQuestion(kind, spec);
    requireHere(kind, metadata?.namespace, spec, namespace);
    return authorize(subjectOf(kind, spec));
  },
};

function subjectOf(
  kind: ReviewKind,
  { user = "", groups = [], uid, extra }: SubjectSpec,
): UserInfo {
  if (user === "" && groups.length === 0)
    throw refusal(kind, "spec.user", "at least one of user or group must be specified");
  return {
    username: user,
    groups,
    ...(uid !== undefined && { uid }),
    ...(extra !== undefined && { extra }),
  };
}

function requireOneQuestion(kind: ReviewKind, spec: AccessSpec): void {
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    const why = "cannot be specified in combination with resourceAttributes";
    throw refusal(kind, "spec.nonResourceAttributes", why);
  }
  if (resourceAttributes === undefined && nonResourceAttributes === undefined) {
    const why = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    throw refusal(kind, "spec.resourceAttributes", why);
  }
}

function requireHere(
  kind: ReviewKind,
  told: string | undefined,
  { resourceAttributes }: AccessSpec,
  namespace: string,
): void {
  if (told !== undefined && told !== "" && told !== namespace) {
    throw new ApiError(
      "BadRequest",
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  }
  if (resourceAttributes === undefined)
    throw refusal(kind, "spec.nonResourceAttributes", "disallowed on this kind of request");
  if (resourceAttributes.namespace !== namespace)
    throw refusal(kind, "spec.resourceAttributes.namespace", "must match metadata.namespace");
}

function refusal(kind: ReviewKind, field: string, why: string): ApiError {
  const cause: Cause = { reason: "FieldValueInvalid", field, message: `Invalid value: ${why}` };
  return invalid({ group: "authorization.k8s.io", kind }, undefined, [cause]);
}
