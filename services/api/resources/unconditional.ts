/** Whether an update must say at which revision it was decided. */
import { invalid } from "../../../libs/model/errors.ts";
import { resourceName, type Target } from "./backend.ts";

/** Kinds whose updates must, as in Kubernetes, beside custom ones; all others may do without. */
const conditional: ReadonlySet<string> = new Set([
  "leases.coordination.k8s.io",
  "poddisruptionbudgets.policy",
  "runtimeclasses.node.k8s.io",
  "csidrivers.storage.k8s.io",
  "csinodes.storage.k8s.io",
  "csistoragecapacities.storage.k8s.io",
  "volumeattachments.storage.k8s.io",
  "customresourcedefinitions.apiextensions.k8s.io",
  "apiservices.apiregistration.k8s.io",
  "validatingwebhookconfigurations.admissionregistration.k8s.io",
  "mutatingwebhookconfigurations.admissionregistration.k8s.io",
  "validatingadmissionpolicies.admissionregistration.k8s.io",
  "validatingadmissionpolicybindings.admissionregistration.k8s.io",
  "mutatingadmissionpolicies.admissionregistration.k8s.io",
  "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
]);

/** @throws {ApiError} Invalid when no revision is given, and the kind needs one */
export function requireConditional(
  { kind, name }: Target,
  resourceVersion: string | undefined,
): void {
  if ((resourceVersion ?? "") !== "" && resourceVersion !== "0") return;
  if (kind.custom === undefined && !conditional.has(resourceName(kind))) return;
  const message = "Invalid value: 0x0: must be specified for an update";
  throw invalid({ group: kind.group, kind: kind.plural }, name, [
    { reason: "FieldValueInvalid", field: "metadata.resourceVersion", message },
  ]);
}
