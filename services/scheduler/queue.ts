/** Pods that wait for a node, and those that found none and wait for a change. */
export type Queue = {
  /** It waits, from now. */
  add(address: string): void;
  /** It waits for nothing any more. */
  remove(address: string): void;
  /** Found no node: waits until there may be one. */
  park(address: string): void;
  isParked(address: string): boolean;
  /** Something has changed: all that are parked wait again, or those that it may concern. */
  unpark(concerns?: (address: string) => boolean): void;
  /** At most `limit` of those that wait; they are no longer in the queue. */
  take(limit: number): readonly string[];
  readonly waiting: number;
  readonly parked: number;
};

export function queue(): Queue {
  const waiting = new Set<string>();
  const parked = new Set<string>();
  return {
    add(address) {
      parked.delete(address);
      waiting.add(address);
    },
    remove(address) {
      parked.delete(address);
      waiting.delete(address);
    },
    park(address) {
      if (!waiting.has(address)) parked.add(address);
    },
    isParked: (address) => parked.has(address),
    unpark(concerns = () => true) {
      for (const address of parked) {
        if (!concerns(address)) continue;
        parked.delete(address);
        waiting.add(address);
      }
    },
    take(limit) {
      const taken = waiting.values().take(limit).toArray();
      for (const address of taken) waiting.delete(address);
      return taken;
    },
    get waiting() {
      return waiting.size;
    },
    get parked() {
      return parked.size;
    },
  };
}
