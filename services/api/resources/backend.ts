import type { AnyObject } from "../../../libs/admission/context.ts";
import { keyOf, prefixOf } from "../../../libs/cluster/key.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { Replica } from "../../../libs/store/replica.ts";
import type { Store } from "../../../libs/store/store.ts";
import { atMost, type AtMost } from "../watch/at-most.ts";
import { type ChangeRing, changeRing, type RingPorts } from "../watch/change-ring.ts";
import { consistentReads } from "./consistent-read.ts";
import { type PagedLists, pagedLists } from "./paged-lists.ts";
import { oneAtATime, type OneAtATime } from "./one-at-a-time.ts";

/** Where kinds live: the state, or the events' own store, each with its own order of revisions. */
export type Backend = Disposable & {
  readonly store: Store;
  readonly replica: Replica<unknown>;
  readonly view: ClusterView;
  readonly ring: ChangeRing;
  /** Reads of the record for single watches: each takes a consumer of its own (W1). */
  readonly catchUps: AtMost;
  /** Resolves when the view shows all that was acknowledged before the call. */
  readonly consistent: () => Promise<void>;
  /** Lists of which pages are still to come. */
  readonly paged: PagedLists;
  /** Writes of one object: of those who would race one alone succeeds. */
  readonly changing: OneAtATime;
  /** Writes of what lost a race about a key that many write. */
  readonly contended: OneAtATime;
};

const catchUpsMax = 8;

export function backendOf(
  { store, replica, view }: Pick<Backend, "store" | "replica" | "view">,
  ports: Omit<RingPorts, "store">,
): Backend {
  const ring = changeRing(replica, { store, ...ports });
  return {
    store,
    replica,
    view,
    ring,
    catchUps: atMost(catchUpsMax),
    consistent: consistentReads(store, replica),
    paged: pagedLists(),
    changing: oneAtATime(),
    contended: oneAtATime(),
    [Symbol.dispose]: () => ring[Symbol.dispose](),
  };
}

/** Where an object of a kind is, or all objects of a kind and namespace. */
export type Target = {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string;
};

export const heldKey = ({ kind, namespace, name }: Target): string => keyOf(kind, namespace, name);
export const heldPrefix = ({ kind, namespace }: Omit<Target, "name">): string =>
  prefixOf(kind, namespace);

/** The object at a key of a kind: whatever is written there passed admission. */
export const objectOf = (value: unknown): AnyObject => value as AnyObject;

/** `deployments.apps`, as messages name a resource. */
export const resourceName = ({ plural, group }: Pick<Kind, "plural" | "group">): string =>
  group === "" ? plural : `${plural}.${group}`;
