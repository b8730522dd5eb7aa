/** Tokens for the ServiceAccounts of pods, for the nodes that run them. */
import { grantToken, tokenSecondsMax, tokenSecondsMin } from "../../../libs/identity/grant.ts";
import { issuerOf, signToken } from "../../../libs/identity/token.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import { pod as podKind, type Pod } from "../../../libs/model/kinds/pod.ts";
import type { GrantedToken, TokenRef } from "../../../libs/protocol/node.ts";
import type { SessionPorts } from "./sessions.ts";

type Ports = Pick<SessionPorts, "view" | "settings" | "signingKeys" | "clock" | "random" | "log">;

/**
 * A node gets tokens for the pods that are on it, such as their volumes ask for, and no others. What
 * it does not get, because the account is not there yet, it asks for again.
 */
export function tokensFor(
  ports: Ports,
  node: string,
  refs: readonly TokenRef[],
): readonly GrantedToken[] {
  return refs.flatMap((ref) => tokenFor(ports, node, ref) ?? []);
}

function tokenFor(ports: Ports, node: string, ref: TokenRef): GrantedToken | undefined {
  const { view, settings, signingKeys, clock, random, log } = ports;
  const pod = view.get(podKind, ref.namespace, ref.pod);
  if (signingKeys === undefined || pod === undefined) return undefined;
  if (pod.metadata.uid !== ref.uid || pod.spec.nodeName !== node || !asks(pod, ref))
    return undefined;
  const issuer = issuerOf(settings);
  const lifeSeconds = Math.min(Math.max(ref.expirationSeconds, tokenSecondsMin), tokenSecondsMax);
  try {
    const claims = grantToken(
      {
        namespace: ref.namespace,
        account: pod.spec.serviceAccountName ?? "default",
        audiences: [ref.audience === "" ? issuer : ref.audience],
        expirationSeconds: lifeSeconds,
        bound: { kind: "Pod", name: ref.pod, uid: ref.uid },
      },
      { view, issuer, now: clock.now(), random },
    );
    return { ...ref, token: signToken(signingKeys, claims), lifeSeconds };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    log.debug({ err: error, pod: ref.pod }, "no token for a pod yet");
    return undefined;
  }
}

/** Whether a volume of the pod is made of such a token. */
const asks = ({ spec }: Pod, { audience, expirationSeconds }: TokenRef): boolean =>
  (spec.volumes ?? []).some(({ projected }) =>
    (projected?.sources ?? []).some(
      ({ serviceAccountToken: token }) =>
        token !== undefined &&
        (token.audience ?? "") === audience &&
        token.expirationSeconds === expirationSeconds,
    ),
  );
