/** Which claims a pod names. */
type Naming = {
  readonly volumes?:
    | readonly {
        readonly persistentVolumeClaim?: { readonly claimName?: string | undefined } | undefined;
      }[]
    | undefined;
};

/** Names of claims in the pod's namespace, once each. */
export const claimNamesOf = ({ volumes = [] }: Naming): readonly string[] => [
  ...new Set(
    volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []),
  ),
];
