/**
 * What the gateway does for objects by itself, because it has what it takes: it fills in tokens, and
 * signs certificates. Every gateway does; the objects' own expectations keep two apart.
 */
import type { AnyObject } from "../../../libs/admission/context.ts";
import { prefixOf } from "../../../libs/cluster/key.ts";
import { ApiError } from "../../../libs/model/errors.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import { bell } from "../../../libs/telemetry/bell.ts";
import type { Clock } from "../../../libs/telemetry/clock.ts";
import type { Log } from "../../../libs/telemetry/log.ts";
import { type Backend, objectOf } from "../resources/backend.ts";

export type Duty = {
  readonly kind: Kind;
  /** Whether something is to be done for an object. */
  readonly isDue: (object: AnyObject) => boolean;
  /** @throws {ApiError} when it cannot be done: it is not tried again before the object changes */
  readonly fulfil: (object: AnyObject) => Promise<void>;
};

export type DutiesOptions = {
  readonly duties: readonly Duty[];
  readonly backend: Pick<Backend, "replica" | "view">;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
};

const retryMs = 1_000;

/** Runs until `signal` aborts. What waits is a set of keys: no more than there are such objects. */
export async function fulfilDuties({
  duties,
  backend,
  clock,
  log,
  signal,
}: DutiesOptions): Promise<void> {
  const waiting = new Map<string, Duty>();
  const news = bell(clock);
  const note = (key: string, value: unknown) => {
    const duty = duties.find(({ kind }) => key.startsWith(prefixOf(kind)));
    if (duty === undefined || value === undefined || !duty.isDue(objectOf(value))) return;
    waiting.set(key, duty);
    news.ring();
  };
  using _changes = backend.replica.subscribe(({ changes }) => {
    for (const { key, after } of changes) note(key, after?.value);
  });
  for (const { kind } of duties)
    for (const { key, value } of backend.view.raw.scan(prefixOf(kind))) note(key, value);

  async function round(): Promise<boolean> {
    for (const [key, duty] of waiting) {
      waiting.delete(key);
      const held = backend.view.raw.get(key)?.value;
      if (held === undefined || !duty.isDue(objectOf(held))) continue;
      try {
        await duty.fulfil(objectOf(held));
      } catch (error) {
        const isFinal = error instanceof ApiError && error.reason !== "Conflict";
        log.warn({ err: error, key }, "what was asked for could not be done");
        if (isFinal) continue;
        waiting.set(key, duty);
        return false;
      }
    }
    return true;
  }

  while (!signal.aborted) {
    const done = await round();
    await news.wait(done ? undefined : retryMs, signal);
  }
}
