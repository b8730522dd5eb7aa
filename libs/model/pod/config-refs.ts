/** Which ConfigMaps and Secrets a pod names: what its node may read, and no more. */
type Named = { readonly name?: string | undefined };
type Container = {
  readonly env?:
    | readonly {
        readonly valueFrom?:
          | {
              readonly configMapKeyRef?: Named | undefined;
              readonly secretKeyRef?: Named | undefined;
            }
          | undefined;
      }[]
    | undefined;
  readonly envFrom?:
    | readonly {
        readonly configMapRef?: Named | undefined;
        readonly secretRef?: Named | undefined;
      }[]
    | undefined;
};
type Naming = {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[] | undefined;
  readonly ephemeralContainers?: readonly Container[] | undefined;
  readonly volumes?:
    | readonly {
        readonly configMap?: Named | undefined;
        readonly secret?: { readonly secretName?: string | undefined } | undefined;
        readonly projected?:
          | {
              readonly sources?:
                | readonly {
                    readonly configMap?: Named | undefined;
                    readonly secret?: Named | undefined;
                  }[]
                | undefined;
            }
          | undefined;
      }[]
    | undefined;
  readonly imagePullSecrets?: readonly Named[] | undefined;
};

export type ConfigName = { readonly kind: "ConfigMap" | "Secret"; readonly name: string };

/** Those of its containers, volumes and pull secrets, once each. */
export function configNamesOf(spec: Naming): readonly ConfigName[] {
  const names = new Map<string, ConfigName>();
  const add = (kind: ConfigName["kind"], name: string | undefined) => {
    if (name !== undefined) names.set(`${kind}/${name}`, { kind, name });
  };
  const { initContainers = [], containers, ephemeralContainers = [] } = spec;
  for (const { env = [], envFrom = [] } of [
    ...initContainers,
    ...containers,
    ...ephemeralContainers,
  ]) {
    for (const { valueFrom } of env) {
      add("ConfigMap", valueFrom?.configMapKeyRef?.name);
      add("Secret", valueFrom?.secretKeyRef?.name);
    }
    for (const { configMapRef, secretRef } of envFrom) {
      add("ConfigMap", configMapRef?.name);
      add("Secret", secretRef?.name);
    }
  }
  for (const { configMap, secret, projected } of spec.volumes ?? []) {
    add("ConfigMap", configMap?.name);
    add("Secret", secret?.secretName);
    for (const source of projected?.sources ?? []) {
      add("ConfigMap", source.configMap?.name);
      add("Secret", source.secret?.name);
    }
  }
  for (const { name } of spec.imagePullSecrets ?? []) add("Secret", name);
  return [...names.values()];
}
