/**
 * A world for tests of the runtime: sets that want a number of items. A turn makes what is missing
 * under names of its own revision and writes the set too (S2), as a ReplicaSet does with pods.
 */
import { memoryStore } from "../store/memory.ts";
import { memoryBucket } from "../store/memory-bucket.ts";
import { type MemoryFaults, noFaults, randomFaults } from "../store/memory-faults.ts";
import { openReplica } from "../store/open-replica.ts";
import type { Change, Replica, View } from "../store/replica.ts";
import type { Op, Store } from "../store/store.ts";
import { createLog } from "../telemetry/log.ts";
import { seededRandom } from "../telemetry/seeded-random.ts";
import { virtualClock } from "../telemetry/virtual-clock.ts";
import type { Behaviour } from "./behaviour.ts";
import { alone } from "./placement.ts";
import { type Actors, type ActorsOptions, runActors } from "./runtime.ts";

export type Thing = { readonly wanted?: number; readonly of?: string };
export type SetBehaviour = Behaviour<View<Thing>, Change<Thing>>;

const encode = (thing: Thing) => new TextEncoder().encode(JSON.stringify(thing));

export const sets: SetBehaviour = {
  kind: "sets",
  *concerns({ key, before, after }) {
    const [kind, name = ""] = key.split(".");
    if (kind === "sets") yield name;
    const owner = (after ?? before)?.value.of;
    if (owner !== undefined) yield owner;
  },
  *all(view) {
    for (const { key } of view.scan("sets.")) yield key.slice("sets.".length);
  },
  turn(name, view) {
    const self = view.get(`sets.${name}`);
    if (self === undefined) return undefined;
    const items = [...view.lookup("of", name)];
    const missing = (self.value.wanted ?? 0) - items.length;
    const born = Array.from({ length: Math.max(missing, 0) }, (_, nth): Op => {
      const key = `items.${name}-${self.revision}-${nth}`;
      return { op: "put", key, expect: "absent", value: encode({ of: name }) };
    });
    const doomed = items.slice(0, Math.max(-missing, 0)).map(({ key, value, revision }): Op => ({
      op: "delete",
      key,
      expect: revision,
      last: encode(value),
    }));
    const changes = [...born, ...doomed];
    const touch: Op = {
      op: "put",
      key: self.key,
      expect: self.revision,
      value: encode(self.value),
    };
    const ops = changes.length === 0 ? [] : [...changes, touch];
    return { ops, wakeAt: undefined, cut: view.revision };
  },
};

type Instance = { readonly store: Store; readonly replica: Replica<Thing> };

export type World = AsyncDisposable & {
  readonly store: Store;
  readonly replica: Replica<Thing>;
  readonly clock: ReturnType<typeof virtualClock>;
  want(name: string, wanted: number): Promise<void>;
  /** Lets time pass until `check` holds; fails after a virtual hour. */
  until(check: () => boolean): Promise<void>;
  items(name: string): number;
  /** Another process's store and replica on the same bucket; each fault has the chance `rate`. */
  another(rate: number): Promise<Instance>;
  run(options?: Partial<ActorsOptions<View<Thing>, Thing>>): Actors;
};

export async function openWorld(seed = 1): Promise<World> {
  const clock = virtualClock();
  const random = seededRandom(seed);
  const log = createLog("test", "silent");
  const closing = new AbortController();
  const { signal } = closing;
  const bucket = memoryBucket({ clock });

  async function open(faults: MemoryFaults): Promise<Instance> {
    const store = memoryStore({ clock, random, log, bucket, faults });
    const opening = openReplica<Thing>(store, {
      decode: ({ value, deleted }) =>
        deleted ? undefined : (JSON.parse(new TextDecoder().decode(value)) as Thing), // Written here.
      indexes: { of: ({ value }) => (value.of === undefined ? [] : [value.of]) },
      signal,
      clock,
      log,
    });
    return { store, replica: await during(opening) };
  }

  async function until(check: () => boolean): Promise<void> {
    for (let round = 0; round < 3_600; round += 1) {
      await clock.advance(round < 200 ? 1 : 1_000);
      if (check()) return;
    }
    throw new Error("it never came to be");
  }

  /** What needs time to pass, while it does. */
  async function during<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const finished = work.finally(() => {
      done = true;
    });
    await until(() => done);
    return finished;
  }

  const { store, replica } = await open(noFaults);
  return {
    store,
    replica,
    clock,
    until,
    another: (rate) => open(randomFaults(random, rate)),
    async want(name, wanted) {
      const key = `sets.${name}`;
      const value = encode({ wanted });
      for (;;) {
        const expect = (await during(store.get(key)))?.revision ?? "absent";
        const outcome = await during(store.commit([{ op: "put", key, expect, value }]));
        if (outcome.ok) return;
      }
    },
    items: (name) => [...replica.lookup("of", name)].length,
    run: (options = {}) =>
      runActors<View<Thing>, Thing>({
        behaviours: [sets],
        view: options.replica ?? replica,
        replica,
        store,
        placement: alone,
        clock,
        random,
        log,
        signal,
        ...options,
      }),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await clock.advance(15_000); // Longer than a hand-over waits.
      await store[Symbol.asyncDispose]();
    },
  };
}
