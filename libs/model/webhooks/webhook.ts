/** What webhooks that validate and webhooks that mutate have in common. */
import * as z from "zod";
import { atomicList, int32, mergeBy } from "../field.ts";
import { webhookClientConfig } from "./client-config.ts";
import {
  failurePolicy,
  matchCondition,
  matchPolicy,
  ruleWithOperations,
  selectorOfAll,
} from "./match.ts";

/** Two of the numbers differ between the sorts. */
export const webhookFields = (numbers: {
  readonly objectSelector: number;
  readonly matchConditions: number;
}) => ({
  name: z.string().meta({ proto: 1, description: "Fully qualified: hook.example.com." }),
  clientConfig: webhookClientConfig("admissionregistration").meta({ proto: 2 }),
  rules: z
    .array(ruleWithOperations)
    .optional()
    .meta({ proto: 3, ...atomicList }),
  failurePolicy: failurePolicy.meta({ proto: 4, description: "When the webhook cannot be asked." }),
  matchPolicy: matchPolicy.meta({ proto: 9 }),
  namespaceSelector: selectorOfAll.meta({ proto: 5 }),
  objectSelector: selectorOfAll.meta({ proto: numbers.objectSelector }),
  sideEffects: z.enum(["None", "NoneOnDryRun"]).meta({ proto: 6 }),
  timeoutSeconds: int32.default(10).meta({ proto: 7 }),
  admissionReviewVersions: z
    .array(z.string())
    .meta({ proto: 8, ...atomicList, description: "Of AdmissionReview, the preferred first." }),
  matchConditions: z
    .array(matchCondition)
    .optional()
    .meta({ proto: numbers.matchConditions, ...mergeBy("name") }),
});
