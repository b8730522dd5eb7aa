import type { PodTemplate } from "../../../../libs/model/pod/spec.ts";
import type { Newborn } from "../../controller.ts";
import { ownedBy } from "./claims.ts";

type Owner = Parameters<typeof ownedBy>[0] & {
  readonly metadata: { readonly namespace?: string | undefined };
};
export type NewPod = Newborn & { readonly spec: PodTemplate["spec"] };

/** A pod that its owner makes from a template. `labels` are added to the template's. */
export function podFrom(
  owner: Owner,
  template: PodTemplate,
  {
    name,
    labels = {},
  }: { readonly name: string; readonly labels?: Readonly<Record<string, string>> },
): NewPod {
  const { labels: own, annotations, finalizers } = template.metadata;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: owner.metadata.namespace,
      generateName: `${owner.metadata.name}-`,
      labels: { ...own, ...labels },
      ...(annotations !== undefined && { annotations }),
      ...(finalizers !== undefined && { finalizers }),
      ownerReferences: [ownedBy(owner)],
    } as Newborn["metadata"],
    spec: template.spec,
  };
}
