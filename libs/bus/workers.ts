import type { Packet } from "./wire.ts";

/** A bounded number of handlers at work, and a bounded queue before them. */
export type Workers = {
  take(packet: Packet): void;
  /** Resolves when what was taken has been worked off. */
  idle(): Promise<void>;
};

export type WorkersOptions = {
  readonly concurrency: number;
  /** Packets that wait at most; then the oldest is dropped and `dropped` is told. */
  readonly waitingMax: number;
  readonly dropped: (packet: Packet) => void;
};

/** @param work must not throw */
export function workers(
  work: (packet: Packet) => Promise<void>,
  { concurrency, waitingMax, dropped }: WorkersOptions,
): Workers {
  let waiting: Packet[] = [];
  let next = 0;
  const working = new Set<Promise<void>>();

  function start(packet: Packet): void {
    const done = work(packet).finally(() => {
      working.delete(done);
      const following = shift();
      if (following !== undefined) start(following);
    });
    working.add(done);
  }

  function shift(): Packet | undefined {
    const packet = waiting[next];
    if (packet === undefined) return undefined;
    next += 1;
    if (next > 512 && next * 2 > waiting.length) {
      waiting = waiting.slice(next);
      next = 0;
    }
    return packet;
  }

  return {
    take(packet) {
      if (working.size < concurrency) return start(packet);
      waiting.push(packet);
      if (waiting.length - next > waitingMax) {
        const oldest = shift();
        if (oldest !== undefined) dropped(oldest);
      }
    },
    async idle() {
      while (working.size > 0) await Promise.all(working);
    },
  };
}
