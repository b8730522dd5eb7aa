import type { Clock, Timer } from "../telemetry/clock.ts";
import type { Member } from "./memberships.ts";

export type Lingering = Disposable & {
  here(member: Member): void;
  left(id: string): void;
  /** What is known may be lost at its source: it holds until it is heard again, or for a lifetime. */
  doubt(): void;
  /** All that the source has now has come: the lifetime of what is in doubt begins. */
  loaded(): void;
};

/**
 * The living members as a follower sees them. When the server lost its memory the last view is kept
 * for one lifetime, while its members announce themselves again (W3).
 *
 * @param changed called with all members, sorted by id, after each change of the set
 */
export function lingering(
  changed: (members: readonly Member[]) => void,
  lifetimeMs: number,
  clock: Clock,
): Lingering {
  const members = new Map<string, Member>();
  const doubted = new Set<string>();
  let isLoaded = false;
  let timer: Timer | undefined;
  let told: string | undefined;

  function tell(): void {
    if (!isLoaded) return;
    const sorted = [...members.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const ids = sorted.map(({ id }) => id).join("\n");
    if (ids === told) return;
    told = ids;
    changed(sorted);
  }

  function drop(): void {
    for (const id of doubted) members.delete(id);
    doubted.clear();
    tell();
  }

  return {
    here(member) {
      doubted.delete(member.id);
      members.set(member.id, member);
      tell();
    },
    left(id) {
      if (doubted.has(id)) return; // A marker of before; its lifetime ends soon enough.
      members.delete(id);
      tell();
    },
    doubt() {
      timer?.[Symbol.dispose]();
      for (const id of members.keys()) doubted.add(id);
    },
    loaded() {
      isLoaded = true;
      tell();
      timer?.[Symbol.dispose]();
      if (doubted.size > 0) timer = clock.after(lifetimeMs, drop);
    },
    [Symbol.dispose]: () => timer?.[Symbol.dispose](),
  };
}
