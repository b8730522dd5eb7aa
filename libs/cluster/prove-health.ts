import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";
import type { Replica } from "../store/replica.ts";
import type { Store } from "../store/store.ts";

const everyMs = 2_000;

export type HealthOptions = {
  readonly cluster: {
    readonly store: Pick<Store, "lastRevision">;
    readonly replica: Pick<Replica<unknown>, "caughtUp">;
  };
  /** Called after each proof. */
  readonly mark: () => void;
  /** What else makes the service one that works, such as its membership. */
  readonly works?: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/**
 * Proves every two seconds, until `signal` aborts, that a service of the control plane sees the state
 * as it is now: JetStream answers, and the replica follows (a consistent read).
 */
export async function proveHealth(options: HealthOptions): Promise<void> {
  const { cluster, mark, works = () => true, clock, log, signal } = options;
  const { store, replica } = cluster;
  while (!signal.aborted) {
    try {
      await replica.caughtUp(await store.lastRevision(), { signal });
      if (works()) mark();
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, "the state cannot be read as it is now");
    }
    await clock.sleep(everyMs, signal);
  }
}
