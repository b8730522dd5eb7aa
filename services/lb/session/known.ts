/** What the lb knows of Services, slices and nodes: merged by key and revision, whatever order it comes in. */
import * as z from "zod";
import { clusterFacts, type ClusterFacts } from "../../../libs/protocol/node.ts";
import type { LbSnapshot } from "../../../libs/protocol/lb.ts";
import { serviceDigest } from "../../../libs/protocol/service-digest.ts";
import { hintSubject, servicePrefix, slicePrefix, token } from "../../../libs/protocol/subjects.ts";
import { parseService, parseSlice, type ServiceObject, type SliceObject } from "../objects.ts";
import type { NodeFact } from "../routes/plan.ts";

type Held<T> = { readonly revision: number; readonly object: T | undefined; readonly raw: unknown };

/** A consistent copy of what is known, to plan with. */
export type KnownNow = {
  readonly services: readonly ServiceObject[];
  readonly slices: readonly SliceObject[];
  readonly nodes: readonly NodeFact[];
  readonly cluster: ClusterFacts | undefined;
  /** The highest revision that is in it; 0 before the first full sync (N6). */
  readonly revision: number;
  readonly digest: string;
};

export interface Known {
  /** A write of one key. False: it was known already, or newer is. */
  hint(hint: { key: string; revision: number; deleted: boolean; object: unknown }): boolean;
  /** All of it, as of `snapshot.cut`; what is held at a revision ≤ the cut and absent there is gone (N3). */
  sync(snapshot: LbSnapshot): void;
  learn(cluster: ClusterFacts): boolean;
  now(): KnownNow;
  /** Some endpoint lies on a node that no snapshot has named. */
  hasUnknownNode(): boolean;
  /** For the disk; `restored` reads it. */
  saved(): unknown;
}

/** Tombstones kept so that a late hint cannot raise the dead; the oldest go first. */
const tombstonesMax = 10_000;

/** A service's or slice's key from the subject of its hint. */
export const keyOfHint = (subject: string): string => subject.slice(hintSubject("").length);

export function known(): Known {
  const services = new Map<string, Held<ServiceObject>>();
  const slices = new Map<string, Held<SliceObject>>();
  const tombstones = new Map<string, number>();
  const digest = serviceDigest();
  let nodes: readonly NodeFact[] = [];
  let cluster: ClusterFacts | undefined;
  let [revision, cut, synced] = [0, 0, false];

  return {
    hint({ key, revision: at, deleted, object }) {
      if (at <= Math.max(cut, revisionOf(key), tombstones.get(key) ?? 0)) return false;
      if (deleted) {
        drop(key);
        tombstones.set(key, at);
        const [oldest] = tombstones.keys();
        if (tombstones.size > tombstonesMax && oldest !== undefined) tombstones.delete(oldest);
      } else {
        hold(key, at, object);
      }
      revision = Math.max(revision, at);
      return true;
    },
    sync(snapshot) {
      const listed = new Set<string>();
      for (const [prefix, items] of [
        [servicePrefix, snapshot.services],
        [slicePrefix, snapshot.slices],
      ] as const) {
        for (const { revision: at, object } of items) {
          const key = keyOfObject(prefix, object);
          if (key === undefined) continue;
          listed.add(key);
          if (at > Math.max(revisionOf(key), tombstones.get(key) ?? 0)) hold(key, at, object);
        }
      }
      for (const key of [...services.keys(), ...slices.keys()]) {
        if (!listed.has(key) && revisionOf(key) <= snapshot.cut) drop(key);
      }
      nodes = snapshot.nodes;
      cut = Math.max(cut, snapshot.cut);
      for (const [key, at] of tombstones) if (at <= cut) tombstones.delete(key);
      revision = Math.max(revision, snapshot.cut);
      synced = true;
    },
    learn(facts) {
      if (JSON.stringify(facts) === JSON.stringify(cluster)) return false;
      cluster = facts;
      return true;
    },
    now: () => ({
      services: [...services.values()].flatMap(({ object }) => object ?? []),
      slices: [...slices.values()].flatMap(({ object }) => object ?? []),
      nodes,
      cluster,
      revision: synced ? revision : 0,
      digest: digest.text(),
    }),
    hasUnknownNode() {
      const names = new Set(nodes.map(({ name }) => name));
      return [...slices.values()].some(({ object }) =>
        object?.endpoints.some(({ nodeName }) => nodeName !== undefined && !names.has(nodeName)),
      );
    },
    saved: (): SavedState => ({
      cluster,
      snapshot: {
        cut: revision,
        services: [...services.values()].map(({ revision, raw }) => ({ revision, object: raw })),
        slices: [...slices.values()].map(({ revision, raw }) => ({ revision, object: raw })),
        nodes: nodes.map(({ name, addresses, podCIDR }) => ({
          name,
          addresses: [...addresses],
          podCIDR,
        })),
      },
    }),
  };

  function revisionOf(key: string): number {
    return (services.get(key) ?? slices.get(key))?.revision ?? 0;
  }
  function hold(key: string, at: number, raw: unknown): void {
    drop(key);
    tombstones.delete(key);
    digest.toggle(key, at);
    if (key.startsWith(servicePrefix)) {
      services.set(key, { revision: at, object: parseService(raw), raw });
    } else {
      slices.set(key, { revision: at, object: parseSlice(raw), raw });
    }
  }
  function drop(key: string): void {
    const at = revisionOf(key);
    if (at === 0) return;
    digest.toggle(key, at);
    services.delete(key);
    slices.delete(key);
  }
}

type SavedState = { readonly cluster: ClusterFacts | undefined; readonly snapshot: unknown };

const savedState = z.object({
  cluster: clusterFacts.optional(),
  snapshot: z.object({
    cut: z.int(),
    services: z.array(z.object({ revision: z.int(), object: z.looseObject({}) })),
    slices: z.array(z.object({ revision: z.int(), object: z.looseObject({}) })),
    nodes: z.array(
      z.object({
        name: z.string(),
        addresses: z.array(z.string()),
        podCIDR: z.string().optional(),
      }),
    ),
  }),
});

/**
 * What `saved` gave, to be planned with while the controllers cannot be reached. It does not count
 * as a sync: a restarted lb acknowledges nothing before it has the whole from them (N6).
 */
export function restored(saved: unknown): KnownNow | undefined {
  const { data } = savedState.safeParse(saved);
  if (data === undefined) return undefined;
  const memory = known();
  memory.sync(data.snapshot);
  if (data.cluster !== undefined) memory.learn(data.cluster);
  return { ...memory.now(), revision: 0 };
}

const named = z.object({ metadata: z.object({ name: z.string(), namespace: z.string() }) });

function keyOfObject(prefix: string, object: unknown): string | undefined {
  const { data } = named.safeParse(object);
  return data && `${prefix}${token(data.metadata.namespace)}.${token(data.metadata.name)}`;
}
