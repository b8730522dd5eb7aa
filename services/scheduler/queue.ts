/** Pods that wait for a node, and those that found none and wait for a change. */
import type { Claim } from "./claim.ts";

/** What is known of a pod that found no node. Those with the same key are helped by the same. */
export type Parked = {
  readonly claim: Claim;
  /** The node that it is on already, and where it waits for room to grow; "" for none. */
  readonly home: string;
};

export type Queue = {
  /** It waits, from now; the higher priority is taken first, and of equals the one that came first. */
  add(address: string, priority: number): void;
  /** It waits for nothing any more. */
  remove(address: string): void;
  /** Found no node: waits until there may be one. */
  park(address: string, parked: Parked): void;
  isParked(address: string): boolean;
  /** Something has changed: those wait again that it may help, all of a kind together. */
  unpark(helps: (parked: Parked) => boolean): void;
  /** At most `limit` of those that wait; they are no longer in the queue. */
  take(limit: number): readonly string[];
  readonly waiting: number;
  readonly parked: number;
};

/** One of those that the same helps, and all of them. */
type Kin = { readonly of: Parked; readonly addresses: Set<string> };

export function queue(): Queue {
  const priorities = new Map<string, number>();
  /** By priority, the highest first. */
  let waiting: readonly (readonly [number, Set<string>])[] = [];
  /** Address → the key of its kin. */
  const parked = new Map<string, string>();
  const kin = new Map<string, Kin>();

  function line(priority: number): Set<string> {
    const known = waiting.find(([one]) => one === priority);
    if (known !== undefined) return known[1];
    const made = new Set<string>();
    waiting = [...waiting, [priority, made] as const].toSorted(([a], [b]) => b - a);
    return made;
  }
  function leave(address: string): void {
    const priority = priorities.get(address);
    priorities.delete(address);
    if (priority === undefined) return;
    const all = line(priority);
    all.delete(address);
    if (all.size === 0) waiting = waiting.filter(([one]) => one !== priority);
  }
  function pickUp(address: string): void {
    const key = parked.get(address) ?? "";
    parked.delete(address);
    const all = kin.get(key)?.addresses;
    all?.delete(address);
    if (all?.size === 0) kin.delete(key);
  }
  function add(address: string, priority: number): void {
    pickUp(address);
    if (priorities.get(address) === priority) return;
    leave(address);
    priorities.set(address, priority);
    line(priority).add(address);
  }

  return {
    add,
    remove(address) {
      pickUp(address);
      leave(address);
    },
    park(address, of) {
      if (priorities.has(address)) return;
      pickUp(address);
      const key = keyOf(of);
      const all = kin.get(key) ?? { of, addresses: new Set() };
      kin.set(key, all);
      all.addresses.add(address);
      parked.set(address, key);
    },
    isParked: (address) => parked.has(address),
    unpark(helps) {
      for (const { of, addresses } of kin.values()) {
        if (!helps(of)) continue;
        for (const address of addresses) add(address, of.claim.priority);
      }
    },
    take(limit) {
      const taken: string[] = [];
      for (const [, all] of waiting) taken.push(...all.values().take(limit - taken.length));
      for (const address of taken) leave(address);
      return taken;
    },
    get waiting() {
      return priorities.size;
    },
    get parked() {
      return parked.size;
    },
  };
}

const keyOf = ({ claim, home }: Parked): string => {
  const { priority, preempts, nominated, usesStorage, sameAs, alike } = claim;
  return `${priority} ${preempts} ${usesStorage} ${home} ${nominated}\n${sameAs}\n${alike}`;
};
