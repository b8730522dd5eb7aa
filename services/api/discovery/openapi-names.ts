/** What Kubernetes calls a kind or a message in OpenAPI documents: `io.k8s.api.apps.v1.Deployment`. */
import type { Kind } from "../../../libs/model/kind.ts";

/** Groups whose Go packages lie elsewhere. */
const packages: Readonly<Record<string, string>> = {
  meta: "io.k8s.apimachinery.pkg.apis.meta",
  apiextensions: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
  apiregistration: "io.k8s.kube-aggregator.pkg.apis.apiregistration",
  metrics: "io.k8s.metrics.pkg.apis.metrics",
};

/** @param title group, version and name of a message, as schemas say it: `core.v1.Volume` */
export function componentName(title: string): string {
  const [group = "", ...rest] = title.split(".");
  return [packages[group] ?? `io.k8s.api.${group}`, ...rest].join(".");
}

/** Of a group that is not Kubernetes' own the name is that of its domain, reversed. */
export function kindName({
  group,
  version,
  kind,
}: Pick<Kind, "group" | "version" | "kind">): string {
  if (group === "") return componentName(`core.${version}.${kind}`);
  if (!group.includes(".") || group.endsWith(".k8s.io")) {
    return componentName(`${group.split(".")[0]}.${version}.${kind}`);
  }
  return [...group.split(".").toReversed(), version, kind].join(".");
}

/** What many documents refer to. */
export const shared = {
  time: "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
  microTime: "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
  quantity: "io.k8s.apimachinery.pkg.api.resource.Quantity",
  intOrString: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  fieldsV1: "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
  listMeta: "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta",
  deleteOptions: "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
  patch: "io.k8s.apimachinery.pkg.apis.meta.v1.Patch",
  status: "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
} as const;

/** `AppsV1`, as names of operations begin. */
export const operationGroup = ({ group, version }: Pick<Kind, "group" | "version">): string => {
  const words = group === "" ? ["core"] : group.replace(/\.k8s\.io$/, "").split(/[.-]/);
  return [...words, version].map(capital).join("");
};

export const capital = (text: string): string =>
  `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
