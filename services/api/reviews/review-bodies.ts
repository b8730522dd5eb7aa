/** What a review may ask, by its kind. */
import * as z from "zod";
import type { ReviewKind } from "./review-kinds.ts";

const text = (proto: number) => z.string().optional().meta({ proto });
const texts = (proto: number) => z.array(z.string()).optional().meta({ proto });

const requirement = z.object({ key: text(1), operator: text(2), values: texts(3) });
const selector = z.object({
  rawSelector: text(1),
  requirements: z.array(requirement).optional().meta({ proto: 2 }),
});

const attributes = z.object({
  namespace: text(1),
  verb: text(2),
  group: text(3),
  version: text(4),
  resource: text(5),
  subresource: text(6),
  name: text(7),
  fieldSelector: selector.optional().meta({ proto: 8 }),
  labelSelector: selector.optional().meta({ proto: 9 }),
});
const path = z.object({ path: text(1), verb: text(2) });

const accessSpec = z.object({
  resourceAttributes: attributes.optional().meta({ proto: 1 }),
  nonResourceAttributes: path.optional().meta({ proto: 2 }),
});

/** The values of one key of a user's extra: in protobuf a message around a list. */
const extraValue = z.array(z.string()).meta({ format: "extra-value" });
const subjectSpec = accessSpec.extend({
  user: text(3),
  groups: texts(4),
  extra: z.record(z.string(), extraValue).optional().meta({ proto: 5 }),
  uid: text(6),
});
const rulesSpec = z.object({ namespace: text(1) });
const tokenSpec = z.object({ token: text(1), audiences: texts(2) });

const metadata = z
  .object({ name: text(1), namespace: text(3) })
  .optional()
  .meta({ proto: 1 });
const asking = <S extends z.ZodType>(spec: S) =>
  z.object({ metadata, spec: spec.meta({ proto: 2 }) });

export const reviewBodies = {
  SelfSubjectReview: z.object({ metadata }),
  TokenReview: asking(tokenSpec),
  SelfSubjectAccessReview: asking(accessSpec),
  SelfSubjectRulesReview: asking(rulesSpec),
  SubjectAccessReview: asking(subjectSpec),
  LocalSubjectAccessReview: asking(subjectSpec),
} as const satisfies Record<ReviewKind, z.ZodType>;

export type SubjectSpec = z.output<typeof subjectSpec>;
export type AccessSpec = z.output<typeof accessSpec>;
