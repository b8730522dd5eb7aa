import type { CustomResourceDefinitionSpec } from "../kinds/customresourcedefinition.ts";
import { shown } from "./record.ts";
import type { Add } from "./schema-faults.ts";

/** Versions of ConversionReview that are spoken here. */
export const reviewVersions = ["v1"];

type Conversion = CustomResourceDefinitionSpec["conversion"];

export function conversionFaults({ strategy, webhook }: Conversion, add: Add): void {
  const field = "spec.conversion.webhook";
  if (strategy === "None") {
    if (webhook !== undefined)
      add(
        "FieldValueForbidden",
        field,
        "Forbidden: should not be set when strategy is not set to Webhook",
      );
    return;
  }
  if (webhook === undefined) {
    add(
      "FieldValueRequired",
      `${field}.clientConfig`,
      "Required value: required when strategy is set to Webhook",
    );
    return;
  }
  const { url, service } = webhook.clientConfig ?? {};
  if ((url === undefined) === (service === undefined))
    add(
      "FieldValueRequired",
      `${field}.clientConfig`,
      "Required value: exactly one of url or service is required",
    );
  if (url !== undefined && !isHttps(url))
    add(
      "FieldValueInvalid",
      `${field}.clientConfig.url`,
      `Invalid value: ${shown(url)}: 'https' is the only allowed URL scheme`,
    );
  const { conversionReviewVersions: versions } = webhook;
  const at = `${field}.conversionReviewVersions`;
  if (versions.length === 0) add("FieldValueRequired", at, "Required value");
  else if (!versions.some((one) => reviewVersions.includes(one)))
    add(
      "FieldValueInvalid",
      at,
      `Invalid value: ${shown(versions)}: must include at least one of ${reviewVersions.join(", ")}`,
    );
}

const isHttps = (url: string) => URL.parse(url)?.protocol === "https:";
