/**
 * What a controller is: the kind that it looks after, what it reads of a cut, and one pure function
 * from that to what must change. `behaviour.ts` makes an actor of it; docs/actors.md tells the story.
 */
import type { DeleteOptions } from "../../libs/admission/admit.ts";
import type { ClusterSettings } from "../../libs/cluster/settings.ts";
import type { ClusterView } from "../../libs/cluster/view.ts";
import type { ApiError } from "../../libs/model/errors.ts";
import type { Kind, ObjectOf } from "../../libs/model/kind.ts";
import type { EpochMs } from "../../libs/telemetry/clock.ts";
import type { Measured } from "./measurements.ts";
import type { KeptNodes } from "./sessions/kept-nodes.ts";
import type { ObservedNodes } from "./sessions/observed-nodes.ts";

/** What a created object need not say: its uid, times and defaults are admission's. */
export type Newborn = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
};

/** One write of a turn. `object` is as it shall be; admission makes the keys of it (O3). */
export type Write<Child> =
  | { readonly op: "create"; readonly object: Newborn }
  /** Of metadata and spec. */
  | { readonly op: "update"; readonly object: Child }
  | { readonly op: "delete"; readonly object: Child; readonly options: DeleteOptions }
  /** Nothing of it changes: the turn rests on its being as it was read (S2). */
  | { readonly op: "touch"; readonly object: Child }
  /** The keys go at once, whatever holds the object (O6 says when that is right). */
  | { readonly op: "remove"; readonly object: Child };

export type EventNote = {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
};

export type Decision<Child, Self> = {
  readonly writes: readonly Write<Child>[];
  /** Of the controller's own object; the same value as before: unchanged. */
  readonly status: StatusOf<Self>;
  /** Required, even as undefined: a forgotten wake-up is an object that is stuck. */
  readonly wakeAt: EpochMs | undefined;
  readonly events: readonly EventNote[];
  /** A change of the object's own metadata or spec, or its end; absent: none. */
  readonly self?: Exclude<Write<Self>, { readonly op: "create" | "touch" }> | undefined;
  /**
   * What this instance shall know at the object's next turn here, and no other: what is gone with it
   * must be safe to lose (N1). Absent: what it remembers stays.
   */
  readonly remember?: unknown;
};

/** A create that admission refused: beyond a quota, or outside a namespace's limits. */
export type Refusal = { readonly name: string; readonly error: ApiError };

export type StatusOf<Self> = Self extends { readonly status?: infer S } ? S | undefined : undefined;

/** What beside the cut may be read: facts that are not state, each with its age (N1), and settings. */
export type Surroundings = {
  readonly nodes: ObservedNodes;
  /** Nodes without an agent of ours; absent where nobody watches them: unknown. */
  readonly kept?: KeptNodes;
  readonly settings: ClusterSettings;
  /** What is measured; absent where nothing is: unknown. */
  readonly measured?: Measured;
};

/** The same at one turn of one object. */
export type TurnSurroundings = Surroundings & {
  readonly now: EpochMs;
  /** What the object's last turn on this instance had it remember; undefined: there was none. */
  readonly remembered: unknown;
};

/** An object of any kind, as a change shows it. */
export type StoredObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name?: string | undefined;
    readonly namespace?: string | undefined;
    readonly uid?: string | undefined;
    readonly resourceVersion?: string | undefined;
    readonly deletionTimestamp?: string | undefined;
    readonly labels?: Readonly<Record<string, string>> | undefined;
    readonly finalizers?: readonly string[] | undefined;
    readonly ownerReferences?: readonly OwnerReference[] | undefined;
  };
};
export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean | undefined;
  readonly blockOwnerDeletion?: boolean | undefined;
};

/** An object's change; one of both sides is always there. */
export type ObjectChange = {
  readonly before: StoredObject | undefined;
  readonly after: StoredObject | undefined;
};

export type ControllerOptions<K extends Kind, C extends Kind, World> = {
  readonly kind: K;
  /** The kinds that it writes beside its own object. A change of one wakes the actor of its owner. */
  readonly owns: readonly C[];
  /** Kinds that it writes likewise and that users have added: those of the cut. */
  readonly alsoOwns?: (view: ClusterView) => readonly Kind[];
  /** Its actors' address begins with it; by default the kind's plural. One controller each. */
  readonly name?: string;
  /**
   * Every name that it writes follows from its object's: those keys' own expectations are guard
   * enough, and the object itself is left alone (S2). By default the object is written too.
   */
  readonly derivedNames?: boolean;
  /** Plain data of the cut: all that the decision will know. */
  readonly read: (view: ClusterView, self: ObjectOf<K>, around: TurnSurroundings) => World;
  readonly decide: (
    self: ObjectOf<K>,
    world: World,
    now: EpochMs,
  ) => Decision<ObjectOf<C>, ObjectOf<K>>;
  /**
   * What becomes of a decision of which admission refused some creates: they are left out, and the
   * rest is committed. Without it the whole turn fails and is tried again.
   */
  readonly refused?: (
    self: ObjectOf<K>,
    decision: Decision<ObjectOf<C>, ObjectOf<K>>,
    refusals: readonly Refusal[],
    around: { readonly now: EpochMs; readonly remembered: unknown },
  ) => Decision<ObjectOf<C>, ObjectOf<K>>;
  /** false: a change of what it writes does not wake the actors of that one's owners. */
  readonly ownedWakeOwners?: boolean;
  /** Actors' names (`namespace/name`, or `name`) that another change concerns. */
  readonly concerns?: (change: ObjectChange, view: ClusterView) => Iterable<string>;
  /** For objects that ought to be there before anyone made them. */
  readonly missing?: {
    /** Names looked at even though there is no such object. */
    readonly names: readonly string[];
    /** The object to create under a name, if there is one to create. */
    readonly make: (name: string, view: ClusterView, around: Surroundings) => Newborn | undefined;
  };
};

/** A controller whose kinds have been forgotten, so that all of them fit in one list. */
export type Controller = ControllerOptions<Kind, Kind, unknown> & { readonly controller: true };

/**
 * The same controller for each of a set of kinds that changes: its actors' names begin with the kind's
 * plural and group.
 */
export type ControllerOfMany = {
  readonly controller: true;
  readonly name: string;
  readonly kinds: (view: ClusterView) => readonly Kind[];
  /** The same value for the same kind. */
  readonly of: (kind: Kind) => Controller;
  /** Whether a change of an object may concern others than its own actor. */
  readonly reaches: (change: ObjectChange) => boolean;
};

/** Registers a controller: export its result from a file in `actors/`, and it runs. */
export function controller<K extends Kind, C extends Kind, World>(
  options: ControllerOptions<K, C, World>,
): Controller {
  // What `read` returns is what `decide` takes, and both get objects of `kind`: the types above say so.
  return { ...options, controller: true } as unknown as Controller;
}

export const create = (object: Newborn) => ({ op: "create", object }) as const;
export const update = <T>(object: T) => ({ op: "update", object }) as const;
export const touch = <T>(object: T) => ({ op: "touch", object }) as const;
export const remove = <T>(object: T, options: DeleteOptions = {}) =>
  ({ op: "delete", object, options }) as const;
/** Takes the keys away at once. */
export const erase = <T>(object: T) => ({ op: "remove", object }) as const;

export const normal = (reason: string, message: string): EventNote => ({
  type: "Normal",
  reason,
  message,
});
export const warning = (reason: string, message: string): EventNote => ({
  type: "Warning",
  reason,
  message,
});

/** An actor's name: `namespace/name`, or `name` in cluster scope. */
export const actorName = (metadata: {
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
}): string =>
  metadata.namespace === undefined
    ? (metadata.name ?? "")
    : `${metadata.namespace}/${metadata.name ?? ""}`;
