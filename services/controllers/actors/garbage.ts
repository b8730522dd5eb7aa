import { customResourceNamed, customResourcesIn } from "../../../libs/cluster/custom-kinds.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import { apiVersionOf, type Kind } from "../../../libs/model/kind.ts";
import { namespace } from "../../../libs/model/kinds/namespace.ts";
import { kinds } from "../../../libs/model/registry.ts";
import {
  actorName,
  type Controller,
  controller,
  type ControllerOfMany,
  type Decision,
  type ObjectChange,
  type OwnerReference,
  remove,
  type StoredObject,
  update,
} from "../controller.ts";

/** Bounds one transaction; the next turn goes on. */
export const writesMax = 100;
const foreground = "foregroundDeletion";
const orphan = "orphan";

/**
 * What became of an owner: there; being deleted and waiting for its dependents; or gone. An owner of
 * a kind that is not known here counts as there.
 */
export type OwnerState = "there" | "waiting" | "gone";
export type World = {
  readonly owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[];
  /** What names the object as an owner; only while its deletion waits for that. */
  readonly dependents: readonly StoredObject[];
  /** O5: nothing outlives its namespace. */
  readonly namespaceGone: boolean;
};
type Self = StoredObject & { readonly status?: unknown };
type GarbageDecision = Decision<StoredObject, Self>;

/**
 * Deletes an object whose owners are all gone, and carries out its own deletion: in the foreground it
 * waits for its dependents, or it lets them go as orphans. Absence of an owner is evidence at any cut:
 * a uid never comes back (S5).
 */
export function decide(self: Self, world: World): GarbageDecision {
  const rest = { writes: [], status: self.status, wakeAt: undefined, events: [] };
  if (self.metadata.deletionTimestamp !== undefined) return ending(self, world, rest);
  const { owners, namespaceGone } = world;
  if (namespaceGone) return { ...rest, self: remove(self) };
  const of = (wanted: OwnerState) => owners.filter(({ state }) => state === wanted);
  const [there, gone] = [of("there"), of("gone")];
  if (owners.length > 0 && there.length === 0) {
    const propagationPolicy = gone.length === owners.length ? "Background" : "Foreground";
    return { ...rest, self: remove(self, { propagationPolicy }) };
  }
  if (gone.length === 0) return rest;
  return {
    ...rest,
    self: update(
      withoutOwners(
        self,
        gone.map(({ reference }) => reference.uid),
      ),
    ),
  };
}

function ending(self: Self, { dependents }: World, rest: GarbageDecision): GarbageDecision {
  const { finalizers = [], uid = "" } = self.metadata;
  if (finalizers.includes(orphan)) {
    const writes = dependents.slice(0, writesMax).map((one) => update(withoutOwners(one, [uid])));
    if (dependents.length > writes.length) return { ...rest, writes };
    return { ...rest, writes, self: update(withoutFinalizer(self, orphan)) };
  }
  if (!finalizers.includes(foreground)) return rest;
  const blocking = dependents.filter(({ metadata }) =>
    metadata.ownerReferences?.some((one) => one.uid === uid && one.blockOwnerDeletion === true),
  );
  return blocking.length > 0 ? rest : { ...rest, self: update(withoutFinalizer(self, foreground)) };
}

function withoutOwners<T extends StoredObject>(object: T, uids: readonly string[]): T {
  const { ownerReferences = [], ...metadata } = object.metadata;
  const kept = ownerReferences.filter(({ uid }) => !uids.includes(uid));
  return {
    ...object,
    metadata: { ...metadata, ...(kept.length > 0 && { ownerReferences: kept }) },
  };
}

function withoutFinalizer<T extends StoredObject>(object: T, finalizer: string): T {
  const { finalizers = [], ...metadata } = object.metadata;
  const kept = finalizers.filter((one) => one !== finalizer);
  return { ...object, metadata: { ...metadata, ...(kept.length > 0 && { finalizers: kept }) } };
}

function stateOf(view: ClusterView, self: Self, reference: OwnerReference): OwnerState {
  const kind =
    kinds.find(
      (one) => one.kind === reference.kind && apiVersionOf(one) === reference.apiVersion,
    ) ?? customResourceNamed(view, reference);
  if (kind === undefined) return "there";
  const home = kind.namespaced ? self.metadata.namespace : undefined;
  const owner = view.get(kind, home, reference.name) as StoredObject | undefined; // Of any kind.
  if (owner?.metadata.uid !== reference.uid) return "gone";
  const waits =
    owner.metadata.deletionTimestamp !== undefined &&
    owner.metadata.finalizers?.includes(foreground) === true;
  return waits && reference.blockOwnerDeletion === true ? "waiting" : "there";
}

const isWaiting = ({ metadata }: StoredObject): boolean =>
  metadata.deletionTimestamp !== undefined &&
  (metadata.finalizers ?? []).some((one) => one === orphan || one === foreground);

const dependentsOf = (view: ClusterView, uid: string | undefined): readonly StoredObject[] =>
  uid === undefined
    ? []
    : [...view.raw.lookup("owner", uid)].map(({ value }) => value as StoredObject); // What has an owner has metadata.

function lostOwners(
  before: StoredObject | undefined,
  after: StoredObject | undefined,
): readonly OwnerReference[] {
  const { ownerReferences: had = [] } = before?.metadata ?? {};
  if (had.length === 0 || had === after?.metadata.ownerReferences) return [];
  const has = new Set(after?.metadata.ownerReferences?.map(({ uid }) => uid));
  return had.filter(({ uid }) => !has.has(uid));
}

function collectorOf(kind: Kind) {
  const isOfKind = (object: StoredObject) =>
    object.kind === kind.kind &&
    (kind.custom === undefined
      ? object.apiVersion === apiVersionOf(kind)
      : object.apiVersion.split("/")[0] === kind.group);

  /** An owner's end concerns its dependents; a dependent's end, the owner that waits for it. */
  function* concerns({ before, after }: ObjectChange, view: ClusterView): Iterable<string> {
    const object = after ?? before;
    if (object === undefined) return;
    if (after === undefined || isWaiting(after)) {
      for (const one of dependentsOf(view, object.metadata.uid)) {
        if (isOfKind(one)) yield actorName(one.metadata);
      }
    }
    for (const reference of lostOwners(before, after)) {
      if (reference.kind !== kind.kind) continue;
      const home = kind.namespaced ? object.metadata.namespace : undefined;
      yield actorName({ namespace: home, name: reference.name });
    }
  }

  return controller<Kind, Kind, World>({
    kind,
    name: `garbage.${kind.plural}`,
    owns: kinds,
    alsoOwns: customResourcesIn,
    ownedWakeOwners: false,
    read(view, object): World {
      const self = object as Self; // Every object has metadata.
      const { namespace: home, ownerReferences = [], uid } = self.metadata;
      return {
        owners: ownerReferences.map((reference) => ({
          reference,
          state: stateOf(view, self, reference),
        })),
        dependents: isWaiting(self) ? dependentsOf(view, uid) : [],
        namespaceGone:
          home !== undefined &&
          kind.namespaced &&
          view.get(namespace, undefined, home) === undefined,
      };
    },
    decide: decide as never, // The registry forgets the kinds' types.
    concerns,
  });
}

const collectors = new WeakMap<Kind, Controller>();

/** Of the kinds that users have added. */
export const customGarbageCollector: ControllerOfMany = {
  controller: true,
  name: "garbage.custom",
  kinds: customResourcesIn,
  reaches: ({ before, after }) =>
    after === undefined || isWaiting(after) || lostOwners(before, after).length > 0,
  of(kind) {
    const known = collectors.get(kind) ?? collectorOf(kind);
    collectors.set(kind, known);
    return known;
  },
};

export const garbageCollectors = kinds.filter(({ kind }) => kind !== "Event").map(collectorOf);
