/**
 * What is configured to judge requests: webhooks and policies, kept up to date from a replica. Where
 * nothing is, a write costs reading one flag.
 *
 *     using hooks = openAdmissionHooks({ replica, view, kindOf, call, random, log });
 *     const asked = hooks.idle ? undefined : hooks.concerning(request);
 */
import { prefixOf } from "../cluster/key.ts";
import type { ClusterView } from "../cluster/view.ts";
import type { Kind } from "../model/kind.ts";
import { mutatingWebhookConfiguration } from "../model/kinds/mutatingwebhookconfiguration.ts";
import { validatingAdmissionPolicy } from "../model/kinds/validatingadmissionpolicy.ts";
import { validatingAdmissionPolicyBinding } from "../model/kinds/validatingadmissionpolicybinding.ts";
import { validatingWebhookConfiguration } from "../model/kinds/validatingwebhookconfiguration.ts";
import type { Replica } from "../store/replica.ts";
import type { Log } from "../telemetry/log.ts";
import type { Random } from "../telemetry/random.ts";
import { type AskPorts, mutate, validate } from "./ask.ts";
import type { Authorize } from "./authorizer.ts";
import type { CallOptions, ClientConfig } from "./call.ts";
import { endpointsOf } from "./endpoints.ts";
import { concerns, type Hook, hooksOf } from "./hook.ts";
import { checkPolicies, type Policy, policyOf, type PolicyPorts } from "./policy.ts";
import { type AdmissionRequest, isExempt, type Objects } from "./request.ts";

export type AdmissionHooks = Disposable & {
  /** Nothing is configured. */
  readonly idle: boolean;
  /** Those whose rules name the request, whatever its objects are; undefined: none. */
  concerning(request: AdmissionRequest): Concerning | undefined;
  /**
   * Judges by the policies.
   *
   * @throws {ApiError} a denial
   */
  check(request: AdmissionRequest, objects: Objects, warn: Warn): void;
};

export type Concerning = {
  readonly mutates: boolean;
  /** The object as it shall be. @throws {ApiError} */
  mutate(objects: Objects, warn: Warn, signal?: AbortSignal): Promise<unknown>;
  /** @throws {ApiError} */
  validate(objects: Objects, warn: Warn, signal?: AbortSignal): Promise<void>;
};

type Warn = (text: string) => void;

export type AdmissionHooksOptions = {
  readonly replica: Pick<Replica<unknown>, "subscribe">;
  readonly view: ClusterView;
  /** What the API's access reviews answer, for `authorizer` in expressions. */
  readonly authorize: Authorize;
  /** Any kind that is served, for the parameters of policies. */
  readonly kindOf: PolicyPorts["kindOf"];
  readonly call: (config: ClientConfig, body: unknown, options: CallOptions) => Promise<unknown>;
  readonly random: Random;
  readonly log: Log;
};

const sources: readonly Kind[] = [
  mutatingWebhookConfiguration,
  validatingWebhookConfiguration,
  validatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
];
const prefixes = sources.map((kind) => prefixOf(kind));

/** Whether a kind's objects configure what judges requests. */
export const configuresAdmission = ({ group, plural }: Kind): boolean =>
  sources.some((kind) => kind.group === group && kind.plural === plural);

type Configured = {
  readonly mutating: readonly Hook[];
  readonly validating: readonly Hook[];
  readonly policies: readonly Policy[];
};

export function openAdmissionHooks(options: AdmissionHooksOptions): AdmissionHooks {
  const { replica, view, random, log, kindOf, authorize } = options;
  let known: Configured | undefined;
  const configured = () => (known ??= readFrom(view));
  const subscription = replica.subscribe(({ changes }) => {
    if (known !== undefined && changes.some(({ key }) => isSource(key))) known = undefined;
  });
  const portsFor = (warn: Warn, signal: AbortSignal | undefined): AskPorts => ({
    view,
    authorize,
    random,
    log,
    warn,
    call: (config, review, timeoutMs) =>
      options.call(config, review, {
        timeoutMs,
        signal,
        resolve: (service) => endpointsOf(view, service, random),
      }),
  });
  return {
    get idle() {
      const { mutating, validating, policies } = configured();
      return mutating.length === 0 && validating.length === 0 && policies.length === 0;
    },
    concerning(request) {
      if (isExempt(request)) return undefined;
      const named = (hooks: readonly Hook[]) => hooks.filter((hook) => concerns(hook, request));
      const [mutating, validating] = [named(configured().mutating), named(configured().validating)];
      if (mutating.length === 0 && validating.length === 0) return undefined;
      return {
        mutates: mutating.length > 0,
        mutate: (objects, warn, signal) =>
          mutate(mutating, request, objects, portsFor(warn, signal)),
        validate: (objects, warn, signal) =>
          validate(validating, request, objects, portsFor(warn, signal)),
      };
    },
    check(request, objects, warn) {
      const { policies } = configured();
      if (policies.length === 0 || isExempt(request)) return;
      const audit: PolicyPorts["audit"] = (facts) => log.info(facts, "a policy audits a request");
      checkPolicies(policies, request, objects, { view, authorize, kindOf, warn, audit });
    },
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  };
}

const isSource = (key: string): boolean => prefixes.some((prefix) => key.startsWith(prefix));

/** In the order of their names, as Kubernetes asks them. */
function readFrom(view: ClusterView): Configured {
  const bindings = byName(view.list(validatingAdmissionPolicyBinding));
  const policies = byName(view.list(validatingAdmissionPolicy)).flatMap((policy) => {
    const own = bindings.filter(({ spec }) => spec.policyName === policy.metadata.name);
    return own.length === 0 ? [] : [policyOf(policy, own)];
  });
  return {
    mutating: byName(view.list(mutatingWebhookConfiguration)).flatMap(hooksOf),
    validating: byName(view.list(validatingWebhookConfiguration)).flatMap(hooksOf),
    policies,
  };
}

const byName = <T extends { readonly metadata: { readonly name: string } }>(
  objects: readonly T[],
) => objects.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
