import type { AnyObject } from "../../../libs/admission/context.ts";
import { keyOf, prefixOf } from "../../../libs/cluster/key.ts";
import type { ClusterView } from "../../../libs/cluster/view.ts";
import type { Kind } from "../../../libs/model/kind.ts";
import type { Replica } from "../../../libs/store/replica.ts";
import type { Store } from "../../../libs/store/store.ts";
import { type ChangeRing, changeRing } from "../watch/change-ring.ts";
import { consistentReads } from "./consistent-read.ts";
import { oneAtATime, type OneAtATime } from "./one-at-a-time.ts";

/** Where kinds live: the state, or the events' own store, each with its own order of revisions. */
export type Backend = Disposable & {
  readonly store: Store;
  readonly replica: Replica<unknown>;
  readonly view: ClusterView;
  readonly ring: ChangeRing;
  /** Resolves when the view shows all that was acknowledged before the call. */
  readonly consistent: () => Promise<void>;
  /** Runs what concerns one key one after the other: of those who would race one alone succeeds. */
  readonly oneAtATime: OneAtATime;
};

export function backendOf({
  store,
  replica,
  view,
}: Pick<Backend, "store" | "replica" | "view">): Backend {
  const ring = changeRing(replica);
  return {
    store,
    replica,
    view,
    ring,
    consistent: consistentReads(store, replica),
    oneAtATime: oneAtATime(),
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
