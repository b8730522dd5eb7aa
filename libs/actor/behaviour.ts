import type { Op, Revision } from "../store/store.ts";
import type { EpochMs } from "../telemetry/clock.ts";

/** What a turn decided. */
export type Turn = {
  /** One transaction; empty when there is nothing to change. */
  readonly ops: readonly Op[];
  /** When to turn again without a fact; required, so that a wake-up is never forgotten. */
  readonly wakeAt: EpochMs | undefined;
  /** The revision of the view that it was decided at. */
  readonly cut: Revision;
  /** Effects that follow the commit, such as Kubernetes Events; at once when there is nothing to commit. */
  readonly committed?: (revision: Revision) => void;
  /**
   * Somebody must be asked first: `ops` are none yet. What was answered is decided on anew, at the cut
   * as it is then, and that turn is committed.
   */
  readonly asks?: (around: Around) => Promise<Turn | undefined>;
};

/** What a turn that asks may use meanwhile. */
export type Around = {
  readonly now: () => EpochMs;
  /** Aborts when nobody waits for the turn any more. */
  readonly signal: AbortSignal;
};

/**
 * What the actors of one kind do. Pure: `view` is a consistent cut, and everything is synchronous.
 *
 * @typeParam V what a turn reads
 * @typeParam C a change of it
 */
export type Behaviour<V, C> = {
  /** The first part of its actors' addresses, `<kind>/<name>`; unique among the behaviours. */
  readonly kind: string;
  /** The names of the actors that a change concerns; `view` is already past the change. */
  concerns(change: C, view: V): Iterable<string>;
  /** Every actor that there is a reason for: they are all turned on taking over. */
  all(view: V): Iterable<string>;
  /** @returns undefined when there is nothing (any more) to look after */
  turn(name: string, view: V, now: EpochMs): Turn | undefined;
  /** Told of each turn that failed, to show it where users look; must not throw. */
  failed?(name: string, failure: { readonly error: unknown; readonly attempts: number }): void;
};

/** An actor's address, unique in its service. */
export const addressOf = (kind: string, name: string): string => `${kind}/${name}`;
