/** What the agent knows of its assignments: merged by key and revision, whatever order it comes in (N3). */
import * as z from "zod";
import { type ClusterFacts, clusterFacts, type NodeSnapshot } from "../../../libs/protocol/node.ts";
import { parseWork, type PodWork } from "../pod/spec.ts";
import type { EpochMs } from "../../../libs/telemetry/clock.ts";

export type Held = {
  readonly revision: number;
  readonly work: PodWork;
  readonly startTime: EpochMs;
};
export type NodeNetwork = { readonly podCIDR: string; readonly cluster: ClusterFacts };

export interface Known {
  /** A write of the assignment under `key`, or its deletion. False: as new or newer is known. */
  hint(
    hint: { key: string; revision: number; deleted: boolean; value: unknown },
    now: EpochMs,
  ): boolean;
  /** All of it, as of `snapshot.cut`. False: it is older than what was applied, and proves nothing. */
  sync(snapshot: NodeSnapshot, now: EpochMs): boolean;
  /** False: nothing new. */
  learn(network: NodeNetwork): boolean;
  held(): readonly Held[];
  network(): NodeNetwork | undefined;
  /** The highest revision that was applied. */
  applied(): number;
  /** What is on disk is taken over where nothing newer is known. False: it says nothing. */
  restore(saved: unknown): boolean;
  saved(): unknown;
}

/** Tombstones kept so that a late hint cannot raise the dead; the oldest go first. */
const tombstonesMax = 2_000;

const savedState = z.object({
  applied: z.int(),
  network: z.object({ podCIDR: z.string(), cluster: clusterFacts }).optional(),
  held: z.array(z.object({ revision: z.int(), work: z.unknown(), startTime: z.number() })),
});

export function known(): Known {
  const held = new Map<string, Held>();
  const tombstones = new Map<string, number>();
  let applied = 0;
  let network: NodeNetwork | undefined;

  const put = (key: string, revision: number, work: PodWork, now: EpochMs) => {
    const before = held.get(key);
    const same = before?.work.uid === work.uid;
    held.set(key, { revision, work, startTime: same ? before.startTime : now });
  };
  const isNews = (key: string, revision: number) =>
    revision > Math.max(held.get(key)?.revision ?? 0, tombstones.get(key) ?? 0);

  return {
    hint({ key, revision, deleted, value }, now) {
      if (!isNews(key, revision)) return false;
      if (deleted) {
        held.delete(key);
        tombstones.set(key, revision);
        const [oldest] = tombstones.keys();
        if (tombstones.size > tombstonesMax && oldest !== undefined) tombstones.delete(oldest);
      } else {
        put(key, revision, parseWork(value), now);
      }
      applied = Math.max(applied, revision);
      return true;
    },
    sync({ cut, assignments }, now) {
      if (cut < applied) return false; // From an instance that lags (N3).
      const listed = new Set<string>();
      for (const { revision, assignment } of assignments) {
        const key = podKey(assignment);
        listed.add(key);
        if (isNews(key, revision)) put(key, revision, parseWork(assignment), now);
      }
      for (const [key, { revision }] of held) {
        if (!listed.has(key) && revision <= cut) held.delete(key);
      }
      applied = cut;
      return true;
    },
    learn(next) {
      if (JSON.stringify(next) === JSON.stringify(network)) return false;
      network = next;
      return true;
    },
    held: () => [...held.values()],
    network: () => network,
    applied: () => applied,
    restore(saved) {
      const { data } = savedState.safeParse(saved);
      if (data === undefined) return false;
      for (const one of data.held) {
        const work = parseWork(one.work);
        if (isNews(podKey(work), one.revision)) {
          held.set(podKey(work), { revision: one.revision, work, startTime: one.startTime });
        }
      }
      // `applied` stays: what is on disk is no proof of what the control plane has now.
      network ??= data.network;
      return true;
    },
    saved: () => ({ applied, network, held: [...held.values()] }),
  };
}

/** Key of an assignment: `<namespace>/<pod>`; neither holds a slash. */
export const podKey = ({ namespace, name }: { namespace: string; name: string }): string =>
  `${namespace}/${name}`;
