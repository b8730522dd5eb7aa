/**
 * Custom resources whose definition names a webhook that converts them: one ConversionReview for many
 * objects, and what it answered is remembered. Who needs an object that is not converted yet gets
 * `ConversionPending`: decisions and replies are synchronous, the webhook is not.
 */
import { ApiError } from "../../../libs/model/errors.ts";
import type { Conversion } from "../../../libs/model/custom/custom-kind.ts";
import { isRecord, type JsonRecord } from "../../../libs/model/custom/record.ts";
import type { CustomResourceDefinition } from "../../../libs/model/kinds/customresourcedefinition.ts";
import type { Random } from "../../../libs/telemetry/random.ts";
import { type CallOptions, callWebhook, WebhookCallFailed } from "../../../libs/webhooks/call.ts";
import { ConversionPending } from "./conversion-pending.ts";

export type ConversionPorts = {
  readonly resolve: CallOptions["resolve"];
  readonly random: Random;
  /** Aborts calls that are under way when the gateway stops. */
  readonly signal: AbortSignal;
};

/** Kubernetes' time for a conversion. */
const timeoutMs = 30_000;
/** Objects in one review. */
const batchMax = 200;
/** Characters of what is remembered of a definition; then all of it is forgotten. */
const rememberedMaxChars = 32_000_000;

/** undefined: its versions differ in their names alone. */
export function webhookConversion(
  definition: CustomResourceDefinition,
  ports: ConversionPorts,
): Conversion | undefined {
  const { strategy, webhook } = definition.spec.conversion;
  if (strategy !== "Webhook" || webhook?.clientConfig === undefined) return undefined;
  const answers = remembered();
  const ask = async (objects: readonly JsonRecord[], apiVersion: string) => {
    const converted = await convertedBy(webhook.clientConfig ?? {}, { objects, apiVersion, ports });
    for (const [at, object] of objects.entries()) answers.set(object, apiVersion, converted[at]);
  };
  return {
    convert(object, apiVersion) {
      if (!isRecord(object) || object["apiVersion"] === apiVersion) return object;
      const known = answers.get(object, apiVersion);
      if (known !== undefined) return known;
      throw new ConversionPending(() => ask([object], apiVersion));
    },
    async prepare(objects, apiVersion) {
      const missing = objects.filter(
        (one): one is JsonRecord =>
          isRecord(one) &&
          one["apiVersion"] !== apiVersion &&
          answers.get(one, apiVersion) === undefined,
      );
      for (let at = 0; at < missing.length; at += batchMax)
        await ask(missing.slice(at, at + batchMax), apiVersion);
    },
  };
}

/** Answers by content: an object that is decided anew has another uid and another time, and no other content. */
function remembered() {
  const byText = new Map<string, JsonRecord>();
  let chars = 0;
  const keyOf = (object: JsonRecord, apiVersion: string) => {
    const { name, namespace, labels, annotations } = metadataOf(object);
    const metadata = { name, namespace, labels, annotations };
    return JSON.stringify([apiVersion, { ...object, metadata }]);
  };
  return {
    get(object: JsonRecord, apiVersion: string): JsonRecord | undefined {
      const found = byText.get(keyOf(object, apiVersion));
      return found && withMetadataOf(object, found);
    },
    set(object: JsonRecord, apiVersion: string, converted: JsonRecord | undefined): void {
      if (converted === undefined) return;
      const key = keyOf(object, apiVersion);
      chars += 2 * key.length;
      if (chars > rememberedMaxChars) {
        byText.clear();
        chars = 2 * key.length;
      }
      byText.set(key, converted);
    },
  };
}

const metadataOf = (object: JsonRecord): JsonRecord =>
  isRecord(object["metadata"]) ? object["metadata"] : {};

/** Of metadata a conversion may change labels and annotations, and nothing else. */
function withMetadataOf(object: JsonRecord, converted: JsonRecord): JsonRecord {
  const { labels, annotations } = metadataOf(converted);
  const { labels: _l, annotations: _a, ...metadata } = metadataOf(object);
  return {
    ...converted,
    metadata: {
      ...metadata,
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
    },
  };
}

type Asked = {
  readonly objects: readonly JsonRecord[];
  readonly apiVersion: string;
  readonly ports: ConversionPorts;
};

/** @throws {ApiError} InternalError: the webhook fails, refuses, or answers something else */
async function convertedBy(
  config: Parameters<typeof callWebhook>[0],
  { objects, apiVersion, ports }: Asked,
): Promise<readonly JsonRecord[]> {
  const uid = ports.random.uuid();
  const kind = textOf(objects[0]?.["kind"]);
  const failed = (why: string, cause?: unknown) =>
    new ApiError(
      "InternalError",
      `conversion webhook for ${apiVersion}, Kind=${kind} failed: ${why}`,
      {},
      { cause },
    );
  const review = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "ConversionReview",
    request: { uid, desiredAPIVersion: apiVersion, objects },
  };
  let answer: unknown;
  try {
    answer = await callWebhook(config, review, {
      timeoutMs,
      signal: ports.signal,
      resolve: ports.resolve,
    });
  } catch (error) {
    if (error instanceof WebhookCallFailed) throw failed(error.message, error);
    throw error;
  }
  const response = isRecord(answer) && isRecord(answer["response"]) ? answer["response"] : {};
  if (response["uid"] !== uid) throw failed(`expected response.uid="${uid}"`);
  const result = isRecord(response["result"]) ? response["result"] : {};
  if (result["status"] !== "Success") throw failed(messageOf(result));
  const { convertedObjects } = response;
  if (!Array.isArray(convertedObjects) || convertedObjects.length !== objects.length)
    throw failed(`expected ${objects.length} converted objects`);
  return convertedObjects.map((object: unknown, at) =>
    checked(object, objects[at], apiVersion, failed),
  );
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

const messageOf = ({ message }: JsonRecord): string =>
  typeof message === "string" && message !== "" ? message.slice(0, 1_000) : "it says not why";

function checked(
  object: unknown,
  asked: JsonRecord | undefined,
  apiVersion: string,
  failed: (why: string) => ApiError,
): JsonRecord {
  if (!isRecord(object)) throw failed("a converted object is no object");
  if (object["apiVersion"] !== apiVersion || object["kind"] !== asked?.["kind"])
    throw failed(`a converted object is not of ${apiVersion}, Kind=${textOf(asked?.["kind"])}`);
  const [was, is] = [metadataOf(asked ?? {}), metadataOf(object)];
  for (const name of ["name", "namespace", "uid"])
    if (was[name] !== is[name]) throw failed(`must have the same ${name}`);
  return object;
}
