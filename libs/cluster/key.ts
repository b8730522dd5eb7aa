/** Where an object lives in the bucket `state` (design §3). */
import type { Kind } from "../model/kind.ts";
import { token, untoken } from "../protocol/subjects.ts";

/** What of a kind makes up its keys; of a version that is not stored, the kind that it is stored as. */
export type Located = Pick<Kind, "group" | "plural" | "namespaced"> & {
  readonly stored?: { readonly kind: Pick<Kind, "group" | "plural"> };
};

/** Stands where a cluster-scoped object has no namespace. */
const clusterScope = "_";

/** `<resource>` of a kind: its plural, outside the core group `<plural>/<group>`. */
export function resourceOf(of: Pick<Located, "plural" | "group" | "stored">): string {
  const { plural, group } = of.stored?.kind ?? of;
  return group === "" ? plural : `${plural}/${token(group)}`;
}

/** `<resource>.<namespace>.<name>`, such as `deployments/apps.default.web` or `nodes._.n1`. */
export function keyOf(kind: Located, namespace: string | undefined, name: string): string {
  return `${prefixOf(kind, namespace)}${token(name)}`;
}

/** What the keys of a kind's objects begin with; of all namespaces when a namespaced kind gets none. */
export function prefixOf(kind: Located, namespace?: string): string {
  const resource = resourceOf(kind);
  if (!kind.namespaced) return `${resource}.${clusterScope}.`;
  return namespace === undefined ? `${resource}.` : `${resource}.${token(namespace)}.`;
}

/** What `node` must run of a pod; written with every change of the pod's spec, metadata or deletion. */
export const assignKey = (node: string, namespace: string, pod: string): string =>
  `assign.${token(node)}.${token(namespace)}.${token(pod)}`;
export const assignPrefix = (node: string): string => `assign.${token(node)}.`;

/** The literal key of everything that decides what fits on `node` (B1). */
export const loadKey = (node: string): string => `load.${token(node)}`;

/** Lists the required terms that span nodes, and the key of each, written by what may break it (B2). */
export const termsKey = "terms";
export const termKey = (id: string): string => `term.${id}`;

/** When which owner's pod was moved last to even the cluster out: whoever moves one writes it. */
export const rebalanceKey = "rebalance";

/** An allocated value (O4); cluster addresses are claimed by their IPAddresses (address-claim.ts). */
export type Pool = "node-port" | "pod-cidr";
export const allocKey = (pool: Pool, value: string | number): string =>
  `alloc.${pool}.${token(String(value))}`;

/** Whose word decides what is in a set of published manifests (ADR 0021). */
export const setKey = (publisher: string, set: string): string =>
  `${setPrefix(publisher)}${token(set)}`;
export const setPrefix = (publisher: string): string => `manifestset.${token(publisher)}.`;

/** The bucket's format number, and the cluster's settings. */
export const formatKey = "meta.format";
export const settingsKey = "meta.cluster";
/** What ServiceAccounts' tokens are signed with, and whom the cluster trusts (ADR 0018). */
export const signingKeysKey = "meta.signing-keys";
export const trustKey = "meta.trust";

/** A key's parts: resource, namespace (undefined: cluster scope) and name. */
export function parseKey(key: string): {
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string;
} {
  const [resource = "", namespace = "", name = ""] = key.split(".");
  const scoped = namespace === clusterScope ? undefined : untoken(namespace);
  return { resource, namespace: scoped, name: untoken(name) };
}
