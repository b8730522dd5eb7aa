/**
 * The cluster's state as typed objects: a replica's cut, read by kind, name and index.
 */
import type { Kind, ObjectOf } from "../model/kind.ts";
import type { PersistentVolume } from "../model/kinds/persistentvolume.ts";
import { type LabelSelector, matchesSelector } from "../model/label-selector.ts";
import { claimNamesOf } from "../model/pod/claim-refs.ts";
import { directoryGoesFrom } from "../model/storage/host-path.ts";
import type { Entry, Revision } from "../store/store.ts";
import type { Held, ReplicaOptions, View } from "../store/replica.ts";
import { keyOf, prefixOf } from "./key.ts";

/** Names the set of published manifests that an object is of, as kubectl's ApplySets do. */
export const setLabel = "applyset.kubernetes.io/part-of";

const podPrefix = "pods.";
const volumePrefix = "persistentvolumes.";

export type ListFilter = {
  readonly namespace?: string;
  /** The uid of any of its owners. */
  readonly ownerUid?: string;
  /** Pods bound to that node. */
  readonly node?: string;
  /** Pods that name the claim `<namespace>/<name>`, and volumes that are kept for it. */
  readonly claim?: string;
  /** Volumes whose directories that node's agent is to remove. */
  readonly directoryGoesFrom?: string;
  readonly selector?: LabelSelector;
};

/** Objects are shared by everyone who reads: never change one. Valid until the next event-loop turn. */
export interface ClusterView {
  readonly revision: Revision;
  readonly raw: View<unknown>;
  get<K extends Kind>(
    kind: K,
    namespace: string | undefined,
    name: string,
  ): ObjectOf<K> | undefined;
  list<K extends Kind>(kind: K, filter?: ListFilter): readonly ObjectOf<K>[];
}

/** The typed face of a replica opened with `replicaOptions`. */
export function clusterView(raw: View<unknown>): ClusterView {
  return {
    raw,
    get revision() {
      return raw.revision;
    },
    get<K extends Kind>(kind: K, namespace: string | undefined, name: string) {
      // The value at a kind's key was written through admission, as that kind.
      return raw.get(keyOf(kind, namespace, name))?.value as ObjectOf<K> | undefined;
    },
    list<K extends Kind>(kind: K, filter: ListFilter = {}) {
      return [...candidates(raw, kind, filter)].filter((object) =>
        passes(object, filter),
      ) as ObjectOf<K>[]; // As in `get`: admission wrote them as that kind.
    },
  };
}

/** What every object of the state has, whatever its kind. */
type AnyObject = {
  readonly metadata: {
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  readonly spec?: { readonly nodeName?: string };
};

function* candidates(raw: View<unknown>, kind: Kind, filter: ListFilter): Iterable<AnyObject> {
  const prefix = prefixOf(kind, filter.namespace);
  for (const held of narrowest(raw, prefix, filter)) {
    if (held.key.startsWith(prefix)) yield held.value as AnyObject; // Keys under a kind's prefix hold objects.
  }
}

function narrowest(
  raw: View<unknown>,
  prefix: string,
  filter: ListFilter,
): Iterable<Held<unknown>> {
  if (filter.ownerUid !== undefined) return raw.lookup("owner", filter.ownerUid);
  if (filter.claim !== undefined) return raw.lookup("claim", filter.claim);
  if (filter.directoryGoesFrom !== undefined)
    return raw.lookup("directory", filter.directoryGoesFrom);
  if (filter.node !== undefined) return raw.lookup("node", filter.node);
  const labels = Object.entries(filter.selector?.matchLabels ?? {});
  if (filter.namespace === undefined || labels.length === 0) return raw.scan(prefix);
  const [rarest = ""] = labels
    .map(([label, value]) => labelled(prefix, label, value))
    .toSorted((a, b) => raw.count("label", a) - raw.count("label", b));
  return raw.lookup("label", rarest);
}

/** A label's value among a kind's objects in a namespace, whose keys begin with `prefix`. */
const labelled = (prefix: string, label: string, value: string) => `${prefix}${label}=${value}`;

function passes(object: AnyObject, { ownerUid, node, selector }: ListFilter): boolean {
  const { ownerReferences = [], labels = {} } = object.metadata;
  if (ownerUid !== undefined && !ownerReferences.some(({ uid }) => uid === ownerUid)) return false;
  if (node !== undefined && object.spec?.nodeName !== node) return false;
  return selector === undefined || matchesSelector(selector, labels);
}

/** How a replica of the state decodes and indexes what it holds. */
export const replicaOptions: ReplicaOptions<unknown> = {
  decode,
  indexes: {
    owner: (held) => ownersOf(held.value),
    label: (held) => labelsOf(held),
    set: ({ value }) => {
      const id = isObject(value) ? (value as AnyObject).metadata.labels?.[setLabel] : undefined;
      return id === undefined ? [] : [id];
    },
    node: (held) => {
      const node = (held.value as Partial<AnyObject> | undefined)?.spec?.nodeName;
      return node === undefined || node === "" ? [] : [node];
    },
    claim: ({ key, value }) =>
      key.startsWith(podPrefix) || key.startsWith(volumePrefix) ? claimsOf(value) : [],
    directory: ({ key, value }) => {
      if (!key.startsWith(volumePrefix) || !isObject(value)) return [];
      const node = directoryGoesFrom(value as unknown as PersistentVolume); // Admission wrote it as one.
      return node === undefined ? [] : [node];
    },
  },
};

/** An entry's object, its `metadata.resourceVersion` and the deletion's last state included (S9). */
export function decode(entry: Entry): unknown {
  if (entry.value.byteLength === 0) return undefined; // An expiry, or a guard's scratch key.
  const value: unknown = JSON.parse(new TextDecoder().decode(entry.value));
  if (!isObject(value)) return value;
  value.metadata["resourceVersion"] = String(entry.revision);
  return value;
}

function ownersOf(value: unknown): readonly string[] {
  if (!isObject(value)) return [];
  return ((value as AnyObject).metadata.ownerReferences ?? []).map(({ uid }) => uid);
}

/** As `<namespace>/<name>`: what a pod names, or a volume is kept for. */
function claimsOf(value: unknown): readonly string[] {
  if (!isObject(value)) return [];
  const { metadata, spec = {} } = value as unknown as NamingClaims; // A pod or a volume.
  const { claimRef } = spec;
  if (claimRef !== undefined) return [`${claimRef.namespace ?? ""}/${claimRef.name ?? ""}`];
  return claimNamesOf(spec).map((name) => `${metadata.namespace}/${name}`);
}
type NamingClaims = Pick<AnyObject, "metadata"> & {
  readonly spec?: Parameters<typeof claimNamesOf>[0] & Partial<PersistentVolume["spec"]>;
};

function labelsOf({ key, value }: Held<unknown>): readonly string[] {
  if (!isObject(value)) return [];
  const prefix = key.slice(0, key.lastIndexOf(".") + 1);
  const { labels = {} } = (value as AnyObject).metadata;
  return Object.entries(labels).map(([label, its]) => labelled(prefix, label, its));
}

const isObject = (value: unknown): value is { metadata: Record<string, unknown> } =>
  typeof value === "object" &&
  value !== null &&
  "metadata" in value &&
  typeof value.metadata === "object" &&
  value.metadata !== null;
