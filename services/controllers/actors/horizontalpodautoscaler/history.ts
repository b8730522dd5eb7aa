/**
 * What an autoscaler has recommended and done. What it did is in state: each change is noted in the
 * transaction that makes it (S2). What it recommended is not, and lives as long as the instance that
 * heard the metrics: one that has not listened for the whole window does not know what was asked for in
 * it, and takes the present number for that (N1).
 */
import * as z from "zod";
import type { EpochMs } from "../../../../libs/telemetry/clock.ts";
import type { Change, Recommendation } from "./pace.ts";

/** What an instance remembers of one autoscaler between its turns. */
export type Memory = {
  readonly uid: string;
  /** Of its last turn here. */
  readonly at: EpochMs;
  /** Equal ones in a row are one, as old as the youngest. */
  readonly recommendations: readonly Recommendation[];
  /** When its status was last written for no more than what its metrics are. */
  readonly shownAt: EpochMs;
};

/** Between turns further apart than this there may have been something that was not heard. */
const gapMaxMs = 6_000;

type Now = {
  readonly uid: string;
  readonly current: number;
  readonly windowMs: number;
  readonly now: EpochMs;
};

/** What this instance remembers, if it has listened without a break; else that it has just begun to. */
export function recall(memory: Memory | undefined, { uid, current, windowMs, now }: Now): Memory {
  const isWhole = memory?.uid === uid && memory.at <= now && now - memory.at <= gapMaxMs;
  if (!isWhole)
    return { uid, at: now, recommendations: [{ at: now, replicas: current }], shownAt: 0 };
  const recommendations = memory.recommendations.filter(({ at }) => at > now - windowMs);
  return { ...memory, at: now, recommendations };
}

/** With one more recommendation, of now. */
export function noting(memory: Memory, replicas: number): Memory {
  const { recommendations, at } = memory;
  const again = recommendations.at(-1)?.replicas === replicas;
  const before = again ? recommendations.slice(0, -1) : recommendations;
  return { ...memory, recommendations: [...before, { at, replicas }] };
}

/** What was recommended when others, or this one, made changes: at least what they made. */
export const recommendedBy = (changes: readonly Change[]): readonly Recommendation[] =>
  changes.map(({ at, to }) => ({ at, replicas: to }));

/** On the autoscaler: its changes of the longest period of its policies and windows, oldest first. */
export const changesAnnotation = "berth.dev/autoscaler-changes";
/** Kept; of more the oldest two become one. */
const changesMax = 100;

const noted = z.array(z.tuple([z.number(), z.int().min(0), z.int().min(0)]));

/** Those noted on an autoscaler. What somebody wrote there by hand and wrongly says nothing. */
export function changesOn(
  annotations: Readonly<Record<string, string>> | undefined,
): readonly Change[] {
  const text = annotations?.[changesAnnotation];
  if (text === undefined) return [];
  const read = noted.safeParse(parsed(text));
  return read.success ? read.data.map(([at, from, to]) => ({ at, from, to })) : [];
}

/** As noted on an autoscaler, with one more, without those that matter no longer. */
export function withChange(changes: readonly Change[], next: Change, keepMs: number): string {
  const kept = [...changes.filter(({ at }) => at > next.at - keepMs), next];
  const [first, second, ...rest] = kept;
  const all =
    kept.length > changesMax && first !== undefined && second !== undefined
      ? [{ ...second, from: first.from }, ...rest]
      : kept;
  return JSON.stringify(all.map(({ at, from, to }) => [at, from, to]));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Refused by the schema.
  }
}
