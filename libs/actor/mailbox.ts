/**
 * Who waits for a turn. A message only says "look again", so any number of them before a turn are one;
 * one that comes during a turn makes another. Kinds take turns, so that ten thousand waiting
 * ReplicaSets do not keep one Node waiting.
 */
export type Waiting = {
  readonly kind: string;
  readonly name: string;
  /** When the first of the messages that it turns for came. */
  readonly sinceMs: number;
};

export type Mailbox = {
  /** `atMs` of a clock that never goes back. */
  put(kind: string, name: string, atMs: number): void;
  /** The next that waits and is not at work, the kinds in rotation; from here it is at work. */
  take(): Waiting | undefined;
  /** Its turn has ended. */
  done(kind: string, name: string): void;
  /** Forgets what waits. */
  clear(): void;
  readonly waiting: number;
  /** How many wait, of each kind. */
  depths(): ReadonlyMap<string, number>;
};

type Lane = {
  readonly kind: string;
  /** Since when each waits, in order of arrival: a Map keeps it. */
  readonly waiting: Map<string, number>;
  /** Names at work, and since when they wait again. */
  readonly working: Map<string, number | undefined>;
};

export function mailbox(kinds: readonly string[]): Mailbox {
  const lanes = kinds.map((kind): Lane => ({ kind, waiting: new Map(), working: new Map() }));
  const byKind = new Map(lanes.map((lane) => [lane.kind, lane]));
  let next = 0;

  function laneOf(kind: string): Lane {
    const lane = byKind.get(kind);
    if (lane === undefined) throw new TypeError(`no behaviour of kind ${kind}`);
    return lane;
  }

  return {
    put(kind, name, atMs) {
      const { waiting, working } = laneOf(kind);
      if (working.has(name)) working.set(name, working.get(name) ?? atMs);
      else if (!waiting.has(name)) waiting.set(name, atMs);
    },
    take() {
      for (let tries = 0; tries < lanes.length; tries += 1) {
        const lane = lanes[next % lanes.length];
        next = (next + 1) % lanes.length;
        const [first] = lane?.waiting ?? [];
        if (lane === undefined || first === undefined) continue;
        const [name, sinceMs] = first;
        lane.waiting.delete(name);
        lane.working.set(name, undefined);
        return { kind: lane.kind, name, sinceMs };
      }
      return undefined;
    },
    done(kind, name) {
      const { waiting, working } = laneOf(kind);
      const sinceMs = working.get(name);
      if (sinceMs !== undefined) waiting.set(name, sinceMs);
      working.delete(name);
    },
    clear() {
      for (const { waiting, working } of lanes) {
        waiting.clear();
        for (const name of working.keys()) working.set(name, undefined);
      }
    },
    get waiting() {
      return lanes.reduce((sum, { waiting }) => sum + waiting.size, 0);
    },
    depths: () => new Map(lanes.map(({ kind, waiting }) => [kind, waiting.size])),
  };
}
