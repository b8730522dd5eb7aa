/** Questions about users and their rights, with their answers, as messages. */
import * as z from "zod";
import { templateMetadata } from "../../../libs/model/metadata.ts";
import { time } from "../../../libs/model/time.ts";

const text = z.string().optional();
const texts = z.array(z.string()).optional();
const flag = z.boolean().optional();
const metadata = templateMetadata.meta({ proto: 1 });
/** A list in a map is a message of its items. */
const extra = z.record(z.string(), z.array(z.string())).optional();

const requirement = z.object({
  key: text.meta({ proto: 1 }),
  operator: text.meta({ proto: 2 }),
  values: texts.meta({ proto: 3 }),
});
const selector = z.object({
  rawSelector: text.meta({ proto: 1 }),
  requirements: z.array(requirement).optional().meta({ proto: 2 }),
});
const resourceAttributes = z.object({
  namespace: text.meta({ proto: 1 }),
  verb: text.meta({ proto: 2 }),
  group: text.meta({ proto: 3 }),
  version: text.meta({ proto: 4 }),
  resource: text.meta({ proto: 5 }),
  subresource: text.meta({ proto: 6 }),
  name: text.meta({ proto: 7 }),
  fieldSelector: selector.optional().meta({ proto: 8 }),
  labelSelector: selector.optional().meta({ proto: 9 }),
});
const ownAccess = {
  resourceAttributes: resourceAttributes.optional().meta({ proto: 1 }),
  nonResourceAttributes: z
    .object({ path: text.meta({ proto: 1 }), verb: text.meta({ proto: 2 }) })
    .optional()
    .meta({ proto: 2 }),
};
const accessStatus = z.object({
  allowed: flag.meta({ proto: 1 }),
  reason: text.meta({ proto: 2 }),
  evaluationError: text.meta({ proto: 3 }),
  denied: flag.meta({ proto: 4 }),
});
const userInfo = z.object({
  username: text.meta({ proto: 1 }),
  uid: text.meta({ proto: 2 }),
  groups: texts.meta({ proto: 3 }),
  extra: extra.meta({ proto: 4 }),
});
const rulesStatus = z.object({
  resourceRules: z
    .array(
      z.object({
        verbs: texts.meta({ proto: 1 }),
        apiGroups: texts.meta({ proto: 2 }),
        resources: texts.meta({ proto: 3 }),
        resourceNames: texts.meta({ proto: 4 }),
      }),
    )
    .optional()
    .meta({ proto: 1 }),
  nonResourceRules: z
    .array(z.object({ verbs: texts.meta({ proto: 1 }), nonResourceURLs: texts.meta({ proto: 2 }) }))
    .optional()
    .meta({ proto: 2 }),
  incomplete: flag.meta({ proto: 3 }),
  evaluationError: text.meta({ proto: 4 }),
});

const review = (spec: z.ZodRawShape, status: z.ZodType) =>
  z.object({
    metadata: metadata.optional().meta({ proto: 1 }),
    spec: z.object(spec).optional().meta({ proto: 2 }),
    status: status.optional().meta({ proto: 3 }),
  });

const anyAccess = review(
  {
    ...ownAccess,
    user: text.meta({ proto: 3 }),
    groups: texts.meta({ proto: 4 }),
    extra: extra.meta({ proto: 5 }),
    uid: text.meta({ proto: 6 }),
  },
  accessStatus,
);

export const reviewMessages: Readonly<Record<string, z.core.$ZodType>> = {
  "authentication.k8s.io/v1 SelfSubjectReview": z.object({
    metadata: metadata.optional().meta({ proto: 1 }),
    status: z
      .object({ userInfo: userInfo.optional().meta({ proto: 1 }) })
      .optional()
      .meta({ proto: 2 }),
  }),
  "authentication.k8s.io/v1 TokenReview": review(
    { token: text.meta({ proto: 1 }), audiences: texts.meta({ proto: 2 }) },
    z.object({
      authenticated: flag.meta({ proto: 1 }),
      user: userInfo.optional().meta({ proto: 2 }),
      error: text.meta({ proto: 3 }),
      audiences: texts.meta({ proto: 4 }),
    }),
  ),
  "authentication.k8s.io/v1 TokenRequest": review(
    {
      audiences: texts.meta({ proto: 1 }),
      boundObjectRef: z
        .object({
          kind: text.meta({ proto: 1 }),
          apiVersion: text.meta({ proto: 2 }),
          name: text.meta({ proto: 3 }),
          uid: text.meta({ proto: 4 }),
        })
        .optional()
        .meta({ proto: 3 }),
      expirationSeconds: z.int().optional().meta({ proto: 4 }),
    },
    z.object({
      token: text.meta({ proto: 1 }),
      expirationTimestamp: time.optional().meta({ proto: 2 }),
    }),
  ),
  "authorization.k8s.io/v1 SelfSubjectAccessReview": review(ownAccess, accessStatus),
  "authorization.k8s.io/v1 SubjectAccessReview": anyAccess,
  "authorization.k8s.io/v1 LocalSubjectAccessReview": anyAccess,
  "authorization.k8s.io/v1 SelfSubjectRulesReview": review(
    { namespace: text.meta({ proto: 1 }) },
    rulesStatus,
  ),
};
