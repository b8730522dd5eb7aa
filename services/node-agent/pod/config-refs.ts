import type { ConfigRef } from "../../../libs/protocol/node.ts";
import type { PodWork } from "./spec.ts";

/** Every ConfigMap and Secret that a pod's containers and volumes name, once each. */
export function configRefsOf({ namespace, spec }: PodWork): readonly ConfigRef[] {
  const refs = new Map<string, ConfigRef>();
  const add = (kind: ConfigRef["kind"], name: string | undefined) => {
    if (name !== undefined) refs.set(`${kind}/${name}`, { kind, namespace, name });
  };
  for (const { env, envFrom } of [...spec.initContainers, ...spec.containers]) {
    for (const { valueFrom } of env) {
      add("ConfigMap", valueFrom?.configMapKeyRef?.name);
      add("Secret", valueFrom?.secretKeyRef?.name);
    }
    for (const { configMapRef, secretRef } of envFrom) {
      add("ConfigMap", configMapRef?.name);
      add("Secret", secretRef?.name);
    }
  }
  for (const { configMap, secret, projected } of spec.volumes) {
    add("ConfigMap", configMap?.name);
    add("Secret", secret?.secretName);
    for (const source of projected?.sources ?? []) {
      add("ConfigMap", source.configMap?.name);
      add("Secret", source.secret?.name);
    }
  }
  return [...refs.values()];
}
