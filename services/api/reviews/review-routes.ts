/** Who am I, what may I do: kubectl auth, k9s and Headlamp ask. There is one user, who may do all. */
import * as z from "zod";
import type { UserInfo } from "../auth/user.ts";
import { decodeBody } from "../http/decode.ts";
import { valueReply } from "../http/reply.ts";
import type { Route } from "../http/server.ts";
import { parseAsked } from "../resources/field-validation.ts";
import { reviewResources } from "./review-kinds.ts";

const attributes = z.object({
  namespace: z.string().optional().meta({ proto: 1 }),
  verb: z.string().optional().meta({ proto: 2 }),
  group: z.string().optional().meta({ proto: 3 }),
  version: z.string().optional().meta({ proto: 4 }),
  resource: z.string().optional().meta({ proto: 5 }),
  subresource: z.string().optional().meta({ proto: 6 }),
  name: z.string().optional().meta({ proto: 7 }),
});
const path = z.object({
  path: z.string().optional().meta({ proto: 1 }),
  verb: z.string().optional().meta({ proto: 2 }),
});
const accessSpec = z.object({
  resourceAttributes: attributes.optional().meta({ proto: 1 }),
  nonResourceAttributes: path.optional().meta({ proto: 2 }),
});
const rulesSpec = z.object({ namespace: z.string().optional().meta({ proto: 1 }) });
const bodies = {
  SelfSubjectReview: z.object({}),
  SelfSubjectAccessReview: z.object({ spec: accessSpec.optional().meta({ proto: 2 }) }),
  SelfSubjectRulesReview: z.object({ spec: rulesSpec.optional().meta({ proto: 2 }) }),
} as const;

const all = ["*"];
const answersTo = (user: UserInfo) => ({
  SelfSubjectReview: { userInfo: user },
  SelfSubjectAccessReview: { allowed: true, reason: "the cluster's administrator" },
  SelfSubjectRulesReview: {
    resourceRules: [{ verbs: all, apiGroups: all, resources: all }],
    nonResourceRules: [{ verbs: all, nonResourceURLs: all }],
    incomplete: false,
  },
});

export const reviewRoutes: readonly Route[] = reviewResources.map(
  ({ group, version, kind, name }) => ({
    method: "POST",
    path: `/apis/${group}/${version}/${name}`,
    async handle({ request, user }) {
      const given = await decodeBody(request, bodies[kind]);
      const { spec } = parseAsked<{ spec?: unknown }>(
        { group, version, kind, schema: bodies[kind] },
        given,
      );
      const apiVersion = `${group}/${version}`;
      const review = {
        kind,
        apiVersion,
        metadata: { creationTimestamp: null },
        spec,
        status: answersTo(user)[kind],
      };
      return valueReply(review, { language: "json" }, { code: 201 });
    },
  }),
);
