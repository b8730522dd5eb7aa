import type { Clock } from "../telemetry/clock.ts";
import type { Member, Memberships } from "./memberships.ts";

export type MemoryMemberships = Memberships & {
  /** Its process dies without a word: the others hear when its lease has ended. */
  crash(id: string): void;
};

const leaseMs = 1_000;

/** Memberships in this process, shared by all instances of a simulated cluster. */
export function memoryMemberships({ clock }: { readonly clock: Clock }): MemoryMemberships {
  const members = new Map<string, Member>();
  const listeners = new Set<(group: string) => void>();

  function leave({ id, group }: Member): void {
    if (!members.delete(id)) return;
    for (const listener of listeners) listener(group);
  }

  const living = (group: string) =>
    [...members.values()]
      .filter((member) => member.group === group)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));

  return {
    async announce(member, signal) {
      if (signal.aborted) return;
      members.set(member.id, member);
      for (const listener of listeners) listener(member.group);
      await aborted(signal);
      leave(member);
    },
    async follow(group, changed, signal) {
      if (signal.aborted) return;
      const listener = (moved: string) => {
        if (moved === group) changed(living(group));
      };
      listeners.add(listener);
      changed(living(group));
      await aborted(signal);
      listeners.delete(listener);
    },
    crash(id) {
      const member = members.get(id);
      if (member !== undefined) clock.after(leaseMs, () => leave(member));
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
