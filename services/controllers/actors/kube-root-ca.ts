import { trustedIn } from "../../../libs/identity/trust.ts";
import { configMap, type ConfigMap } from "../../../libs/model/kinds/configmap.ts";
import { namespace, type Namespace } from "../../../libs/model/kinds/namespace.ts";
import { certificateFile, rootCertificates } from "../../../libs/model/root-certificates.ts";
import { controller, create, type Decision, update } from "../controller.ts";

export type World = {
  readonly held: ConfigMap | undefined;
  /** Undefined until a gateway has said whom to trust. */
  readonly trusted: string | undefined;
};

const description =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

/** Every namespace tells its pods whom to trust as the API, and nobody can make it say otherwise. */
export function decide(
  { metadata, status }: Namespace,
  { held, trusted }: World,
): Decision<ConfigMap, Namespace> {
  const rest = { status, wakeAt: undefined, events: [] };
  if (trusted === undefined || metadata.deletionTimestamp !== undefined)
    return { writes: [], ...rest };
  const data = { [certificateFile]: trusted };
  if (held === undefined) {
    const born = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: rootCertificates,
        namespace: metadata.name,
        annotations: { "kubernetes.io/description": description },
      },
      data,
    };
    return { writes: [create(born)], ...rest };
  }
  const isRight =
    held.data?.[certificateFile] === trusted && Object.keys(held.data ?? {}).length === 1;
  return { writes: isRight ? [] : [update({ ...held, data })], ...rest };
}

export const kubeRootCertificates = controller({
  kind: namespace,
  name: "namespaces-root-certificates",
  owns: [configMap],
  derivedNames: true, // The ConfigMap's name is the same in every namespace (S2).
  read: (view, { metadata }): World => ({
    held: view.get(configMap, metadata.name, rootCertificates),
    trusted: trustedIn(view),
  }),
  decide,
  *concerns({ before, after }, view) {
    const one = after ?? before;
    if (one?.kind === "ConfigMap" && one.metadata.name === rootCertificates)
      yield one.metadata.namespace ?? "";
    if (one?.kind === "Trust") for (const { metadata } of view.list(namespace)) yield metadata.name;
  },
});
