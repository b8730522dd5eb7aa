/** A container's environment, command and arguments, as Kubernetes makes them. Pure. */
import { quantityNumber } from "../../../libs/model/quantity.ts";
import type { Container, PodWork, ResourceFieldRef } from "./spec.ts";

/** A ConfigMap's or Secret's values, by key; undefined when there is none under the name. */
export type ReadConfig = (
  kind: "ConfigMap" | "Secret",
  name: string,
) => Readonly<Record<string, Uint8Array>> | undefined;

/** A token for the pod's account, as a volume asks for it. */
export type TokenSource = { readonly audience: string; readonly expirationSeconds: number };

export type PodFields = {
  readonly work: PodWork;
  readonly node: string;
  readonly hostAddress: string;
  readonly podAddress: string | undefined;
  /** Of the node, where a container has no limit of its own. */
  readonly allocatable: Readonly<Record<string, string>>;
  /** Where the cluster's API is. */
  readonly apiAddress: string;
  /** Undefined: there is none yet. */
  readonly readToken: (source: TokenSource) => string | undefined;
};

/** Nobody says what files or variables are made of. */
export class Unanswered extends Error {
  override readonly name = "Unanswered";
}

/** What the container is told cannot be had: a CreateContainerConfigError. */
export class ConfigMissing extends Error {
  override readonly name = "ConfigMissing";
}

/**
 * @returns variables in order, later ones above earlier ones; `$(NAME)` is replaced by those before
 * @throws {ConfigMissing}
 */
export function environmentOf(
  container: Container,
  fields: PodFields,
  read: ReadConfig,
): ReadonlyMap<string, string> {
  const env = new Map(apiEnvironment(fields.apiAddress));
  for (const { prefix, configMapRef, secretRef } of container.envFrom) {
    const sources = [
      ["ConfigMap", configMapRef],
      ["Secret", secretRef],
    ] as const;
    for (const [kind, ref] of sources) {
      if (ref === undefined) continue;
      const values = read(kind, ref.name);
      if (values === undefined && ref.optional !== true) throw missing(kind, ref.name);
      for (const [key, value] of Object.entries(values ?? {})) env.set(prefix + key, textOf(value));
    }
  }
  for (const { name, value, valueFrom } of container.env) {
    if (valueFrom === undefined) {
      env.set(name, expand(value ?? "", env));
      continue;
    }
    const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
    const found =
      keyed("ConfigMap", configMapKeyRef, read) ??
      keyed("Secret", secretKeyRef, read) ??
      (fieldRef && fieldOf(fieldRef.fieldPath, fields)) ??
      (resourceFieldRef && resourceOf(resourceFieldRef, container, fields));
    if (found !== undefined) env.set(name, found);
  }
  return env;
}

/** Where clients in pods look for the API; what a pod says itself comes after. */
const apiEnvironment = (address: string): readonly (readonly [string, string])[] => [
  ["KUBERNETES_SERVICE_HOST", address],
  ["KUBERNETES_SERVICE_PORT", "443"],
  ["KUBERNETES_SERVICE_PORT_HTTPS", "443"],
  ["KUBERNETES_PORT", `tcp://${address}:443`],
  ["KUBERNETES_PORT_443_TCP", `tcp://${address}:443`],
  ["KUBERNETES_PORT_443_TCP_PROTO", "tcp"],
  ["KUBERNETES_PORT_443_TCP_PORT", "443"],
  ["KUBERNETES_PORT_443_TCP_ADDR", address],
];

/** `$(NAME)` → its value, `$$(NAME)` → `$(NAME)`; an unknown name stays as it is. */
export const expand = (text: string, env: ReadonlyMap<string, string>): string =>
  text.replaceAll(/\$(\$|\(([^()]*)\))/g, (whole: string, what: string, name: string | undefined) =>
    what === "$" ? "$" : (env.get(name ?? "") ?? whole),
  );

/** A field of the downward API. */
export function fieldOf(path: string, { work, node, hostAddress, podAddress }: PodFields): string {
  const keyedPath = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyedPath !== null) {
    const [, of, key = ""] = keyedPath;
    return (of === "labels" ? work.labels : work.annotations)[key] ?? "";
  }
  const plain: Readonly<Record<string, string | undefined>> = {
    "metadata.name": work.name,
    "metadata.namespace": work.namespace,
    "metadata.uid": work.uid,
    "metadata.labels": lines(work.labels),
    "metadata.annotations": lines(work.annotations),
    "spec.nodeName": node,
    "spec.serviceAccountName": work.spec.serviceAccountName ?? "default",
    "status.hostIP": hostAddress,
    "status.hostIPs": hostAddress,
    "status.podIP": podAddress,
    "status.podIPs": podAddress,
  };
  return plain[path] ?? "";
}

/** @see https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#downwardapi-resourceFieldRef */
export function resourceOf(
  { resource, divisor, containerName }: ResourceFieldRef,
  own: Container | undefined,
  { work, allocatable }: PodFields,
): string {
  const container =
    containerName === undefined
      ? own
      : [...work.spec.containers, ...work.spec.initContainers].find(
          ({ name }) => name === containerName,
        );
  const [of = "", name = ""] = resource.split(".");
  const { requests = {}, limits = {} } = container?.resources ?? {};
  const value = of === "limits" ? (limits[name] ?? allocatable[name]) : requests[name];
  const unit = quantityNumber(divisor ?? "1") || 1;
  return String(Math.ceil(quantityNumber(value) / unit));
}

function keyed(
  kind: "ConfigMap" | "Secret",
  ref: { name: string; key: string; optional?: boolean | undefined } | undefined,
  read: ReadConfig,
): string | undefined {
  if (ref === undefined) return undefined;
  const values = read(kind, ref.name);
  const value = values?.[ref.key];
  if (value !== undefined) return textOf(value);
  if (ref.optional === true) return undefined;
  if (values === undefined) throw missing(kind, ref.name);
  throw new ConfigMissing(`couldn't find key ${ref.key} in ${kind} ${ref.name}`);
}

const missing = (kind: "ConfigMap" | "Secret", name: string) =>
  new ConfigMissing(`${kind.toLowerCase()} "${name}" not found`);
const textOf = (value: Uint8Array) => new TextDecoder().decode(value);
const lines = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n");
