/** A webhook of a configuration, ready to be matched and asked. */
import type {
  MutatingWebhookConfiguration,
  MutatingWebhook,
} from "../model/kinds/mutatingwebhookconfiguration.ts";
import type {
  ValidatingWebhookConfiguration,
  ValidatingWebhook,
} from "../model/kinds/validatingwebhookconfiguration.ts";
import { ApiError } from "../model/errors.ts";
import type { Kind } from "../model/kind.ts";
import { type Conditions, conditionsOf } from "./conditions.ts";
import { forbiddenText } from "./request.ts";
import { isSelected, type Matched } from "./matching.ts";
import { matchedForm } from "./rules.ts";
import type { Sights } from "./sight.ts";

export type Hook = {
  readonly configuration: string;
  readonly webhook: ValidatingWebhook & Partial<Pick<MutatingWebhook, "reinvocationPolicy">>;
  readonly conditions: Conditions;
};

/** The webhooks of a configuration, in its order. */
export const hooksOf = ({
  metadata,
  webhooks = [],
}: MutatingWebhookConfiguration | ValidatingWebhookConfiguration): readonly Hook[] =>
  webhooks.map((webhook) => ({
    configuration: metadata.name,
    webhook,
    conditions: conditionsOf(webhook.matchConditions),
  }));

/** Whether its rules name such a request, whatever the objects are. */
export const concerns = ({ webhook }: Hook, request: Matched["request"]): boolean =>
  matchedForm(webhook.rules ?? [], webhook.matchPolicy, request) !== undefined;

/**
 * The version in which a webhook is to be asked about a request; undefined: it is not to be asked.
 *
 * @throws {ApiError} Forbidden when its conditions cannot be evaluated and it is to fail then
 */
export function matchOf(
  { webhook, conditions }: Hook,
  matched: Matched,
  sights: Sights,
): Kind | undefined {
  const form = matchedForm(webhook.rules ?? [], webhook.matchPolicy, matched.request);
  if (form === undefined || !isSelected(webhook, matched)) return undefined;
  const outcome = conditions(() => sights(form).bindings());
  if (outcome.met !== undefined) return outcome.met ? form : undefined;
  if (webhook.failurePolicy === "Ignore") return undefined;
  throw new ApiError("Forbidden", forbiddenText(matched.request, outcome.fault));
}
