/** `/api` and `/apis`: which groups, versions and resources there are, in the shapes clients ask for. */
import { apiVersionOf, type Kind } from "../../../libs/model/kind.ts";
import { metricsKinds } from "../metrics/metrics-kinds.ts";
import { reviewResources } from "../reviews/review-kinds.ts";

export type Subresource = {
  readonly name: string;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
};
export type Resource = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly name: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly short: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly Subresource[];
};

const allVerbs = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];
const readWrite = ["get", "patch", "update"];

/** What pods can do beside being objects. */
const podActions: readonly Subresource[] = [
  { name: "log", kind: "Pod", verbs: ["get"] },
  { name: "exec", kind: "PodExecOptions", verbs: ["create", "get"] },
  { name: "attach", kind: "PodAttachOptions", verbs: ["create", "get"] },
  { name: "binding", kind: "Binding", verbs: ["create"] },
  {
    name: "explain",
    group: "berth.dev",
    version: "v1",
    kind: "PodExplanation",
    verbs: ["create", "get"],
  },
  { name: "eviction", group: "policy", version: "v1", kind: "Eviction", verbs: ["create"] },
];
const token: Subresource = {
  name: "token",
  group: "authentication.k8s.io",
  version: "v1",
  kind: "TokenRequest",
  verbs: ["create"],
};
const actionsOf: Readonly<Record<string, readonly Subresource[]>> = {
  "/Pod": podActions,
  "/ServiceAccount": [token],
  "certificates.k8s.io/CertificateSigningRequest": [
    { name: "approval", kind: "CertificateSigningRequest", verbs: readWrite },
  ],
};

export function resourcesOf(kinds: readonly Kind[]): readonly Resource[] {
  return [
    ...kinds.map(resourceOf),
    ...metricsKinds.map((kind) => ({ ...resourceOf(kind), verbs: ["get", "list"] })),
    ...reviewResources.map(reviewResource),
  ];
}

function resourceOf(kind: Kind): Resource {
  const { group, version, plural, singular, short, namespaced, categories } = kind;
  const own = kind.subresources.map((name): Subresource =>
    name === "scale"
      ? { name, group: "autoscaling", version: "v1", kind: "Scale", verbs: readWrite }
      : { name, kind: kind.kind, verbs: readWrite },
  );
  const actions = actionsOf[`${group}/${kind.kind}`] ?? [];
  return {
    group,
    version,
    kind: kind.kind,
    name: plural,
    singular,
    namespaced,
    short,
    categories,
    verbs: allVerbs,
    subresources: [...own, ...actions],
  };
}

const reviewResource = (review: (typeof reviewResources)[number]): Resource => ({
  ...review,
  singular: review.kind.toLowerCase(),
  short: [],
  categories: [],
  verbs: ["create"],
  subresources: [],
});

/** Group names but the core's, the familiar ones first. */
export function groupsOf(resources: readonly Resource[]): readonly string[] {
  const names = new Set(resources.map(({ group }) => group));
  names.delete("");
  return [...names].toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

const familiar = ["apps", "batch", "autoscaling", "networking.k8s.io", "policy"];
const rank = (group: string) =>
  (familiar.indexOf(group) + familiar.length + 1) % (familiar.length + 1);

/** Aggregated discovery: everything of some groups in one document. */
export function aggregated(
  resources: readonly Resource[],
  groups: readonly string[],
  version: "v2" | "v2beta1",
): unknown {
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: { ...(group !== "" && { name: group }), creationTimestamp: null },
      versions: versionsOf(resources, group).map((apiVersion) => ({
        version: apiVersion,
        freshness: "Current",
        resources: resources
          .filter((one) => one.group === group && one.version === apiVersion)
          .map(discovered),
      })),
    })),
  };
}

function discovered({ group, version, kind, ...resource }: Resource): unknown {
  const kindOf = (sub: Subresource) => ({
    group: sub.group ?? group,
    version: sub.version ?? version,
    kind: sub.kind,
  });
  return {
    resource: resource.name,
    responseKind: { group, version, kind },
    scope: resource.namespaced ? "Namespaced" : "Cluster",
    singularResource: resource.singular,
    verbs: resource.verbs,
    ...(resource.short.length > 0 && { shortNames: resource.short }),
    ...(resource.categories.length > 0 && { categories: resource.categories }),
    ...(resource.subresources.length > 0 && {
      subresources: resource.subresources.map((sub) => ({
        subresource: sub.name,
        responseKind: kindOf(sub),
        verbs: sub.verbs,
      })),
    }),
  };
}

/** The older shape: one document a group and version. */
export function resourceList(
  resources: readonly Resource[],
  group: string,
  version: string,
): unknown {
  const own = resources.filter((one) => one.group === group && one.version === version);
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: apiVersionOf({ group, version }),
    resources: own.flatMap((resource) => [
      {
        name: resource.name,
        singularName: resource.singular,
        namespaced: resource.namespaced,
        kind: resource.kind,
        verbs: resource.verbs,
        ...(resource.short.length > 0 && { shortNames: resource.short }),
        ...(resource.categories.length > 0 && { categories: resource.categories }),
      },
      ...resource.subresources.map((sub) => ({
        name: `${resource.name}/${sub.name}`,
        singularName: "",
        namespaced: resource.namespaced,
        ...(sub.group !== undefined && { group: sub.group, version: sub.version }),
        kind: sub.kind,
        verbs: sub.verbs,
      })),
    ]),
  };
}

export function groupList(resources: readonly Resource[]): unknown {
  const groups = groupsOf(resources).map((group) => groupEntry(resources, group));
  return { kind: "APIGroupList", apiVersion: "v1", groups };
}

export function groupEntry(resources: readonly Resource[], group: string): Record<string, unknown> {
  const versions = versionsOf(resources, group).map((version) => ({
    groupVersion: `${group}/${version}`,
    version,
  }));
  return { name: group, versions, preferredVersion: versions[0] };
}

export function versionsOf(resources: readonly Resource[], group: string): readonly string[] {
  return [...new Set(resources.filter((one) => one.group === group).map(({ version }) => version))];
}
