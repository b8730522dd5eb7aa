/** Asks webhooks about a request: those that mutate one after the other, those that validate at once. */
import { dequal } from "dequal";
import type { ClusterView } from "../cluster/view.ts";
import type { Authorize } from "./authorizer.ts";
import { ApiError } from "../model/errors.ts";
import { jsonPatch } from "../model/json-patch.ts";
import type { Kind } from "../model/kind.ts";
import type { Log } from "../telemetry/log.ts";
import type { Random } from "../telemetry/random.ts";
import { type ClientConfig, WebhookCallFailed } from "./call.ts";
import { deniedBy, WebhookFailed } from "./denied.ts";
import { type Hook, matchOf } from "./hook.ts";
import { type AdmissionRequest, inStorage, type Objects } from "./request.ts";
import { InvalidAnswer, reviewOf, reviewVersionOf, type Verdict, verdictOf } from "./review.ts";
import { type Sight, sightsOf } from "./sight.ts";

export type AskPorts = {
  readonly view: ClusterView;
  readonly authorize: Authorize;
  readonly random: Random;
  readonly log: Log;
  /** @throws {WebhookCallFailed} */
  readonly call: (config: ClientConfig, review: unknown, timeoutMs: number) => Promise<unknown>;
  /** Told to whoever asked, beside the result. */
  readonly warn: (text: string) => void;
};

/** What an operation has no object for cannot be changed. */
const changeable = (request: AdmissionRequest, { object }: Objects) =>
  object !== undefined && request.operation !== "CONNECT";

/**
 * The object as the webhooks make it, in storage form; the one that was given when none changes it.
 * Webhooks that wish so are asked again, once, when a later one has changed what they saw.
 *
 * @throws {ApiError} what a webhook says, or that it cannot be asked
 */
export async function mutate(
  hooks: readonly Hook[],
  request: AdmissionRequest,
  { object: given, oldObject }: Objects,
  ports: AskPorts,
): Promise<unknown> {
  let object = given;
  const asked = new Set<Hook>();
  const again = new Set<Hook>();
  const round = async (among: readonly Hook[], isMeant: (hook: Hook) => boolean) => {
    for (const hook of among) {
      const changed = await mutateBy(hook, request, { object, oldObject }, ports, isMeant);
      if (changed !== undefined) {
        object = changed.object;
        for (const earlier of asked) again.add(earlier);
        asked.clear();
      }
      if (hook.webhook.reinvocationPolicy === "IfNeeded") asked.add(hook);
    }
  };
  await round(hooks, () => true);
  if (again.size > 0) await round(hooks, (hook) => again.has(hook));
  return object;
}

/** @returns undefined when the webhook changes nothing */
async function mutateBy(
  hook: Hook,
  request: AdmissionRequest,
  objects: Objects,
  ports: AskPorts,
  isMeant: (hook: Hook) => boolean,
): Promise<{ readonly object: unknown } | undefined> {
  if (!isMeant(hook)) return undefined;
  const sights = sightsOf(request, objects, ports);
  const form = matchOf(hook, { request, objects, view: ports.view }, sights);
  if (form === undefined) return undefined;
  const sight = sights(form);
  const verdict = await ask(hook, sight, request, { ports, mutating: true });
  const { patch } = verdict ?? {};
  if (patch === undefined || (Array.isArray(patch) && patch.length === 0)) return undefined;
  if (!changeable(request, objects)) {
    throw internal(
      `admission webhook ${JSON.stringify(hook.webhook.name)} attempted to modify the object, which is not supported for this operation`,
    );
  }
  const patched = patchedBy(sight.objects.object, patch);
  if (dequal(patched, sight.objects.object)) return undefined;
  return { object: stored(request, form, patched) };
}

function patchedBy(object: unknown, patch: unknown): unknown {
  try {
    return jsonPatch(object, patch);
  } catch (error) {
    if (error instanceof ApiError) throw internal(error.message, { cause: error });
    throw error;
  }
}

const internal = (message: string, options?: ErrorOptions) =>
  new ApiError("InternalError", `Internal error occurred: ${message}`, {}, options);

/** In storage form, with the defaults of what was added; what is wrong with it is told at its admission. */
function stored({ body }: AdmissionRequest, form: Kind, patched: unknown): unknown {
  if (body !== undefined) return patched;
  const object = inStorage(form, patched);
  const kind = form.stored?.kind ?? form;
  const parsed = kind.schema.safeParse(object);
  return parsed.success ? parsed.data : object;
}

/** How many webhooks are asked at once about one request. */
const askedAtOnce = 16;

/**
 * Asks every webhook that concerns the request.
 *
 * @throws {ApiError} the first one's refusal, in the order of the webhooks
 */
export async function validate(
  hooks: readonly Hook[],
  request: AdmissionRequest,
  objects: Objects,
  ports: AskPorts,
): Promise<void> {
  const sights = sightsOf(request, objects, ports);
  const meant = hooks.flatMap((hook) => {
    const form = matchOf(hook, { request, objects, view: ports.view }, sights);
    return form === undefined ? [] : [{ hook, sight: sights(form) }];
  });
  const refusals: (Error | undefined)[] = [];
  const waiting = meant.entries();
  const work = async () => {
    for (const [at, { hook, sight }] of waiting) {
      try {
        await ask(hook, sight, request, { ports, mutating: false });
      } catch (error) {
        refusals[at] = error instanceof Error ? error : new Error(String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(askedAtOnce, meant.length) }, work));
  const first = refusals.find((refusal) => refusal !== undefined);
  if (first !== undefined) throw first;
}

/**
 * @returns undefined when it gives no usable answer, and that is to be ignored
 * @throws {ApiError} its refusal, or that it gives no usable answer
 */
async function ask(
  { configuration, webhook }: Hook,
  { fields, objects }: Sight,
  { dryRun }: AdmissionRequest,
  { ports, mutating }: { readonly ports: AskPorts; readonly mutating: boolean },
): Promise<Verdict | undefined> {
  const { name, clientConfig, timeoutSeconds, admissionReviewVersions } = webhook;
  if (dryRun && !sideEffectsAllowed.includes(webhook.sideEffects)) {
    throw new ApiError(
      "BadRequest",
      `admission webhook ${JSON.stringify(name)} does not support dry run`,
    );
  }
  const version = reviewVersionOf(admissionReviewVersions);
  try {
    if (version === undefined) {
      throw new InvalidAnswer(
        "webhook does not accept known AdmissionReview versions (v1, v1beta1)",
      );
    }
    const review = { version, uid: ports.random.uuid() };
    const asked = reviewOf(review, fields, objects);
    const given = await ports.call(clientConfig, asked, timeoutSeconds * 1_000);
    const verdict = verdictOf(review, given, { mutating });
    for (const warning of verdict.warnings) ports.warn(warning);
    if (!verdict.allowed) throw deniedBy(name, verdict.status);
    return verdict;
  } catch (error) {
    const reason = failureOf(error);
    if (reason === undefined) throw error;
    if (webhook.failurePolicy !== "Ignore") throw new WebhookFailed(name, reason, { cause: error });
    ports.log.warn({ err: error, configuration, webhook: name }, "a webhook failed and is ignored");
    return undefined;
  }
}

const sideEffectsAllowed: readonly string[] = ["None", "NoneOnDryRun"];

function failureOf(error: unknown): string | undefined {
  if (error instanceof WebhookCallFailed) return `failed to call webhook: ${error.message}`;
  if (error instanceof InvalidAnswer) return `received invalid webhook response: ${error.message}`;
  return undefined;
}
