/** What an autoscaler scales: the kinds that have a scale, and the pods of each. */
import type { ClusterView } from "../../../../libs/cluster/view.ts";
import { apiVersionOf } from "../../../../libs/model/kind.ts";
import { deployment, type Deployment } from "../../../../libs/model/kinds/deployment.ts";
import type { HorizontalPodAutoscaler } from "../../../../libs/model/kinds/horizontalpodautoscaler.ts";
import { pod, type Pod } from "../../../../libs/model/kinds/pod.ts";
import { replicaSet, type ReplicaSet } from "../../../../libs/model/kinds/replicaset.ts";
import {
  replicationController,
  type ReplicationController,
} from "../../../../libs/model/kinds/replicationcontroller.ts";
import { statefulSet, type StatefulSet } from "../../../../libs/model/kinds/statefulset.ts";

export type Scaled = Deployment | ReplicaSet | StatefulSet | ReplicationController;

/** Each has `spec.replicas`. */
export const scaledKinds = [deployment, replicaSet, statefulSet, replicationController] as const;

type Reference = HorizontalPodAutoscaler["spec"]["scaleTargetRef"];

const groupOf = (apiVersion = ""): string => {
  const [group = "", version] = apiVersion.split("/");
  return version === undefined ? "" : group;
};

/** Whether the object is what the reference names, in whichever version. */
export const isNamed = (
  { kind, name, apiVersion }: Reference,
  object: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name?: string | undefined };
  },
): boolean =>
  kind === object.kind &&
  name === object.metadata.name &&
  groupOf(apiVersion) === groupOf(object.apiVersion);

export type Target =
  | { readonly ok: true; readonly object: Scaled; readonly pods: readonly Pod[] }
  | { readonly ok: false; readonly error: string };

/** The object that a reference names, with the pods that it has. */
export function targetOf(view: ClusterView, namespace: string, reference: Reference): Target {
  const { kind, name, apiVersion } = reference;
  const group = groupOf(apiVersion);
  const found = scaledKinds.find((one) => one.kind === kind && one.group === group);
  if (found === undefined) {
    const shown = JSON.stringify(kind.slice(0, 63));
    return { ok: false, error: `no matches for kind ${shown} with a scale in group "${group}"` };
  }
  const object: Scaled | undefined = view.get(found, namespace, name);
  if (object === undefined) {
    const resource = group === "" ? found.plural : `${found.plural}.${group}`;
    return { ok: false, error: `${resource} ${JSON.stringify(name)} not found` };
  }
  return { ok: true, object, pods: podsOf(view, object) };
}

/** By who owns them, which costs less than to look through a namespace, and lets no two share them. */
function podsOf(view: ClusterView, { metadata, apiVersion, kind }: Scaled): readonly Pod[] {
  const { uid } = metadata;
  const isDeployment = kind === deployment.kind && apiVersion === apiVersionOf(deployment);
  const owners = isDeployment
    ? view.list(replicaSet, { ownerUid: uid }).map((one) => one.metadata.uid ?? "")
    : [uid];
  return owners.flatMap((ownerUid) => view.list(pod, { ownerUid }));
}
