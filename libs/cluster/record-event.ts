/**
 * Kubernetes Events: written after the commit, best effort, into their own store, where they live for
 * an hour. The same event again raises the count of the first.
 */
import { keyOf } from "./key.ts";
import { event as eventKind } from "../model/kinds/event.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../telemetry/clock.ts";
import type { Log } from "../telemetry/log.ts";

export type EventFacts = {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** When it was seen, RFC 3339; now when it is absent. */
  readonly at?: string;
  readonly source: { readonly component: string; readonly host?: string };
  readonly involved: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace?: string | undefined;
    readonly name: string;
    readonly uid?: string | undefined;
    readonly fieldPath?: string;
    readonly resourceVersion?: string | undefined;
  };
};

/** Never throws and never waits: what cannot be written is logged. */
export type RecordEvent = (facts: EventFacts) => void;

/** Events that are counted up rather than written anew, and writes that wait. */
const rememberedMax = 4_096;
const waitingMax = 1_000;

type Remembered = {
  readonly name: string;
  readonly count: number;
  readonly first: string;
  readonly revision: number | "absent";
};

/** @param store of the bucket `events` */
export function eventRecorder({
  store,
  clock,
  log,
}: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}): RecordEvent & AsyncDisposable {
  const remembered = new Map<string, Remembered>();
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  let serial = 0;

  async function write(facts: EventFacts): Promise<void> {
    const { involved, source, type, reason, message } = facts;
    const at = facts.at ?? new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const same = JSON.stringify([involved, source, type, reason, message]);
    const known = remembered.get(same);
    serial += 1;
    const fresh = `${involved.name}.${(clock.now() * 1_000 + (serial % 1_000)).toString(16)}`;
    const { name, count, first, revision } = known ?? {
      name: fresh,
      count: 0,
      first: at,
      revision: "absent",
    };
    const namespace = involved.namespace ?? "default";
    const value = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace, creationTimestamp: first, uid: uidOf(name) },
      involvedObject: involved,
      reason,
      message,
      source,
      firstTimestamp: first,
      lastTimestamp: at,
      count: count + 1,
      type,
      eventTime: null,
      reportingComponent: source.component,
      reportingInstance: source.host ?? "",
    };
    const key = keyOf(eventKind, namespace, name);
    const outcome = await store.commit([
      { op: "put", key, expect: revision, value: new TextEncoder().encode(JSON.stringify(value)) },
    ]);
    remembered.delete(same);
    if (outcome.ok)
      remembered.set(same, { name, count: count + 1, first, revision: outcome.revision });
    for (const oldest of remembered.keys()) {
      if (remembered.size <= rememberedMax) break;
      remembered.delete(oldest);
    }
  }

  const record = (facts: EventFacts): void => {
    if (waiting >= waitingMax)
      return log.warn({ reason: facts.reason }, "too many events, one was dropped");
    waiting += 1;
    last = last
      .then(() => write(facts))
      .catch((error: unknown) =>
        log.warn({ err: error, reason: facts.reason }, "an event was not written"),
      )
      .finally(() => {
        waiting -= 1;
      });
  };
  return Object.assign(record, { [Symbol.asyncDispose]: () => last });
}

/** A stable uid of an event, in the form of a UUID, from its name. */
function uidOf(name: string): string {
  let hash = 0x811c9dc5;
  const hex = Array.from({ length: 32 }, (_, nth) => {
    for (const char of `${nth}${name}`)
      hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
    return (hash & 15).toString(16);
  }).join("");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}
