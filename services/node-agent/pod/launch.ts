import type { Log } from "../../../libs/telemetry/log.ts";

/** Work that goes on beside an actor's turns. */
export type Launch = {
  /** Begins it, unless one under the same key is under way; it never rejects. */
  run(key: string, work: () => Promise<void>): void;
  /** Whether any is under way whose key begins so. */
  busy(prefix?: string): boolean;
  /** Resolves when the one under `key` has ended. */
  ended(key: string): Promise<void>;
};

/** @param onEnded called after each, however it ended */
export function launcher(log: Log, onEnded: () => void): Launch {
  const underWay = new Map<string, Promise<void>>();
  return {
    run(key, work) {
      if (underWay.has(key)) return;
      const running = work()
        .catch((error: unknown) =>
          log.error({ err: error, action: key }, "an action on a pod failed"),
        )
        .finally(() => {
          underWay.delete(key);
          onEnded();
        });
      underWay.set(key, running);
    },
    busy: (prefix = "") => underWay.keys().some((key) => key.startsWith(prefix)),
    ended: async (key) => underWay.get(key),
  };
}
