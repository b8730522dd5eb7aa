/**
 * Who waits for a turn. A message only says "look again", so any number of them before a turn are one;
 * one that comes during a turn makes another. Kinds take turns, so that ten thousand waiting
 * ReplicaSets do not keep one Node waiting.
 */
export type Waiting = { readonly kind: string; readonly name: string };

export type Mailbox = {
  put(kind: string, name: string): void;
  /** The next that waits and is not at work, the kinds in rotation; from here it is at work. */
  take(): Waiting | undefined;
  /** Its turn has ended. */
  done(kind: string, name: string): void;
  /** Forgets what waits. */
  clear(): void;
  readonly waiting: number;
};

type Lane = {
  readonly kind: string;
  /** In order of arrival: a Set keeps it. */
  readonly waiting: Set<string>;
  /** Names at work, and whether they were told meanwhile. */
  readonly working: Map<string, boolean>;
};

export function mailbox(kinds: readonly string[]): Mailbox {
  const lanes = kinds.map((kind): Lane => ({ kind, waiting: new Set(), working: new Map() }));
  const byKind = new Map(lanes.map((lane) => [lane.kind, lane]));
  let next = 0;

  function laneOf(kind: string): Lane {
    const lane = byKind.get(kind);
    if (lane === undefined) throw new TypeError(`no behaviour of kind ${kind}`);
    return lane;
  }

  return {
    put(kind, name) {
      const { waiting, working } = laneOf(kind);
      if (working.has(name)) working.set(name, true);
      else waiting.add(name);
    },
    take() {
      for (let tries = 0; tries < lanes.length; tries += 1) {
        const lane = lanes[next % lanes.length];
        next = (next + 1) % lanes.length;
        const [name] = lane?.waiting ?? [];
        if (lane === undefined || name === undefined) continue;
        lane.waiting.delete(name);
        lane.working.set(name, false);
        return { kind: lane.kind, name };
      }
      return undefined;
    },
    done(kind, name) {
      const { waiting, working } = laneOf(kind);
      if (working.get(name) === true) waiting.add(name);
      working.delete(name);
    },
    clear() {
      for (const { waiting, working } of lanes) {
        waiting.clear();
        for (const name of working.keys()) working.set(name, false);
      }
    },
    get waiting() {
      return lanes.reduce((sum, { waiting }) => sum + waiting.size, 0);
    },
  };
}
