/** What a configuration of webhooks says wrongly. */
import type * as z from "zod";
import type { Cause } from "../errors.ts";
import type { WebhookClientConfig } from "./client-config.ts";
import { conditionFaults, duplicatesIn, invalidValue, required, ruleFaults } from "./faults.ts";
import type { webhookFields } from "./webhook.ts";

type Webhook = z.output<z.ZodObject<ReturnType<typeof webhookFields>>>;

export function webhookFaults(webhooks: readonly Webhook[] = []): readonly Cause[] {
  const names = webhooks.map(({ name }, at) => ({ field: `webhooks[${at}].name`, value: name }));
  return [
    ...webhooks.flatMap((webhook, at) => faultsOf(`webhooks[${at}]`, webhook)),
    ...duplicatesIn(names),
  ];
}

const segment = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const qualified = new RegExp(`^${segment}(\\.${segment}){2,}$`);
const reviewVersions = ["v1", "v1beta1"];

function faultsOf(field: string, webhook: Webhook): readonly Cause[] {
  const { name, timeoutSeconds, admissionReviewVersions: versions } = webhook;
  const faults: Cause[] = [];
  if (name === "") faults.push(required(`${field}.name`));
  else if (!qualified.test(name)) {
    const detail = "should be a domain with at least three segments separated by dots";
    faults.push(invalidValue(`${field}.name`, name, detail));
  }
  if (versions.length === 0) {
    const detail = `must specify one of ${reviewVersions.join(", ")}`;
    faults.push(required(`${field}.admissionReviewVersions`, detail));
  } else if (!versions.some((one) => reviewVersions.includes(one))) {
    const detail = `must include at least one of ${reviewVersions.join(", ")}`;
    faults.push(invalidValue(`${field}.admissionReviewVersions`, versions, detail));
  }
  if (timeoutSeconds < 1 || timeoutSeconds > 30) {
    const detail = "the timeout value must be between 1 and 30 seconds";
    faults.push(invalidValue(`${field}.timeoutSeconds`, timeoutSeconds, detail));
  }
  return [
    ...faults,
    ...(webhook.rules ?? []).flatMap((rule, at) => ruleFaults(`${field}.rules[${at}]`, rule)),
    ...clientFaults(`${field}.clientConfig`, webhook.clientConfig),
    ...conditionFaults(`${field}.matchConditions`, webhook.matchConditions),
  ];
}

/** How a webhook is reached: over https, as a Service or under a URL. */
export function clientFaults(
  field: string,
  { url, service }: WebhookClientConfig,
): readonly Cause[] {
  if ((url === undefined) === (service === undefined)) {
    return [required(field, "exactly one of url or service is required")];
  }
  if (url !== undefined) return urlFaults(`${field}.url`, url);
  const { name = "", namespace = "", path, port = 443 } = service ?? {};
  const at = `${field}.service`;
  return [
    ...(name === "" ? [required(`${at}.name`, "service name is required")] : []),
    ...(namespace === "" ? [required(`${at}.namespace`, "service namespace is required")] : []),
    ...(path !== undefined && path !== "" && !path.startsWith("/")
      ? [invalidValue(`${at}.path`, path, "must start with a '/'")]
      : []),
    ...(port < 1 || port > 65_535
      ? [
          invalidValue(
            `${at}.port`,
            port,
            "port is not valid: must be between 1 and 65535, inclusive",
          ),
        ]
      : []),
  ];
}

const form = "; desired format: https://host[/path]";

function urlFaults(field: string, text: string): readonly Cause[] {
  const url = URL.parse(text);
  if (url === null) return [invalidValue(field, text, `url must be a valid URL${form}`)];
  const faults: Cause[] = [];
  if (url.protocol !== "https:") {
    const scheme = url.protocol.replace(/:$/, "");
    faults.push(invalidValue(field, scheme, `'https' is the only allowed URL scheme${form}`));
  }
  if (url.hostname === "")
    faults.push(invalidValue(field, url.host, `host must be specified${form}`));
  if (url.username !== "" || url.password !== "") {
    faults.push(invalidValue(field, url.username, "user information is not permitted in the URL"));
  }
  if (url.hash !== "") {
    faults.push(invalidValue(field, url.hash.slice(1), "fragments are not permitted in the URL"));
  }
  if (url.search !== "") {
    const detail = "query parameters are not permitted in the URL";
    faults.push(invalidValue(field, url.search.slice(1), detail));
  }
  return faults;
}
