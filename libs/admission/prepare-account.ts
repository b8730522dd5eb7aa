/**
 * Who a pod's processes are for the API, and how they prove it: Kubernetes' ServiceAccount admission.
 */
import { podTokenSeconds } from "../identity/grant.ts";
import type { Pod } from "../model/kinds/pod.ts";
import { serviceAccount } from "../model/kinds/serviceaccount.ts";
import { certificateFile, rootCertificates } from "../model/root-certificates.ts";
import type { AdmissionContext } from "./context.ts";
import { forbidden } from "./forbidden.ts";

/** A namespace's pods may be made before it: it comes by itself. */
const defaultAccount = "default";

/** Where clients in pods look for their token. */
const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const volumePrefix = "kube-api-access-";

type Spec = Pod["spec"];
type Container = Spec["containers"][number];

/**
 * The pod's account, and the volume with its token, unless the pod or the account does without.
 *
 * @throws {ApiError} Forbidden, when the pod would be somebody who is not there
 */
export function withAccount(pod: Pod, { view }: AdmissionContext): Spec {
  const { metadata, spec } = pod;
  const asked = spec.serviceAccountName ?? spec.serviceAccount ?? "";
  const name = asked === "" ? defaultAccount : asked;
  const account = view.get(serviceAccount, metadata.namespace, name);
  if (account === undefined && name !== defaultAccount) throw unknownAccount(pod, name);
  const pulling = spec.imagePullSecrets ?? [];
  const given = account?.imagePullSecrets ?? [];
  const named: Spec = {
    ...spec,
    serviceAccountName: name,
    serviceAccount: name,
    ...(pulling.length === 0 && given.length > 0 && { imagePullSecrets: [...given] }),
  };
  const mounts = spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true;
  if (!mounts || isMirror(pod)) return named;
  return withToken(named, `${volumePrefix}${suffixOf(metadata.uid)}`);
}

/** Kubernetes' alphabet for generated names. */
const letters = "bcdfghjklmnpqrstvwxz2456789";

/** Five letters that follow from the uid, which is as random: a turn that is repeated gives the same. */
function suffixOf(uid: string): string {
  const value = Number.parseInt(uid.replaceAll("-", "").slice(0, 8), 16) || 0;
  return Array.from(
    { length: 5 },
    (_, nth) => letters[Math.floor(value / letters.length ** nth) % letters.length],
  ).join("");
}

const isMirror = ({ metadata }: Pod) =>
  metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined;

/** Every container that mounts nothing there itself sees the token. */
function withToken(spec: Spec, fresh: string): Spec {
  const { volumes = [], containers, initContainers } = spec;
  const found = volumes.find(({ name }) => name.startsWith(volumePrefix))?.name;
  const name = found ?? fresh;
  const needs = (one: Container) =>
    !(one.volumeMounts ?? []).some((mount) => mount.mountPath === mountPath);
  if (![...containers, ...(initContainers ?? [])].some(needs)) return spec;
  const mounted = (one: Container): Container =>
    needs(one)
      ? {
          ...one,
          volumeMounts: [...(one.volumeMounts ?? []), { name, readOnly: true, mountPath }],
        }
      : one;
  return {
    ...spec,
    containers: containers.map(mounted),
    ...(initContainers !== undefined && { initContainers: initContainers.map(mounted) }),
    volumes: found === undefined ? [...volumes, tokenVolume(name)] : volumes,
  };
}

const tokenVolume = (name: string): NonNullable<Spec["volumes"]>[number] => ({
  name,
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: podTokenSeconds, path: "token" } },
      {
        configMap: {
          name: rootCertificates,
          items: [{ key: certificateFile, path: certificateFile }],
        },
      },
      {
        downwardAPI: {
          items: [
            { path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } },
          ],
        },
      },
    ],
    defaultMode: 0o644,
  },
});

function unknownAccount({ metadata }: Pod, account: string): Error {
  const { name, namespace } = metadata;
  const why = `error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`;
  return forbidden({ group: "", resource: "pods" }, name, why);
}
