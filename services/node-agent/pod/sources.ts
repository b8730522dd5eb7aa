/**
 * What a pod's volumes and environment are made of, as the control plane tells it: ConfigMaps, Secrets,
 * claims, and tokens for its ServiceAccount, all in one question.
 */
import type { Claimed, GrantedToken, NodeConfig, TokenRef } from "../../../libs/protocol/node.ts";
import type { Clock, EpochMs } from "../../../libs/telemetry/clock.ts";
import type { ControlPlane } from "../session/session.ts";
import { claimsOf } from "./claimed-volumes.ts";
import { configRefsOf } from "./config-refs.ts";
import { type ReadConfig, type TokenSource, Unanswered } from "./environment.ts";
import type { PodWork } from "./spec.ts";

export type Held = {
  readonly read: ReadConfig;
  readonly readToken: (source: TokenSource) => string | undefined;
  readonly claims: readonly Claimed[];
};

export interface PodSources {
  /** As they are now. @throws when nobody answers */
  read(work: PodWork): Promise<Held>;
  /**
   * As they are now; where nobody answers, as they were last. What was never told throws
   * {Unanswered} when it is read.
   */
  readOrKept(work: PodWork): Promise<Held>;
  /** When one of its tokens is to be had anew. */
  renewAt(): EpochMs | undefined;
}

/** Of its life, how much a token is used for: those of pods that began together end one by one. */
const usedShare = { least: 0.7, most: 0.8 };
const usedMaxMs = 24 * 3_600_000;
/** A token that was not granted is asked for again so much later. */
const retryMs = 10_000;

type Kept = { readonly token: string | undefined; readonly renewAt: EpochMs };

export function podSources(control: Pick<ControlPlane, "config">, clock: Clock): PodSources {
  const tokens = new Map<string, Kept>();
  let last: NodeConfig | undefined;

  async function read(work: PodWork): Promise<Held> {
    const [refs, claims] = [configRefsOf(work), claimsOf(work)];
    const asked = tokensOf(work);
    const due = asked.filter((ref) => (tokens.get(keyOf(ref))?.renewAt ?? 0) <= clock.now());
    if (refs.length + claims.length + due.length === 0) return heldIn({ found: [], claims: [] });
    const answer = await control.config({ refs, claims, tokens: due });
    for (const ref of due) keep(ref, answer.tokens);
    last = answer;
    return heldIn(answer);
  }

  function keep(ref: TokenRef, granted: readonly GrantedToken[]): void {
    const key = keyOf(ref);
    const found = granted.find((one) => one.uid === ref.uid && keyOf(one) === key);
    if (found === undefined) {
      tokens.set(key, { token: tokens.get(key)?.token, renewAt: clock.now() + retryMs });
      return;
    }
    const share = usedShare.least + (usedShare.most - usedShare.least) * shareOf(ref.uid);
    const usedMs = Math.min(found.lifeSeconds * 1_000 * share, usedMaxMs);
    tokens.set(key, { token: found.token, renewAt: clock.now() + usedMs });
  }

  function heldIn({ found, claims }: Pick<NodeConfig, "found" | "claims">): Held {
    const values = new Map(
      found.map(({ kind, name, data }) => [`${kind}/${name}`, bytesOf(data)] as const),
    );
    return {
      read: (kind, name) => values.get(`${kind}/${name}`),
      readToken: (source) => tokens.get(keyOf(source))?.token,
      claims,
    };
  }

  return {
    read,
    async readOrKept(work) {
      try {
        return await read(work);
      } catch (cause) {
        if (last !== undefined) return heldIn(last);
        const message = "the control plane cannot be asked for ConfigMaps, Secrets and claims";
        const unanswered = (): never => {
          throw new Unanswered(message, { cause });
        };
        if (claimsOf(work).length > 0) unanswered();
        return { read: unanswered, readToken: unanswered, claims: [] };
      }
    },
    renewAt() {
      const times = [...tokens.values()].map(({ renewAt }) => renewAt);
      return times.length === 0 ? undefined : Math.min(...times);
    },
  };
}

/** The tokens that its volumes are made of, once each. */
export function tokensOf({ namespace, name, uid, spec }: PodWork): readonly TokenRef[] {
  const asked = new Map<string, TokenRef>();
  for (const { projected } of spec.volumes) {
    for (const { serviceAccountToken } of projected?.sources ?? []) {
      if (serviceAccountToken === undefined) continue;
      const { audience, expirationSeconds } = serviceAccountToken;
      const ref = { namespace, pod: name, uid, audience, expirationSeconds };
      asked.set(keyOf(ref), ref);
    }
  }
  return [...asked.values()];
}

const keyOf = ({ audience, expirationSeconds }: TokenSource) => `${expirationSeconds}/${audience}`;

/** In [0, 1), the same for a pod each time. */
const shareOf = (uid: string): number =>
  (Number.parseInt(uid.replaceAll("-", "").slice(0, 8), 16) || 0) / 2 ** 32;

const bytesOf = (data: Readonly<Record<string, string>>): Readonly<Record<string, Uint8Array>> =>
  Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text, "base64")] as const),
  );
